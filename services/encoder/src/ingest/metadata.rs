//! `Upload-Metadata` of tus 1.0.0: pairs of a key and a value in base64, separated by commas.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{BadWish, Wishes};

/// Bytes that are kept of it.
const LONGEST: usize = 8 * 1024;

/// What comes with an upload in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The item's name, if the caller chose one.
    pub(crate) id: Option<String>,
    pub(crate) wishes: Wishes,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMetadata {
    #[error("`Upload-Metadata` is longer than 8 KiB")]
    Long,
    #[error("`Upload-Metadata`: a key is of ASCII characters without spaces and commas, not `{0}`")]
    Key(String),
    #[error("`Upload-Metadata`: `{0}` comes twice")]
    Twice(String),
    #[error("`Upload-Metadata`: the value of `{0}` is no UTF-8 text in base64")]
    Value(String),
    #[error(transparent)]
    Wish(#[from] BadWish),
}

impl FromStr for Metadata {
    type Err = BadMetadata;

    /// Keys that mean nothing here are left to their clients.
    fn from_str(text: &str) -> Result<Metadata, BadMetadata> {
        if text.len() > LONGEST {
            return Err(BadMetadata::Long);
        }
        let (mut found, mut seen) = (Metadata::default(), Vec::new());
        for pair in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let shown = || key.chars().take(40).collect::<String>();
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(BadMetadata::Key(shown()));
            }
            if seen.contains(&key) {
                return Err(BadMetadata::Twice(shown()));
            }
            seen.push(key);
            // what a client keeps for itself may be anything
            let bytes = STANDARD.decode(value.trim()).map_err(|_| BadMetadata::Value(shown()))?;
            let Ok(value) = String::from_utf8(bytes) else {
                match Wishes::knows(key) || key == "id" {
                    true => return Err(BadMetadata::Value(shown())),
                    false => continue,
                }
            };
            match key {
                "id" if !value.is_empty() => found.id = Some(value),
                _ => found.wishes = found.wishes.pairs([(key, value.as_str())])?,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Metadata, &str>) {
        match (text.parse::<Metadata>(), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{text}: {error}"),
            (found, expected) => panic!("{text}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn pairs_in_base64() {
        let filename = |name: &str| Wishes { filename: Some(name.into()), ..Wishes::default() };
        check("", Ok(Metadata::default()));
        check("is_confidential", Ok(Metadata::default()));
        check("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential", {
            Ok(Metadata { id: None, wishes: filename("world_domination_plan.pdf") })
        });
        check("id cGFydHk= , filename w6QubXA0", Ok(Metadata { id: Some("party".into()), wishes: filename("ä.mp4") }));
        check("thumb //79", Ok(Metadata::default()));
        check("filename //79", Err("the value of `filename`"));
        check("filename !", Err("the value of `filename`"));
        check("filename YQ==,filename YQ==", Err("`filename` comes twice"));
        check("filename YQ==,,id YQ==", Err("a key is of"));
        check("publish cGVyaGFwcw==", Err("yes or no"));
        check(&"a".repeat(9000), Err("8 KiB"));
    }
}
