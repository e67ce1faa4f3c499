//! Names of projects: what is a name at all, and when two are the same (PEP 503, PEP 508, core metadata `Name`).

use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest name in bytes that is taken. No specification has a limit; a file name has 255 bytes and needs some of them
/// for the version.
pub const NAME_MAX: usize = 200;

/// The name of a project, as its author writes it and as indexes compare it.
///
/// ASCII letters, digits, `.`, `-` and `_`, with a letter or digit at both ends: nothing that needs escaping in a path, a
/// URL or HTML. Two names are equal, hash alike and sort alike if their normalised forms are the same.
#[derive(Debug, Clone)]
pub struct ProjectName {
    display: Box<str>,
    /// None: `display` is normalised.
    normalized: Option<Box<str>>,
}

/// Why a text is no name of a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadName {
    /// Nothing.
    #[error("a project's name is empty")]
    Empty,
    /// More than [`NAME_MAX`] bytes.
    #[error("a project's name has more than {NAME_MAX} bytes")]
    TooLong,
    /// A character that is not allowed, or not there.
    #[error(
        "`{}` is no name for a project: it starts and ends with a letter or a digit, and has only ASCII letters, \
         digits, `.`, `_` and `-`",
        .0.escape_debug()
    )]
    Characters(String),
}

impl ProjectName {
    /// Reads a name: `^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z`, ignoring case, ASCII only, so that a line feed at the
    /// end is no part of a name either.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<ProjectName, BadName> {
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.len() > NAME_MAX {
            return Err(BadName::TooLong);
        }
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()].into_iter().flatten().all(u8::is_ascii_alphanumeric);
        if !ends || !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)) {
            return Err(BadName::Characters(text.to_owned()));
        }
        let normalized = (!is_normalized(text)).then(|| normalize(text).into_boxed_str());
        Ok(ProjectName { display: text.into(), normalized })
    }

    /// As its author writes it.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// As it stands in URLs and as it is compared: lower case, one `-` for each run of `-`, `_` and `.`.
    #[must_use]
    pub fn normalized(&self) -> &str {
        self.normalized.as_deref().unwrap_or(&self.display)
    }

    /// As it stands in file names: the normalised form with `_` for `-` (PEP 427, PEP 625).
    #[must_use]
    pub fn escaped(&self) -> String {
        self.normalized().replace('-', "_")
    }
}

/// The normalised form of PEP 503, `re.sub(r"[-_.]+", "-", name).lower()`, of any text.
#[must_use]
pub fn normalize(text: &str) -> String {
    let mut normalized = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let separates = matches!(c, '-' | '_' | '.');
        match separates {
            true if in_run => {}
            true => normalized.push('-'),
            false => normalized.push(c.to_ascii_lowercase()),
        }
        in_run = separates;
    }
    normalized
}

fn is_normalized(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(plain) && !text.contains("--")
}

impl PartialEq for ProjectName {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for ProjectName {}

impl Hash for ProjectName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normalized().hash(state);
    }
}

impl PartialOrd for ProjectName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ProjectName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.normalized().cmp(other.normalized())
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl std::str::FromStr for ProjectName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        ProjectName::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `said` is the normalised form, or the reason against the name.
    fn check(text: &str, said: &str) {
        let seen = match ProjectName::parse(text) {
            Ok(name) => name.normalized().to_owned(),
            Err(bad) => bad.to_string(),
        };
        assert!(seen == said || !said.is_empty() && seen.contains(said), "{text:?}: {seen}");
    }

    #[test]
    fn names_are_normalised() {
        check("foo", "foo");
        check("A", "a");
        check("7", "7");
        check("Foo.Bar", "foo-bar");
        check("Foo__.Bar", "foo-bar");
        check("foo----bar", "foo-bar");
        check("a-_.b", "a-b");
        check("zope.interface", "zope-interface");
        check(&"a".repeat(NAME_MAX), &"a".repeat(NAME_MAX));
        assert_eq!(
            ProjectName::parse("Zope.Interface-x").map(|name| name.escaped()),
            Ok("zope_interface_x".to_owned())
        );
    }

    #[test]
    fn what_is_no_name() {
        check("", "is empty");
        check("foo\n", r"`foo\n` is no name");
        check("\nfoo", "is no name");
        check("-x", "is no name");
        check("x-", "is no name");
        check("_", "is no name");
        check("a b", "is no name");
        check("a/b", "is no name");
        check("..", "is no name");
        check("f\u{f6}\u{f6}", "is no name");
        // capital kelvin: lower case of it is an ASCII letter
        check("\u{212a}", "is no name");
        check("<script>", "is no name");
        check(&"a".repeat(NAME_MAX + 1), "more than 200 bytes");
    }

    #[test]
    fn equal_names_are_one_key() {
        let names = ["Foo.Bar", "foo-bar", "FOO_BAR"].map(|text| ProjectName::parse(text).unwrap());
        assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), 1);
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 1);
        assert_eq!(names.map(|name| name.to_string()), ["Foo.Bar", "foo-bar", "FOO_BAR"]);
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent(text in "[a-zA-Z0-9._-]{1,12}") {
            let once = normalize(&text);
            prop_assert_eq!(&normalize(&once), &once);
            if let Ok(name) = ProjectName::parse(&text) {
                prop_assert!(is_normalized(name.normalized()));
                prop_assert_eq!(name.normalized(), once);
            }
        }

        #[test]
        fn a_name_needs_no_escaping(text in any::<String>()) {
            if let Ok(name) = ProjectName::parse(&text) {
                prop_assert!(name.display().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
            }
        }
    }
}
