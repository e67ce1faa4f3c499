//! A number of bytes as people write it: `2GiB`, `10MB`, `4096`.

use crate::Error;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Bytes of each unit, the largest first. IEC 80000-13: `Ki` is 1024, `k` is 1000.
const UNITS: [(&str, u64); 13] = [
    ("EiB", 1 << 60),
    ("EB", 1_000_000_000_000_000_000),
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// A number of bytes. Its text is a whole number and a unit (`B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, …, upper or lower case);
/// without a unit, also as a bare TOML integer, it is bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// In bytes, for buffers; what memory cannot hold is the largest number there is.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl From<Size> for u64 {
    fn from(size: Size) -> Self {
        size.0
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::Size(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Size> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, length) = match unit {
        "" if end == text.len() => ("B", 1),
        _ => *UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?,
    };
    number.parse::<u64>().ok()?.checked_mul(length).map(Size)
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, length)| self.0 >= *length && self.0.is_multiple_of(*length));
        let (unit, length) = whole.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / length)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as `2GiB`")
    }

    fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes).map(Size).map_err(|_| E::custom(Error::Size(bytes.to_string())))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map_err(E::custom)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "minimum": 0,
            "pattern": r"^\d+( ?([KMGTPEkmgtpe][Ii]?)?[Bb])?$",
            "examples": ["512KiB", "10MB", "2GiB", 4096],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(text.parse::<Size>().ok().map(Size::bytes), expected, "{text}");
    }

    #[test]
    fn texts() {
        check("0", Some(0));
        check("4096", Some(4096));
        check("1B", Some(1));
        check("10MB", Some(10_000_000));
        check("2GiB", Some(2 << 30));
        check("2 GiB", Some(2 << 30));
        check("2gib", Some(2 << 30));
        check("1kB", Some(1000));
        check("15EiB", Some(15 << 60));
        for text in ["", "GiB", "-1", "1.5GiB", "2G", "16EiB", "2  GiB", "2GiB ", "5 ", "99999999999999999999"] {
            check(text, None);
        }
    }

    #[test]
    fn prints() {
        for (bytes, text) in
            [(0, "0B"), (1234, "1234B"), (1000, "1kB"), (1024, "1KiB"), (1 << 30, "1GiB"), (1536, "1536B")]
        {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn print_and_parse(bytes: u64, shift in 0..64u32) {
            let size = Size(bytes >> shift << (shift / 2));
            prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        }

        #[test]
        fn any_text(text in ".{0,40}") {
            let _ = text.parse::<Size>();
        }
    }
}
