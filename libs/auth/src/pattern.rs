//! Patterns over names: plain text in which `*` stands for any run of characters.

use std::fmt;
use std::str::FromStr;

/// Bytes at most.
const MAX: usize = 200;

/// Plain text in which each `*` stands for any characters, also for none, as in `acme-*`. There is no other wildcard, so
/// that nobody gets more than was written. Case counts. Of letters, digits and `._@+-~%=/*`, 1 to 200 of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing at all, or more than 200 bytes.
    #[error("a pattern has 1 to 200 characters")]
    Length,
    /// A character that no pattern has.
    #[error("a pattern has letters, digits, `._@+-~%=` and the wildcard `*`, not `{0}`")]
    Character(char),
}

impl Pattern {
    /// The pattern that everything matches.
    #[must_use]
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// Whether `text` as a whole matches. Takes time in proportion to both lengths' product at most.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // the last `*`, and how much of the text it has taken so far
        let mut star: Option<(usize, usize)> = None;
        while let Some(&byte) = text.get(seen) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some(&wanted) if wanted == byte => (at, seen) = (at + 1, seen + 1),
                _ => {
                    let Some((place, taken)) = star else { return false };
                    star = Some((place, taken + 1));
                    (at, seen) = (place + 1, taken + 1);
                }
            }
        }
        pattern.iter().skip(at).all(|&byte| byte == b'*')
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > MAX {
            return Err(PatternError::Length);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._@+-~%=/*".contains(c);
        match text.chars().find(|&c| !allowed(c)) {
            Some(c) => Err(PatternError::Character(c)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), expected, "{pattern} on {text:?}");
    }

    #[test]
    fn matching() {
        check("*", "", true);
        check("*", "anything/at all", true);
        check("acme-*", "acme-", true);
        check("acme-*", "acme-tools", true);
        check("acme-*", "acme", false);
        check("acme-*", "xacme-tools", false);
        check("acme", "acme", true);
        check("acme", "acme\n", false);
        check("acme", "Acme", false);
        check("acme", "", false);
        check("*-internal", "a-internal-internal", true);
        check("*-internal", "a-internal-x", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("a**c", "ac", true);
        check("*a", "ba", true);
        check("*a", "ab", false);
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        check(&"a*".repeat(100), &"a".repeat(10_000), true);
        check(&format!("{}b", "a*".repeat(99)), &"a".repeat(10_000), false);
    }

    #[test]
    fn no_patterns() {
        let wrong = |text: &str| text.parse::<Pattern>().unwrap_err();
        assert_eq!(wrong(""), PatternError::Length);
        assert_eq!(wrong(&"a".repeat(201)), PatternError::Length);
        for c in ['?', '[', ' ', ',', ':', '\n', '\0', 'é', '<'] {
            assert_eq!(wrong(&format!("a{c}")), PatternError::Character(c));
        }
    }

    /// The plain definition: a star takes nothing, or one character and goes on.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((b'*', pattern)), None) => slow(pattern, text),
            (Some((b'*', after)), Some((_, rest))) => slow(after, text) || slow(pattern, rest),
            (Some((wanted, pattern)), Some((found, text))) => wanted == found && slow(pattern, text),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn as_the_definition_has_it(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
            let expected = slow(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(pattern.parse::<Pattern>().unwrap().matches(&text), expected);
        }

        #[test]
        fn any_text(text in ".{0,40}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                prop_assert_eq!(pattern.to_string(), text);
            }
        }
    }
}
