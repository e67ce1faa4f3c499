//! The mode of a file, in octal as `chmod` takes it.

use super::{NamedText, TextVisitor};
use crate::{Error, magic};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// A file mode or umask, at most 7777: `"640"`, `"0640"` or the TOML integer `0o640`. The decimal integer `640` is
/// refused: it is octal 1200, and nobody means that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode(u32);

impl Mode {
    /// The bits; only the lower twelve are kept.
    pub const fn new(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let bits = u32::from_str_radix(digits, 8).ok().filter(|bits| octal && *bits <= 0o7777);
        bits.map(Self).ok_or_else(|| Error::Mode(text.to_owned()))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = TextVisitor { expected: "a file mode such as `\"640\"` or `0o640`", target: PhantomData };
        deserializer.deserialize_newtype_struct(magic::MODE, NamedText(text))
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Mode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "minimum": 0,
            "maximum": 0o7777,
            "pattern": "^(0o)?[0-7]{1,5}$",
            "examples": ["640", "0755"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u32>) {
        assert_eq!(text.parse::<Mode>().ok().map(Mode::bits), expected, "{text}");
    }

    #[test]
    fn texts() {
        check("640", Some(0o640));
        check("0640", Some(0o640));
        check("0o640", Some(0o640));
        check("1777", Some(0o1777));
        check("0", Some(0));
        for text in ["", "8", "+640", "-1", "17777", "0x1ff", "u=rw", "000000", "0o"] {
            check(text, None);
        }
    }

    #[test]
    fn print_and_parse() {
        for bits in 0..=0o7777 {
            assert_eq!(Mode(bits).to_string().parse::<Mode>().unwrap(), Mode(bits));
        }
    }
}
