//! Times of uploads: `yyyy-mm-ddThh:mm:ss.ffffffZ` (PEP 700).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// A moment in microseconds since 1970, UTC, in the years 1 to 9999. Always printed with six digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadTime(Timestamp);

/// What is no time of an upload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time like `2026-08-01T12:30:00.000000Z`, in the years 1 to 9999")]
pub struct BadTime;

impl UploadTime {
    /// A moment in microseconds since 1970.
    ///
    /// # Errors
    /// If it is before the year 1 or after 9999.
    pub fn from_micros(micros: i64) -> Result<UploadTime, BadTime> {
        let time = Timestamp::from_microsecond(micros).map_err(|_| BadTime)?;
        // before the year 1 a date has a sign
        let printable =
            time.to_string().starts_with(|c: char| c.is_ascii_digit()) && time.as_second() >= -62_135_596_800;
        printable.then_some(UploadTime(time)).ok_or(BadTime)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }
}

impl fmt::Display for UploadTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl FromStr for UploadTime {
    type Err = BadTime;

    /// Reads RFC 3339 of any precision and offset.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let time: Timestamp = text.parse().map_err(|_| BadTime)?;
        UploadTime::from_micros(time.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, said: Option<&str>) {
        let seen = text.parse::<UploadTime>().map(|time| time.to_string()).ok();
        assert_eq!(seen.as_deref(), said, "{text}");
    }

    #[test]
    fn times_have_six_digits() {
        check("2026-08-01T12:30:00Z", Some("2026-08-01T12:30:00.000000Z"));
        check("2026-08-01T12:30:00.5Z", Some("2026-08-01T12:30:00.500000Z"));
        check("2026-08-01T12:30:00.1234567Z", Some("2026-08-01T12:30:00.123456Z"));
        check("2026-08-01T14:30:00.000001+02:00", Some("2026-08-01T12:30:00.000001Z"));
        check("1969-12-31T23:59:59.999999Z", Some("1969-12-31T23:59:59.999999Z"));
        check("2026-08-01", None);
        check("2026-08-01T12:30:00", None);
        check("-000001-01-01T00:00:00Z", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(micros in prop_oneof![any::<i64>(), -62_135_596_800_000_000..253_000_000_000_000_000_i64]) {
            if let Ok(time) = UploadTime::from_micros(micros) {
                prop_assert_eq!(time.micros(), micros);
                prop_assert_eq!(time.to_string().len(), 27);
                prop_assert_eq!(time.to_string().parse(), Ok(time));
            }
        }
    }
}
