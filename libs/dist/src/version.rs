//! Versions of projects (PEP 440), and what was called a version before there were rules.
//!
//! The text is kept as it was written, since it stands in file names, and everything is compared by its meaning: `1.0`,
//! `1.0.0` and `v1` are one release. A text that is no PEP 440 version ([`Version::legacy`]) sorts before all that are,
//! as it does with pip up to version 23.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest version in bytes that is taken: local labels with a commit and a date stay well under it.
pub const VERSION_MAX: usize = 200;

/// A version with the text that it came from.
#[derive(Debug, Clone)]
pub struct Version {
    text: Box<str>,
    /// None: no PEP 440 version.
    parsed: Option<pep440_rs::Version>,
}

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadVersion {
    /// Nothing.
    #[error("a version is empty")]
    Empty,
    /// More than [`VERSION_MAX`] bytes.
    #[error("a version has more than {VERSION_MAX} bytes")]
    TooLong,
    /// Not what PEP 440 says.
    #[error("`{}` is no version according to PEP 440", .0.escape_debug())]
    Malformed(String),
}

impl Version {
    /// Reads a version as PEP 440 has it: spaces around, a leading `v` and other spellings are forgiven, and kept in the
    /// text.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Version, BadVersion> {
        let bare = bounded(text)?;
        match bare.parse() {
            // numbers have any number of digits in Python and 64 bits here: such a version is refused, not mistaken
            Ok(parsed) => Ok(Version { text: bare.into(), parsed: Some(parsed) }),
            Err(_) => Err(BadVersion::Malformed(text.to_owned())),
        }
    }

    /// Reads a version as [`Version::parse`] does, or takes what was one before PEP 440: ASCII letters, digits and
    /// `.+!~_-`, with a letter or digit in front. For files of that time only.
    ///
    /// # Errors
    /// If it is neither.
    pub fn legacy(text: &str) -> Result<Version, BadVersion> {
        let malformed = match Version::parse(text) {
            Ok(version) => return Ok(version),
            Err(malformed) => malformed,
        };
        let bare = bounded(text)?;
        let bytes = bare.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".+!~_-".contains(byte);
        if bytes.first().is_some_and(u8::is_ascii_alphanumeric) && bytes.iter().all(plain) && !bare.contains("..") {
            Ok(Version { text: bare.into(), parsed: None })
        } else {
            Err(malformed)
        }
    }

    /// As it was written, without spaces around.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In the normal spelling of PEP 440, trailing zeros kept: `1.0.0rc1` for `v1.0.0-RC.1`. A version that PEP 440 does
    /// not know stays as it is.
    #[must_use]
    pub fn normalized(&self) -> String {
        self.parsed.as_ref().map_or_else(|| self.text.to_string(), ToString::to_string)
    }

    /// What all spellings of one version have in common: normal spelling, trailing zeros of the release left out. A key
    /// for a release in a database.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Some(parsed) = &self.parsed else { return self.text.to_string() };
        let release = parsed.release();
        let significant = release.iter().rposition(|&number| number != 0).map_or(1, |last| last + 1);
        parsed.clone().with_release(release.iter().take(significant).copied()).to_string()
    }

    /// Is it no PEP 440 version?
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.parsed.is_none()
    }

    /// Alpha, beta, candidate or development version? Installers take those only when asked.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        self.parsed.as_ref().is_none_or(pep440_rs::Version::any_prerelease)
    }

    /// A development version, `1.0.dev3`?
    #[must_use]
    pub fn is_dev(&self) -> bool {
        self.parsed.as_ref().is_some_and(pep440_rs::Version::is_dev)
    }

    /// Has it a local label, `1.0+debian.1`? The public index refuses those.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.parsed.as_ref().is_some_and(pep440_rs::Version::is_local)
    }

    /// For comparisons with specifiers; None for a version that PEP 440 does not know.
    #[must_use]
    pub fn pep440(&self) -> Option<&pep440_rs::Version> {
        self.parsed.as_ref()
    }
}

fn bounded(text: &str) -> Result<&str, BadVersion> {
    let bare = text.trim();
    match bare.len() {
        0 => Err(BadVersion::Empty),
        1..=VERSION_MAX => Ok(bare),
        _ => Err(BadVersion::TooLong),
    }
}

/// The runs of digits and of letters in a text, in the order of humans: `10` after `9`, a number after a word.
fn natural(text: &str) -> Vec<(bool, usize, String)> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if first.is_ascii_digit() {
            let digits = run.trim_start_matches('0');
            runs.push((true, digits.len(), digits.to_owned()));
        } else {
            runs.push((false, 0, run.to_ascii_lowercase()));
        }
    }
    runs
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.parsed, &other.parsed) {
            (Some(this), Some(that)) => this.cmp(that),
            (None, None) => natural(&self.text).cmp(&natural(&other.text)).then_with(|| self.text.cmp(&other.text)),
            (this, that) => this.is_some().cmp(&that.is_some()),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.parsed {
            Some(parsed) => parsed.hash(state),
            None => self.text.hash(state),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        Version::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use proptest::prelude::*;

    use super::*;

    /// `said` is `normalized canonical` and what the version is, or the reason against it.
    fn check(text: &str, said: &str) {
        let seen = match Version::legacy(text) {
            Err(bad) => bad.to_string(),
            Ok(version) => {
                let facts = [
                    (version.is_legacy(), "legacy"),
                    (version.is_prerelease(), "pre"),
                    (version.is_dev(), "dev"),
                    (version.is_local(), "local"),
                ];
                let facts: String = facts.iter().filter(|(is, _)| *is).map(|(_, word)| format!(" {word}")).collect();
                format!("{} {}{facts}", version.normalized(), version.canonical())
            }
        };
        assert_eq!(seen, said, "{text:?}");
    }

    #[test]
    fn versions_are_normalised() {
        check("1.0", "1.0 1");
        check(" v1.0.0 ", "1.0.0 1");
        check("0.0", "0.0 0");
        check("1.0-RC.1", "1.0rc1 1rc1 pre");
        check("1.0.alpha", "1.0a0 1a0 pre");
        check("1.0-1", "1.0.post1 1.post1");
        check("1.0.dev3", "1.0.dev3 1.dev3 pre dev");
        check("2!1.10+Ubuntu_1", "2!1.10+ubuntu.1 2!1.10+ubuntu.1 local");
        check("2004d", "2004d 2004d legacy pre");
        check("0.9.6dev-r1234", "0.9.6dev-r1234 0.9.6dev-r1234 legacy pre");
    }

    #[test]
    fn what_is_no_version() {
        check("", "a version is empty");
        check(" \n", "a version is empty");
        check("1.0/2", "`1.0/2` is no version according to PEP 440");
        check("-1", "`-1` is no version according to PEP 440");
        check("a..b", "`a..b` is no version according to PEP 440");
        check("1\u{662}", "`1\u{662}` is no version according to PEP 440");
        check(&"1".repeat(VERSION_MAX + 1), "a version has more than 200 bytes");
        assert!(Version::parse("2004d").is_err());
    }

    #[test]
    fn versions_are_in_order() {
        let sorted = [
            "final",
            "2004d",
            "r9",
            "r10",
            "0.dev1",
            "1.0.dev3",
            "1.0a1",
            "1.0rc1",
            "1.0",
            "1.0+a",
            "1.0.post1",
            "1.9",
            "1.10",
            "1!0",
        ];
        let read = |text: &&str| Version::legacy(text).unwrap();
        let mut versions: Vec<_> = sorted.iter().rev().map(read).collect();
        versions.sort();
        assert_eq!(versions.iter().map(Version::text).collect::<Vec<_>>()[4..], sorted[4..]);
        assert!(versions[..4].iter().all(Version::is_legacy));
        assert!(read(&"r9") < read(&"r10"));
        assert_eq!(read(&"1.0"), read(&"v1"));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_again(text in prop_oneof![
            any::<String>(),
            "v?[0-9]{1,2}(\\.[0-9]{1,2}){0,3}([-_.]?(a|rc|post|dev)[0-9]?)?(\\+[a-z0-9.]{1,4})?",
        ]) {
            if let Ok(version) = Version::legacy(&text) {
                let hasher = RandomState::new();
                for other in [version.normalized(), version.canonical()] {
                    let other = Version::legacy(&other).unwrap();
                    prop_assert_eq!(&other, &version);
                    prop_assert_eq!(hasher.hash_one(&other), hasher.hash_one(&version));
                    prop_assert_eq!(other.canonical(), version.canonical());
                }
            }
        }
    }
}
