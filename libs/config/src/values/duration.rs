//! A span of time as people write it: `30s`, `5m`, `1h30m`, `250ms`.

use crate::Error;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration as Std;

/// Nanoseconds of each unit, the longest first: the order in which they are written.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A span of time. Its text is one or more of a number and a unit (`d`, `h`, `m`, `s`, `ms`, `us`, `ns`), longest unit
/// first, each at most once. A bare number is refused: nobody remembers whether it meant seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(Std);

impl Duration {
    /// The same as `std` has it.
    pub const fn new(duration: Std) -> Self {
        Self(duration)
    }

    /// The type that timers take.
    pub const fn get(self) -> Std {
        self.0
    }

    /// Whether it is no time at all, which some keys read as "off".
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Std> for Duration {
    fn from(duration: Std) -> Self {
        Self(duration)
    }
}

impl From<Duration> for Std {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::Duration(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut units, mut nanos) = (text, UNITS.as_slice(), 0u128);
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let (_, length) = units.get(place)?;
        nanos = nanos.checked_add(number.parse::<u128>().ok()?.checked_mul(*length)?)?;
        units = units.get(place + 1..)?;
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let nanos = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration(Std::new(seconds, nanos)))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in UNITS {
            if rest >= length {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::from_text(deserializer, "a duration such as `30s`")
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?(\d+us)?(\d+ns)?$",
            "examples": ["30s", "5m", "1h30m", "250ms"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Std>) {
        assert_eq!(text.parse::<Duration>().ok().map(Duration::get), expected, "{text}");
    }

    #[test]
    fn texts() {
        check("30s", Some(Std::from_secs(30)));
        check("5m", Some(Std::from_secs(300)));
        check("1h30m", Some(Std::from_secs(5400)));
        check("250ms", Some(Std::from_millis(250)));
        check("2d", Some(Std::from_secs(172_800)));
        check("0s", Some(Std::ZERO));
        check("1s500ms", Some(Std::from_millis(1500)));
        check("18446744073709551615s", Some(Std::from_secs(u64::MAX)));
        check("18446744073709551616s", None);
        for text in
            ["", "30", "s", "-1s", "1.5s", "30 s", "5m1h", "1s1s", "1y", "30S", "٣s", "1s ", "9".repeat(99).as_str()]
        {
            check(text, None);
        }
    }

    #[test]
    fn error() {
        assert_eq!(
            "soon".parse::<Duration>().unwrap_err().to_string(),
            "expected a duration such as `30s`, `5m`, `1h30m` or `250ms`, found `soon`"
        );
    }

    proptest! {
        #[test]
        fn print_and_parse(seconds: u64, nanos in 0..1_000_000_000u32) {
            let duration = Duration(Std::new(seconds, nanos));
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }

        #[test]
        fn any_text(text in ".{0,40}") {
            let _ = text.parse::<Duration>();
        }
    }
}
