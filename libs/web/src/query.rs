//! The query of an address: read with bounds, changed, written again.

use std::fmt;

use opsctl_http::Segment;

/// Most pairs that are read; the rest is left out.
const MAX_PAIRS: usize = 100;
/// Longest address of a link, in bytes.
const MAX_ADDRESS: usize = 2000;

/// Names and values in their order. Displays as what stands behind the `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`; anything can be read.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).take(MAX_PAIRS).map(|(a, b)| (a.into(), b.into())).collect())
    }

    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The query with `name` once, with this value, or without it for an empty one.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs: Vec<_> = self.0.iter().filter(|(found, _)| found != name).cloned().collect();
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Self(pairs)
    }

    /// All pairs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `path` with this query.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{self}") }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish())
    }
}

/// `text` as one segment of a path, as a string ([`Segment`]).
#[must_use]
pub fn segment(text: &str) -> String {
    Segment(text).to_string()
}

/// `text` if it is an address that a link from a page may lead to: http, https or mailto, without what browsers skip when
/// they read it. Anything else may be a script.
#[must_use]
pub fn web_address(text: &str) -> Option<&str> {
    let text = text.trim();
    let (scheme, rest) = text.split_once(':')?;
    let fine = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')),
        "mailto" => !rest.is_empty(),
        _ => false,
    };
    (fine && text.len() <= MAX_ADDRESS && !text.contains(|c: char| c.is_control() || c == '\\')).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn one_pair_is_changed() {
        let check = |text: &str, name, value, expected| {
            assert_eq!(Query::parse(text).with(name, value).href("/x"), expected);
        };
        check("a=1&page=2&b=3", "page", "4", "/x?a=1&b=3&page=4");
        check("a=1&page=2&page=3", "page", "", "/x?a=1");
        check("", "q", "ä &=?#", "/x?q=%C3%A4+%26%3D%3F%23");
        check("page=1", "page", "", "/x");
        assert_eq!(Query::parse("a=1&a=2").get("a"), Some("1"));
        assert_eq!(Query::parse(&"a&".repeat(1000)).pairs().count(), MAX_PAIRS);
    }

    #[test]
    fn addresses_that_are_no_script() {
        let check = |text, fine| assert_eq!(web_address(text).is_some(), fine, "{text}");
        check("https://example.org/a?b#c", true);
        check(" HTTP://example.org ", true);
        check("mailto:a@b", true);
        for text in [
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            " data:text/html,x",
            "//example.org",
            "/logout",
            "https:",
            "https:///x",
            "http:example.org",
            "mailto:",
            "ftp://a",
            "",
            "x",
            "https://a\u{1}",
            "https://a\\b",
            "vbscript:x",
        ] {
            check(text, false);
        }
        check(&format!("https://{}", "a".repeat(2000)), false);
    }

    proptest! {
        #[test]
        fn there_and_back(pairs in any::<Vec<(String, String)>>()) {
            let query = Query(pairs);
            assert_eq!(Query::parse(&query.to_string()), query);
        }
    }
}
