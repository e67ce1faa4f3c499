//! Names of items: chosen by their owners, and parts of addresses.

use std::fmt;
use std::str::FromStr;

/// Characters at most: room for any digest in hexadecimal digits.
const MAX: usize = 128;

/// What its owner calls an item: 1 to 128 letters and digits, `-`, `_`, and `.` but at the ends. A primary key, a GUID,
/// an MD5: it needs no escaping in a path, a header or a page. Upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ItemName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an ID is 1 to 128 letters, digits, `-`, `_`, and `.` but at its ends")]
pub(crate) struct BadName;

impl ItemName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ItemName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<ItemName, BadName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let ends = text.starts_with('.') || text.ends_with('.');
        match (1..=MAX).contains(&text.len()) && text.bytes().all(allowed) && !ends {
            true => Ok(ItemName(text.to_owned())),
            false => Err(BadName),
        }
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "party", "2008-05-01_party.v2", "0cc175b9c0f1b6a831c399e269772661", &"x".repeat(128)] {
            assert_eq!(good.parse::<ItemName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".a", "a.", "a b", "a/b", "ä", "%41", "a\0", &"x".repeat(129)] {
            assert!(bad.parse::<ItemName>().is_err(), "{bad:?}");
        }
    }
}
