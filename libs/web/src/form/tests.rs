//! What can be read of a form, and what is said otherwise.

use std::net::IpAddr;

use proptest::prelude::{any, proptest};

use super::*;

fn form(value: &str) -> Form {
    Form::from_pairs([("a", value)])
}

#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(
    value: &str,
    read: impl Fn(&mut Form) -> Result<T, Invalid>,
    expected: Result<T, &str>,
) {
    let mut form = form(value);
    let result = read(&mut form).map_err(|Invalid| form.error("a").unwrap().to_owned());
    assert_eq!(result, expected.map_err(str::to_owned), "{value:?}");
    assert_eq!(form.is_valid(), result.is_ok());
    assert_eq!(form.value("a"), value, "it stays as it was typed");
}

#[test]
fn lines() {
    let required = |form: &mut Form| form.required::<String>("a");
    check(" zope ", required, Ok("zope".to_owned()));
    check("  ", required, Err("must be filled in"));
    check("a\r\nb", required, Err("must be one line of text"));
    check("a\0", required, Err("must be one line of text"));
    check(&"x".repeat(1001), required, Err("must not be longer than 1000 characters"));
    let optional = |form: &mut Form| form.optional::<IpAddr>("a");
    check("", optional, Ok(None));
    check("::1", optional, Ok(Some("::1".parse().unwrap())));
    check("localhost", optional, Err("invalid IP address syntax"));
}

#[test]
fn texts_and_choices() {
    let text = |form: &mut Form| form.text("a", 5);
    check("a\r\nb\t", text, Ok("a\nb\t".to_owned()));
    check("", text, Ok(String::new()));
    check("123456", text, Err("must not be longer than 5 characters"));
    check("a\u{1b}[", text, Err("must not have control characters"));
    let choice = |form: &mut Form| form.one_of("a", &["proxy", "off"]);
    check("off", choice, Ok("off"));
    check("on", choice, Err("must be one of those offered"));
}

#[test]
fn passwords_are_taken_out() {
    let mut form = form(" x ");
    assert_eq!(form.password("a"), Ok(" x ".to_owned()));
    assert!(!format!("{form:?}").contains(" x "));
    assert_eq!(form.password("a"), Err(Invalid));
    assert_eq!(form.error("a"), Some("must be filled in"));
    assert_eq!(self::form(&"x".repeat(1001)).password("a"), Err(Invalid));
}

#[test]
fn several_values_and_ticks() {
    let form = Form::from_pairs([("tag", "a"), ("tag", "b"), ("on", "")]);
    assert_eq!(form.values("tag").collect::<Vec<_>>(), ["a", "b"]);
    assert!(form.is_checked("on") && !form.is_checked("off"));
    assert_eq!(form.value("nothing"), "");
    let many = Form::from_pairs((0..2000).map(|number| (number.to_string(), "")));
    assert_eq!(many.values.len(), MAX_FIELDS);
}

#[test]
fn the_first_word_stays() {
    let mut form = form("x");
    form.refuse("a", "is taken");
    form.refuse("a", "is ugly");
    assert_eq!(form.error("a"), Some("is taken"));
    let mut form = self::form("x");
    form.refuse_all("nothing works");
    assert!(!form.is_valid());
}

proptest! {
    #[test]
    fn what_is_read_is_one_clean_line(value in any::<String>()) {
        if let Ok(line) = form(&value).required::<String>("a") {
            assert!(!line.is_empty() && !line.contains(char::is_control) && line.trim() == line);
        }
    }
}
