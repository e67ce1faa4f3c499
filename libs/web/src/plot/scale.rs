//! What stands at an axis: where its marks are and what they say.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use crate::units::{bytes, duration, grouped};

/// Values beyond this are cut off: sums and differences of what is left are exact enough to draw.
pub(super) const LIMIT: f64 = 1e15;
/// Steps of seconds, from a second to two weeks.
const SECONDS: &[f64] = &[
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1800.0,
    3600.0,
    7200.0,
    10800.0,
    21600.0,
    43200.0,
    86400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
];
/// Two weeks: the step of an axis of time beyond which the calendar decides.
const MONTH: f64 = 1_209_600.0;
/// No axis has more marks.
const MAX_TICKS: usize = 24;

/// What the numbers at an axis mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unit {
    /// Numbers, `12,345`.
    #[default]
    Count,
    /// Bytes, `1.5 MiB`.
    Bytes,
    /// Seconds, `3m 20s`.
    Seconds,
    /// Hundredths, `40 %`.
    Percent,
    /// Points in time, as seconds since 1970; shown in UTC.
    Time,
}

/// The marks of an axis, and the part of it that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// For values from `min` to `max`, with some `wanted` marks. `whole`: the axis begins and ends at a mark.
    pub(super) fn new(unit: Unit, min: f64, max: f64, wanted: usize, whole: bool) -> Self {
        let (min, max) = widened(min, max);
        let steps = f64::from(u32::try_from(wanted.clamp(1, MAX_TICKS)).unwrap_or(1));
        let least = (max - min) / steps;
        if unit == Unit::Time && least > MONTH {
            return Self { min, max, ticks: months(min, max, least) };
        }
        let step = unit.step(least);
        let (first, last) = ((min / step).floor(), (max / step).ceil());
        let (min, max) = if whole { (first * step, last * step) } else { (min, max) };
        let mut ticks = Vec::new();
        let mut at = first;
        while at <= last && ticks.len() < MAX_TICKS {
            let value = at * step;
            if value >= min - step * 1e-9 && value <= max + step * 1e-9 {
                ticks.push((value, unit.label(value, step)));
            }
            at += 1.0;
        }
        Self { min, max, ticks }
    }

    /// From 0 at `min` to 1 at `max`.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }
}

/// An axis of no length has none to draw on.
fn widened(min: f64, max: f64) -> (f64, f64) {
    if max - min > f64::max(min.abs(), max.abs()) * 1e-9 {
        return (min, max);
    }
    match min {
        0.0 => (0.0, 1.0),
        _ => (f64::min(min - min.abs() * 0.1, 0.0), f64::max(max + max.abs() * 0.1, 0.0)),
    }
}

impl Unit {
    /// The next nice step that is not smaller.
    fn step(self, least: f64) -> f64 {
        match self {
            Self::Bytes if least >= 1024.0 => {
                let unit = 1024_f64.powf((least.ln() / 1024_f64.ln()).floor());
                let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
                unit * steps.into_iter().find(|step| step * unit >= least).unwrap_or(1024.0)
            }
            Self::Seconds | Self::Time if least >= 1.0 => {
                SECONDS.iter().copied().find(|step| *step >= least).unwrap_or_else(|| 86400.0 * nice(least / 86400.0))
            }
            Self::Count | Self::Bytes if least < 1.0 => nice(least).max(1e-6),
            _ => nice(least),
        }
    }

    /// What a mark says that is one of marks `step` apart.
    fn label(self, value: f64, step: f64) -> String {
        match self {
            Self::Time => time(value, step).unwrap_or_default(),
            _ => self.text(value),
        }
    }

    /// A value in words.
    pub(super) fn text(self, value: f64) -> String {
        let value = if value == 0.0 { 0.0 } else { value };
        match self {
            Self::Count => plain(value),
            Self::Percent => format!("{} %", plain(value)),
            Self::Bytes if value < 0.0 => format!("−{}", bytes(whole(-value))),
            Self::Bytes => bytes(whole(value)),
            Self::Seconds if value.abs() < 1.0 && value != 0.0 => format!("{} ms", plain(value * 1000.0)),
            Self::Seconds if value < 0.0 => format!("−{}", duration(whole(-value))),
            Self::Seconds => duration(whole(value)),
            Self::Time => moment(value).map(|at| at.strftime("%F %H:%M").to_string()).unwrap_or_default(),
        }
    }
}

/// 1, 2, 5, 10, 20 …
fn nice(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(power * 10.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by `LIMIT`, and not negative")]
fn whole(value: f64) -> u64 {
    value.round().clamp(0.0, LIMIT * 1e6) as u64
}

/// Three digits behind the point at most, and thousands apart; `1.2M` from a million on.
fn plain(value: f64) -> String {
    if value.abs() >= 1e6 {
        let (unit, letter) = match value.abs() {
            1e12.. => (1e12, "T"),
            1e9.. => (1e9, "G"),
            _ => (1e6, "M"),
        };
        return format!("{}{letter}", plain((value / unit * 100.0).round() / 100.0));
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (front, rest) = text.split_once('.').map_or((text, None), |(front, rest)| (front, Some(rest)));
    let sign = if value < 0.0 && text != "-0" { "−" } else { "" };
    let front = front.trim_start_matches('-').parse().map_or_else(|_| front.to_owned(), grouped);
    rest.map_or_else(|| format!("{sign}{front}"), |rest| format!("{sign}{front}.{rest}"))
}

#[expect(clippy::cast_possible_truncation, reason = "bounded by `LIMIT`")]
fn moment(seconds: f64) -> Option<Zoned> {
    let at = Timestamp::from_second(seconds.floor() as i64).ok()?;
    Some(at.to_zoned(TimeZone::UTC))
}

fn time(seconds: f64, step: f64) -> Option<String> {
    let at = moment(seconds)?;
    let midnight = at.hour() == 0 && at.minute() == 0 && at.second() == 0;
    let form = match step {
        86400.0.. => "%-d %b",
        _ if midnight => "%-d %b",
        60.0.. => "%H:%M",
        _ => "%H:%M:%S",
    };
    Some(at.strftime(form).to_string())
}

/// The first days of months, or of every so many.
fn months(min: f64, max: f64, step: f64) -> Vec<(f64, String)> {
    let every = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000, 120_000];
    let every = every.into_iter().find(|&months| f64::from(months) * 2_629_746.0 >= step * 0.99).unwrap_or(120_000);
    let mut ticks = Vec::new();
    let Some(start) = moment(min) else { return ticks };
    // the year's first month, or a year that the step divides
    let year = i64::from(start.year()).div_euclid((i64::from(every) / 12).max(1)) * (i64::from(every) / 12).max(1);
    let Ok(year) = i16::try_from(year) else { return ticks };
    let Ok(first) = jiff::civil::Date::new(year, 1, 1) else { return ticks };
    for number in 0.. {
        let Ok(date) = first.checked_add(Span::new().months(i64::from(every) * number)) else { break };
        let Ok(at) = date.to_zoned(TimeZone::UTC) else { break };
        #[expect(clippy::cast_precision_loss, reason = "years up to 9999 fit")]
        let seconds = at.timestamp().as_second() as f64;
        if seconds > max || ticks.len() >= MAX_TICKS || number > 12_000 {
            break;
        }
        if seconds >= min {
            let form = if at.month() == 1 { "%Y" } else { "%b" };
            ticks.push((seconds, at.strftime(form).to_string()));
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check(unit: Unit, min: f64, max: f64, expected: &str) {
        let scale = Scale::new(unit, min, max, 4, unit != Unit::Time);
        let labels: Vec<_> = scale.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels.join("|"), expected, "{min}..{max}");
    }

    #[test]
    fn marks_are_nice() {
        check(Unit::Count, 0.0, 97.0, "0|50|100");
        check(Unit::Count, 0.0, 20.0, "0|5|10|15|20");
        check(Unit::Count, 0.0, 0.03, "0|0.01|0.02|0.03");
        check(Unit::Count, -3.0, 5.0, "−4|−2|0|2|4|6");
        check(Unit::Count, 0.0, 12_345.0, "0|5,000|10,000|15,000");
        check(Unit::Count, 0.0, 3.9e6, "0|1M|2M|3M|4M");
        check(Unit::Count, 0.0, 0.0, "0|0.5|1");
        check(Unit::Count, 7.0, 7.0, "0|2|4|6|8");
        check(Unit::Percent, 0.0, 100.0, "0 %|50 %|100 %");
        check(Unit::Bytes, 0.0, 3_000_000.0, "0 bytes|1.0 MiB|2.0 MiB|3.0 MiB");
        check(Unit::Bytes, 0.0, 700_000.0, "0 bytes|200 KiB|400 KiB|600 KiB|800 KiB");
        check(Unit::Seconds, 0.0, 170.0, "0s|1m 0s|2m 0s|3m 0s");
        check(Unit::Seconds, 0.0, 0.4, "0s|100 ms|200 ms|300 ms|400 ms");
    }

    #[test]
    fn time_follows_the_calendar() {
        let noon = 1_764_072_000.0;
        check(Unit::Time, noon, noon + 3600.0, "12:00|12:15|12:30|12:45|13:00");
        check(Unit::Time, noon, noon + 86400.0, "12:00|18:00|26 Nov|06:00|12:00");
        check(Unit::Time, noon, noon + 4.0 * 86400.0, "26 Nov|27 Nov|28 Nov|29 Nov");
        check(Unit::Time, noon, noon + 365.0 * 86400.0, "2026|Apr|Jul|Oct");
        check(Unit::Time, noon, noon + 5000.0 * 86400.0, "2030|2035");
        check(Unit::Time, noon, noon + 40.0, "12:00:00|12:00:10|12:00:20|12:00:30|12:00:40");
        check(Unit::Time, -LIMIT, LIMIT, "");
    }

    proptest! {
        #[test]
        fn every_scale_is_bounded(a in -LIMIT..LIMIT, b in -LIMIT..LIMIT, small in any::<bool>(), wanted in 0_usize..50) {
            let (a, b) = if small { (a / LIMIT, b / LIMIT) } else { (a, b) };
            for unit in [Unit::Count, Unit::Bytes, Unit::Seconds, Unit::Percent, Unit::Time] {
                let scale = Scale::new(unit, a.min(b), a.max(b), wanted, wanted % 2 == 0);
                assert!(scale.min < scale.max && scale.ticks.len() <= MAX_TICKS);
                assert!(scale.min <= a.min(b) && scale.max >= a.max(b), "{scale:?}");
                for (value, label) in &scale.ticks {
                    assert!((0.0..=1.0).contains(&scale.place(*value)) && label.chars().count() < 24, "{label}");
                }
            }
        }
    }
}
