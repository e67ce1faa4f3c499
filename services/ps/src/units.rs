//! Figures as people read them: sizes in units of 1024, times as a clock has them, dates as short as they can be.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

const SIZES: [&str; 7] = ["B", "K", "M", "G", "T", "P", "E"];

/// Bytes: `512B`, `1.5K`, `12M`. At most five characters.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    // from here on it would be shown as 1024 of the smaller unit
    while value >= 1023.5 && unit + 1 < SIZES.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 9.95);
    format!("{value:.digits$}{}", SIZES.get(unit).unwrap_or(&""))
}

/// A share as per cent with one digit.
pub(crate) fn percent(percent: f64) -> String {
    format!("{percent:.1}")
}

/// Time spent, as a clock has it: `0:03.25`, `1:02:03`, `2d03:04`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{:02}.{:02}", seconds % 60, time.subsec_millis() / 10),
        (0, _) => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days}d{hours:02}:{minutes:02}"),
    }
}

/// Time passed, in its two largest units: `3d4h`, `5m12s`, `0s`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut text = String::new();
    for (length, unit) in units.iter().skip(first).take(2) {
        if text.is_empty() || rest / length > 0 {
            text.push_str(&format!("{}{unit}", rest / length));
        }
        rest %= length;
    }
    text
}

/// What time it is, and where.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) zone: TimeZone,
    pub(crate) now: SystemTime,
}

impl Clock {
    fn zoned(&self, time: SystemTime) -> Option<Zoned> {
        Some(Timestamp::try_from(time).ok()?.to_zoned(self.zone.clone()))
    }

    /// As short as it can be: `14:03` today, `Nov20` this year, else `2024`.
    pub(crate) fn short(&self, time: SystemTime) -> String {
        let (Some(time), Some(now)) = (self.zoned(time), self.zoned(self.now)) else { return "?".to_owned() };
        let form = match () {
            () if time.date() == now.date() => "%H:%M",
            () if time.year() == now.year() => "%b%d",
            () => "%Y",
        };
        time.strftime(form).to_string()
    }

    /// Whole: `2026-11-20 14:03:05 +01:00`.
    pub(crate) fn long(&self, time: SystemTime) -> String {
        self.zoned(time).map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
    }
}

/// RFC 3339 in UTC, with hundredths of a second: `2026-11-20T13:03:05.25Z`.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    Some(format!("{:.2}", Timestamp::try_from(time).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_at_most_five_characters() {
        let check = |bytes: u64, expected: &str| assert_eq!(size(bytes), expected, "{bytes}");
        check(0, "0B");
        check(1023, "1023B");
        check(1024, "1.0K");
        check(10_188, "9.9K");
        check(10_189, "10K");
        check(1_048_063, "1023K");
        check(1_048_064, "1.0M");
        check(12 << 20, "12M");
        check(u64::MAX, "16E");
        for bit in 0..64 {
            assert!(size(1 << bit).len() <= 5 && size((1 << bit) - 1).len() <= 5, "{bit}");
        }
    }

    #[test]
    fn times_are_read_off_a_clock() {
        let check =
            |milliseconds: u64, expected: &str| assert_eq!(clock(Duration::from_millis(milliseconds)), expected);
        check(0, "0:00.00");
        check(3_259, "0:03.25");
        check(3_599_990, "59:59.99");
        check(3_723_000, "1:02:03");
        check(183_840_000, "2d03:04");
    }

    #[test]
    fn spans_have_two_units() {
        let check = |seconds: u64, expected: &str| assert_eq!(span(Duration::from_secs(seconds)), expected);
        check(0, "0s");
        check(59, "59s");
        check(312, "5m12s");
        check(3_600, "1h");
        check(3_601, "1h");
        check(273_600, "3d4h");
    }

    #[test]
    fn dates_are_as_short_as_they_can_be() {
        let at = |text: &str| SystemTime::from(text.parse::<Timestamp>().unwrap());
        let zone = TimeZone::posix("CET-1").unwrap();
        let clock = Clock { zone, now: at("2026-11-20T23:30:00Z") };
        let check = |time: &str, expected: &str| assert_eq!(clock.short(at(time)), expected, "{time}");
        check("2026-11-20T23:05:00Z", "00:05");
        check("2026-11-20T22:59:00Z", "Nov20");
        check("2025-12-31T22:59:00Z", "2025");
        check("2025-12-31T23:00:00Z", "Jan01");
        assert_eq!(clock.long(at("2026-11-20T23:05:09Z")), "2026-11-21 00:05:09 +01:00");
        assert_eq!(rfc3339(at("2026-11-20T23:05:09.256Z")).as_deref(), Some("2026-11-20T23:05:09.25Z"));
    }
}
