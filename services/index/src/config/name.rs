//! Names of indexes.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

/// First parts of paths that mean something else.
const TAKEN: [&str; 22] = [
    "account",
    "api",
    "changes",
    "files",
    "find-links",
    "healthz",
    "indexes",
    "integrity",
    "legacy",
    "login",
    "logout",
    "metrics",
    "namespaces",
    "openapi",
    "origins",
    "project",
    "pypi",
    "reservations",
    "rss",
    "search",
    "simple",
    "upload",
];
/// In characters: it is a part of paths.
const LONGEST: usize = 32;

/// The name of an index: lower-case letters, digits and single `-`, a letter in front; none that is the first part of
/// another path. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName(Arc<str>);

/// A text is no name for an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIndexName {
    /// Its characters.
    #[error("`{0}` is no name for an index: up to {LONGEST} lower-case letters, digits and `-`, a letter in front")]
    Characters(String),
    /// It is the first part of another path.
    #[error("`{0}` means something else here already")]
    Taken(String),
}

impl IndexName {
    /// The index that one gets without naming any.
    #[must_use]
    pub fn main() -> IndexName {
        IndexName("main".into())
    }

    /// Whether it is the index that one gets without naming any.
    #[must_use]
    pub fn is_main(&self) -> bool {
        &*self.0 == "main"
    }
}

impl FromStr for IndexName {
    type Err = BadIndexName;

    fn from_str(text: &str) -> Result<IndexName, BadIndexName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fine = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain);
        if !fine || text.len() > LONGEST || text.ends_with('-') || text.contains("--") {
            return Err(BadIndexName::Characters(text.to_owned()));
        }
        if TAKEN.contains(&text) {
            return Err(BadIndexName::Taken(text.to_owned()));
        }
        Ok(IndexName(text.into()))
    }
}

impl Deref for IndexName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for IndexName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for IndexName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IndexName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for IndexName {
    fn schema_name() -> Cow<'static, str> {
        "IndexName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": LONGEST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, said: &str| {
            let error = name.parse::<IndexName>().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(said) && error.is_empty() == said.is_empty(), "{name}: {error}");
        };
        for name in ["main", "a", "dev-2", "public", &"a".repeat(32)] {
            check(name, "");
        }
        for name in ["", "-a", "a-", "a--b", "A", "a_b", "a/b", "2a", "ä", "a\n", &"a".repeat(33)] {
            check(name, "is no name for an index");
        }
        TAKEN.iter().for_each(|name| check(name, "means something else"));
        assert!(TAKEN.is_sorted() && IndexName::main().is_main());
    }
}
