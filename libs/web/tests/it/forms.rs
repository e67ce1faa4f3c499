//! Forms as they are shown: again with what was filled in, and with what is wrong.

use axum::extract::{FromRequestParts, Request};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use opsctl_web::{Form, Front, Key, Page, Pages, Visit};
use proptest::prelude::{any, proptest};
use serde::Serialize;
use tower_service::Service;

use crate::xml::read_text;

const FORM: &str = r##"{% extends "shell.html" %}
{% from "parts.html" import form, text, password, number, select, checkbox, textarea, file, hidden, submit %}
{% block main %}
{% call form(f, action="/edit/" ~ (hostile|segment), method="put", upload=true, confirm=hostile, label=hostile) %}
{{ hidden("version", hostile) }}
{{ text(f, "name", label="Project name", hint=hostile, required=true, max=100, placeholder=hostile, pattern=hostile, list=[hostile]) }}
{{ password(f) }}
{{ number(f, "keep_days", min=1, max=9) }}
{{ text(f, "q", type="search") }}
{{ select(f, "kind", [["a", hostile], [hostile, "B"], "c"], value="c") }}
{{ checkbox(f, "force", label=hostile) }}
{{ textarea(f, "notes", label="Notes", hint=hostile, mono=true) }}
{{ file(f, "content", label="File", accept=".whl", multiple=true) }}
{{ submit(hostile, name="x", value=hostile) }}
{% endcall %}
{% endblock %}
"##;

#[derive(Serialize)]
struct Context<'a> {
    f: &'a Form,
    hostile: &'a str,
}

/// The page as a browser gets it, through a front.
fn show(form: &Form, hostile: &str) -> String {
    let pages = Pages::new().add("form.html", FORM);
    assert_eq!(pages.faults(), []);
    let (form, hostile) = (form.clone(), hostile.to_owned());
    let answer = move |visit: Visit| {
        let page = pages.show(&visit, "form.html", Context { f: &form, hostile: &hostile }).unwrap();
        async move { page.into_response() }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(async {
        let mut router = Front::new(&Key::new([1; 32])).around(axum::Router::new().fallback(answer));
        let response = router.call(Request::new(axum::body::Body::empty())).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap()
    });
    read_text(std::str::from_utf8(&body).unwrap())
}

#[track_caller]
fn check(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_empty_form() {
    let text = show(&Form::new(), "h");
    check(
        &text,
        &[
            "<form method=\"post\" action=\"/edit/h\" aria-label=\"h\" enctype=\"multipart/form-data\" data-upload=\"\" data-confirm=\"h\">",
            "<input type=\"hidden\" name=\"_method\" value=\"PUT\"><input type=\"hidden\" name=\"_csrf\"",
            "<label for=\"f-name\">Project name",
            "<input type=\"text\" id=\"f-name\" name=\"name\" value=\"\" required=\"required\" maxlength=\"100\"",
            "<p class=\"hint\" id=\"f-name-hint\">h",
            "<label for=\"f-keep_days\">Keep days",
            "type=\"number\" id=\"f-keep_days\" name=\"keep_days\" value=\"\" max=\"9\" min=\"1\"",
            "<option value=\"c\" selected=\"selected\">c",
            "<input type=\"file\" id=\"f-content\" name=\"content\" accept=\".whl\" multiple=\"multiple\">",
        ],
    );
    assert!(!text.contains("class=\"summary\"") && !text.contains("aria-invalid"), "{text}");
    assert!(text.find("_csrf") < text.find("name=\"version\""), "the shell's own fields stand first");
}

#[test]
fn what_was_filled_in_stays_with_what_is_wrong() {
    let pairs = [
        ("name", "<zope>"),
        ("password", "hunter2"),
        ("keep_days", "x"),
        ("kind", "a"),
        ("force", "on"),
        ("notes", "a\n <b>"),
    ];
    let mut form = Form::from_pairs(pairs);
    assert!(form.required::<u32>("keep_days").is_err());
    form.refuse("name", "is taken");
    form.refuse("elsewhere", "is wrong");
    form.refuse_all("the disk is full");
    let text = show(&form, "h");
    check(
        &text,
        &[
            "<div class=\"summary\" role=\"alert\" tabindex=\"-1\">\n<p>Some things need another look:",
            "<li>the disk is full",
            "<li><a href=\"#f-name\">Project name is taken",
            "<li><a href=\"#f-keep_days\">Keep days invalid digit found in string",
            "<li>Elsewhere is wrong",
            "value=\"<zope>\" required=\"required\" maxlength=\"100\" placeholder=\"h\" pattern=\"h\" list=\"f-name-list\" aria-describedby=\"f-name-hint f-name-error\" aria-invalid=\"true\"",
            "<p class=\"error\" id=\"f-name-error\">Project name is taken",
            "<option value=\"a\" selected=\"selected\">",
            "value=\"on\" checked=\"checked\"",
            "spellcheck=\"false\" aria-describedby=\"f-notes-hint\">a\n <b>",
        ],
    );
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn two_forms_on_a_page_have_ids_of_their_own() {
    check(&show(&Form::new().id("edit"), "h"), &["<label for=\"edit-name\">", "id=\"edit-name\""]);
}

#[test]
fn lines_survive_in_hidden_fields() {
    check(&show(&Form::new(), "a\r\n\tb"), &["name=\"version\" value=\"a\r\n\tb\""]);
}

/// A form that changes something cannot be shown without protection by oversight.
#[tokio::test]
async fn without_a_front() {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    let Ok(visit) = Visit::from_request_parts(&mut parts, &()).await;
    let pages = Pages::new().add("form.html", FORM);
    let fails = |result: Result<Page, opsctl_web::Error>| assert!(result.is_err());
    let form = Form::new();
    fails(pages.show(&visit, "form.html", Context { f: &form, hostile: "" }));
    fails(pages.render("form.html", Context { f: &form, hostile: "" }));
    let get = r#"{% from "parts.html" import form %}{% call form(none, method="get") %}x{% endcall %}"#;
    let pages = Pages::new().add("get.html", get);
    assert!(
        pages.render("get.html", Context { f: &form, hostile: "" }).unwrap().as_str().contains("<form method=\"get\">")
    );
}

proptest! {
    #[test]
    fn any_value_is_shown_again(hostile in any::<String>(), value in any::<String>()) {
        let names = ["name", "password", "keep_days", "q", "kind", "force", "notes"];
        let mut form = Form::from_pairs(names.map(|name| (name, value.as_str())));
        names.iter().for_each(|name| form.refuse(name, value.as_str()));
        form.refuse(&hostile, &*value);
        form.refuse_all(hostile.as_str());
        show(&form, &hostile);
    }
}
