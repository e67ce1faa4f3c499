//! Links in text.

use std::fmt::Write;

use super::escape;
use crate::markup::Escaped;
use crate::query::web_address;

/// Appends `<a …>`, if the address is one that may be followed.
pub(super) fn open(out: &mut String, address: &str) -> bool {
    match web_address(address) {
        Some(href) => {
            let _ = write!(out, "<a href=\"{}\" rel=\"nofollow noopener noreferrer\">", Escaped(href));
            true
        }
        None => false,
    }
}

/// Appends text whose addresses become links.
pub(super) fn linked(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = next(rest) {
        let (before, from) = rest.split_at(at);
        escape(out, before);
        let length = length(from);
        let (address, after) = from.split_at(length);
        let is_open = open(out, address);
        escape(out, address);
        if is_open {
            out.push_str("</a>");
        }
        rest = after;
    }
    escape(out, rest);
}

/// Where the next address begins: `http://` or `https://` that no letter stands before.
fn next(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("http").map(|at| from + at) {
        let rest = text.get(at..)?;
        let is_scheme = rest.starts_with("http://") || rest.starts_with("https://");
        let stands_alone = !text.get(..at)?.ends_with(char::is_alphanumeric);
        if is_scheme && stands_alone {
            return Some(at);
        }
        from = at + 4;
    }
    None
}

/// How long the address is that `text` begins with: up to white space, without what ends a sentence and without a bracket
/// that was opened before it.
fn length(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\\' | '|');
    let mut address = text.split(ends).next().unwrap_or_default();
    // counted once: text of brackets alone must not cost their square
    let (mut open, mut closed) = (address.matches('(').count(), address.matches(')').count());
    loop {
        address = match address.chars().next_back() {
            Some(last @ ('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | ']' | '(')) => {
                open -= usize::from(last == '(');
                &address[..address.len() - 1]
            }
            Some(')') if closed > open => {
                closed -= 1;
                &address[..address.len() - 1]
            }
            _ => return address.len(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut out = String::new();
        linked(&mut out, text);
        let found: Vec<_> =
            out.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_in_text() {
        check("see https://a.example/b?c=d.", &["https://a.example/b?c=d"]);
        check("(http://a.example/x_(y)), http://b.example", &["http://a.example/x_(y)", "http://b.example"]);
        check("https://a.example/&\"<b>", &["https://a.example/&amp;"]);
        check("xhttp://a.example https:// http http:/", &[]);
        check("\nhttps://a.example\n", &["https://a.example"]);
        check(&format!("http://{}", "(".repeat(100_000)), &[]);
        check(&format!("http://a{}", ")".repeat(100_000)), &["http://a"]);
    }
}
