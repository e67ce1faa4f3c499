//! Numbers as people read them: sizes, times, durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::markup::Escaped;

const UNITS: &[&str] = &["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// `512 bytes`, `1.5 KiB`, `24 MiB`: two or three digits that count, in powers of 1024 (IEC 80000-13).
#[must_use]
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} byte{}", if count == 1 { "" } else { "s" });
    }
    // in tenths of the unit, so that rounding up to the next unit is seen
    let mut tenths = u128::from(count) * 10;
    let mut unit = "";
    for next in UNITS {
        if tenths < 10235 && !unit.is_empty() {
            break;
        }
        tenths = (tenths + 512) / 1024;
        unit = next;
    }
    match tenths {
        0..100 => format!("{}.{} {unit}", tenths / 10, tenths % 10),
        _ => format!("{} {unit}", (tenths + 5) / 10),
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3d 4h`, `5m 7s`: the two largest units.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// What a template may show as a time: microseconds since 1970, or RFC 3339. None: it is neither, or beyond the years
/// -9999 to 9999.
pub(crate) fn timestamp(value: &minijinja::Value) -> Option<Timestamp> {
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => Timestamp::from_microsecond(i64::try_from(value.clone()).ok()?).ok(),
    }
}

/// A `time` element: exact for programs, to the minute (or, `%F`, the day) in UTC for people. A script shows the reader's
/// own time zone in the title.
pub(crate) fn time(at: Timestamp, days_only: bool) -> String {
    let local = at.to_zoned(TimeZone::UTC);
    let exact = local.strftime("%FT%TZ").to_string();
    let shown = local.strftime(if days_only { "%F" } else { "%F %H:%M" }).to_string();
    let title = local.strftime("%F %T UTC").to_string();
    format!("<time datetime=\"{exact}\" title=\"{title}\">{}</time>", Escaped(&shown))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn sizes_have_two_digits_or_three() {
        let check = |count, expected| assert_eq!(bytes(count), expected, "{count}");
        check(0, "0 bytes");
        check(1, "1 byte");
        check(1023, "1023 bytes");
        check(1024, "1.0 KiB");
        check(1536, "1.5 KiB");
        check(10 * 1024 - 1, "10 KiB");
        check(123_456, "121 KiB");
        check(1024 * 1024 - 1, "1.0 MiB");
        check(5 * 1024 * 1024, "5.0 MiB");
        check(u64::MAX, "16 EiB");
    }

    #[test]
    fn thousands() {
        let check = |number, expected| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1000, "1,000");
        check(-1_234_567, "−1,234,567");
        check(i64::MIN, "−9,223,372,036,854,775,808");
    }

    #[test]
    fn durations_have_two_units() {
        let check = |seconds, expected| assert_eq!(duration(seconds), expected);
        check(0, "0s");
        check(59, "59s");
        check(61, "1m 1s");
        check(3600, "1h 0m");
        check(90000, "1d 1h");
    }

    #[test]
    fn times() {
        let check = |value: minijinja::Value, expected: Option<&str>| {
            assert_eq!(timestamp(&value).map(|at| time(at, false)).as_deref(), expected, "{value}");
        };
        let some = "<time datetime=\"2025-11-25T14:03:09Z\" title=\"2025-11-25 14:03:09 UTC\">2025-11-25 14:03</time>";
        check("2025-11-25T15:03:09.5+01:00".into(), Some(some));
        check(1_764_079_389_500_000_i64.into(), Some(some));
        check("yesterday".into(), None);
        check(i64::MAX.into(), None);
        check("<script>".into(), None);
        assert!(time(Timestamp::UNIX_EPOCH, true).ends_with(">1970-01-01</time>"));
    }

    proptest! {
        #[test]
        fn any_number(count in any::<u64>(), micros in any::<i64>()) {
            assert!(bytes(count).len() <= 10 && duration(count).len() <= 20);
            if let Some(at) = timestamp(&micros.into()) {
                time(at, false);
            }
        }
    }
}
