//! Dates in headers: seconds since 1970, printed as IMF-fixdate and read in all three forms (RFC 9110, section 5.6.7).

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// 9999-12-31T23:59:59Z: what comes later has no four-digit year.
const LAST: u64 = 253_402_300_799;

/// A moment to the second, as `Last-Modified`, `If-Modified-Since` and `Expires` have it. From 1970 to the end of 9999;
/// what lies outside becomes the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate(u64);

impl HttpDate {
    /// The present second.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// So many seconds after 1970.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds.min(LAST))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// The date in a header's value; None if it is none.
    #[must_use]
    pub fn from_header(value: &HeaderValue) -> Option<Self> {
        value.to_str().ok()?.parse().ok()
    }

    /// As the value of a header.
    #[must_use]
    pub fn to_header(self) -> HeaderValue {
        // 29 ASCII characters
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl From<SystemTime> for HttpDate {
    fn from(time: SystemTime) -> Self {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl From<HttpDate> for SystemTime {
    fn from(HttpDate(seconds): HttpDate) -> Self {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        httpdate::HttpDate::from(SystemTime::from(*self)).fmt(f)
    }
}

/// A text that is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no date as HTTP has them, like `Sun, 06 Nov 1994 08:49:37 GMT`")]
pub struct NotADate;

/// IMF-fixdate, and the two old forms: that of RFC 850 and that of C's `asctime`.
impl FromStr for HttpDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        httpdate::parse_http_date(text).map(Self::from).map_err(|_| NotADate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        assert_eq!(text.parse::<HttpDate>().ok().map(HttpDate::seconds), seconds, "{text}");
    }

    #[test]
    fn three_forms() {
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777));
        check("Sun Nov  6 08:49:37 1994", Some(784_111_777));
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("Thu, 29 Feb 2024 00:00:00 GMT", Some(1_709_164_800));
    }

    #[test]
    fn no_dates() {
        let texts =
            ["", "0", "-1", "now", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT"];
        texts.iter().for_each(|text| check(text, None));
    }

    #[test]
    fn beyond_the_calendar() {
        assert_eq!(HttpDate::from(UNIX_EPOCH - Duration::from_secs(9)).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(HttpDate::from_seconds(u64::MAX).to_header(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(seconds in 0..=LAST) {
            let date = HttpDate::from_seconds(seconds);
            assert_eq!(date.to_string().parse(), Ok(date));
            assert_eq!(HttpDate::from_header(&date.to_header()), Some(date));
        }

        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>()) {
            HeaderValue::from_bytes(&bytes).map(|value| HttpDate::from_header(&value)).ok();
        }
    }
}
