//! Names of users: one clear grammar, so that no two names look alike to a person and differ to the program.

use std::fmt;
use std::str::FromStr;

/// Characters at most: room for a mail address of ordinary length.
const MAX: usize = 64;

/// A user's name: 1 to 64 of the letters a-z, digits and `.`, `_`, `-`, `+`, `@`, of which the first and the last are
/// letters or digits. Capital letters are taken as small ones; there is nothing else (no spaces, no other alphabets), so
/// a name needs no escaping in a log, a header or a page, and confusables do not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all, or more than 64 characters.
    #[error("a name has 1 to 64 characters")]
    Length,
    /// A character that no name has, or one that none begins or ends with.
    #[error("a name has letters a-z, digits and `._-+@`, and begins and ends with a letter or digit")]
    Character,
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > MAX {
            return Err(NameError::Length);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        let allowed = |byte: u8| plain(byte) || b"._-+@".contains(&byte);
        let ends = [text.bytes().next(), text.bytes().next_back()];
        if text.bytes().all(allowed) && ends.into_iter().flatten().all(plain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NameError::Character)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NameError>) {
        assert_eq!(text.parse::<Name>().map(|name| name.to_string()), expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn names() {
        check("alice", Ok("alice"));
        check("Alice", Ok("alice"));
        check("a", Ok("a"));
        check("7", Ok("7"));
        check("a.b_c-d+e@example.org", Ok("a.b_c-d+e@example.org"));
        check(&"a".repeat(64), Ok(&"a".repeat(64)));
    }

    #[test]
    fn no_names() {
        check("", Err(NameError::Length));
        check(&"a".repeat(65), Err(NameError::Length));
        for text in [
            "-a",
            "a-",
            ".a",
            "@a",
            "__token__",
            "a b",
            "a:b",
            "a/b",
            "a\n",
            "\na",
            "a\0b",
            "a\u{7f}b",
            "<b>",
            "a\"b",
            "a'b",
            "a%b",
            "a\u{202e}b",
            "а",
            "ａ",
            "é",
            "ı",
            "\u{212a}",
        ] {
            check(text, Err(NameError::Character));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_that_stays_one_or_none(text in ".{0,70}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert!(name.as_str().is_ascii() && !name.as_str().contains(|c: char| c.is_ascii_control()));
                prop_assert_eq!(name.as_str().parse::<Name>(), Ok(name));
            }
        }
    }
}
