//! One value of whatever is shown, before it is known how: as text for people, as JSON for programs, or to sort by.
//!
//! All that this tool says goes through here, so that a list, a report and JSON cannot tell different things.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, SystemTime};

use psi::Missing;
use serde_json::json;

use crate::text::printable;
use crate::units::{self, Clock};

/// A value and its unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// There is none, and why.
    Nothing(Missing),
    /// A number that names something: a process, a user.
    Number(i64),
    /// How many.
    Count(u64),
    /// Bytes.
    Size(u64),
    /// Per cent.
    Percent(f64),
    /// A figure with two digits: a load, degrees.
    Figure(f64),
    /// Time spent.
    Time(Duration),
    /// Time passed.
    Span(Duration),
    /// A point in time.
    Moment(SystemTime),
    /// Whether.
    Flag(bool),
    /// A word of ours.
    Word(&'static str),
    /// Text of unknown origin.
    Text(Cow<'a, OsStr>),
    /// Several.
    List(Vec<Value<'a>>),
}

/// How values are shown.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) clock: Clock,
    /// Numbers as they are: bytes, and seconds with hundredths.
    pub(crate) exact: bool,
    /// Dates and times whole.
    pub(crate) long: bool,
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, OsStr>>) -> Self {
        Self::Text(text.into())
    }

    /// Text that was put together here.
    pub(crate) fn owned(text: impl Into<std::ffi::OsString>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// What is there, or why it is not.
    pub(crate) fn of<T>(attr: Result<T, Missing>, value: impl FnOnce(T) -> Self) -> Self {
        attr.map_or_else(Self::Nothing, value)
    }

    /// What is there, where nobody knows why it is not.
    pub(crate) fn some<T>(option: Option<T>, value: impl FnOnce(T) -> Self) -> Self {
        option.map_or(Self::Nothing(Missing::Absent), value)
    }

    /// As people read it. What may not be looked at is `?`, what is not there is `-`.
    pub(crate) fn show(&self, form: &Form) -> String {
        match self {
            Self::Nothing(Missing::Denied) => "?".to_owned(),
            Self::Nothing(_) => "-".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Size(bytes) if form.exact => bytes.to_string(),
            Self::Size(bytes) => units::size(*bytes),
            Self::Percent(percent) => units::percent(*percent),
            Self::Figure(figure) => format!("{figure:.2}"),
            Self::Time(time) | Self::Span(time) if form.exact => format!("{:.2}", time.as_secs_f64()),
            Self::Time(time) => units::clock(*time),
            Self::Span(span) => units::span(*span),
            Self::Moment(time) if form.long || form.exact => form.clock.long(*time),
            Self::Moment(time) => form.clock.short(*time),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Word(word) => (*word).to_owned(),
            Self::Text(text) => printable(text.as_bytes()),
            Self::List(values) if values.is_empty() => "-".to_owned(),
            Self::List(values) => values.iter().map(|value| value.show(form)).collect::<Vec<_>>().join(","),
        }
    }

    /// As programs read it: bytes, seconds, per cent, RFC 3339 in UTC; `null` for what is not there. What is not UTF-8 in
    /// a text is U+FFFD here, and [`raw`](Self::raw) has it.
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::Nothing(_) => json!(null),
            Self::Number(number) => json!(number),
            Self::Count(count) | Self::Size(count) => json!(count),
            // digits beyond are the clock's noise
            Self::Percent(figure) | Self::Figure(figure) => json!((figure * 1000.0).round() / 1000.0),
            Self::Time(time) | Self::Span(time) => json!((time.as_secs_f64() * 1e6).round() / 1e6),
            Self::Moment(time) => json!(units::rfc3339(*time)),
            Self::Flag(flag) => json!(flag),
            Self::Word(word) => json!(word),
            Self::Text(text) => json!(text.to_string_lossy()),
            Self::List(values) => values.iter().map(Value::json).collect(),
        }
    }

    /// The bytes of text that is not UTF-8, in hexadecimal; of a list all, if one of them is not.
    pub(crate) fn raw(&self) -> Option<serde_json::Value> {
        let hex = |text: &OsStr| text.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Self::Text(text) if text.to_str().is_none() => Some(json!(hex(text))),
            Self::List(values) if values.iter().any(|value| value.raw().is_some()) => {
                let texts = values.iter().map(|value| match value {
                    Self::Text(text) => json!(hex(text)),
                    other => other.json(),
                });
                Some(texts.collect())
            }
            _ => None,
        }
    }

    /// The order in which people want to see it: most first for what is counted and measured, youngest first, names by
    /// the alphabet; what is not there comes last.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Nothing(_), Self::Nothing(_)) => Ordering::Equal,
            (Self::Nothing(_), _) => Ordering::Greater,
            (_, Self::Nothing(_)) => Ordering::Less,
            (Self::Number(one), Self::Number(two)) => one.cmp(two),
            (Self::Count(one) | Self::Size(one), Self::Count(two) | Self::Size(two)) => two.cmp(one),
            (Self::Percent(one) | Self::Figure(one), Self::Percent(two) | Self::Figure(two)) => two.total_cmp(one),
            (Self::Time(one) | Self::Span(one), Self::Time(two) | Self::Span(two)) => two.cmp(one),
            (Self::Moment(one), Self::Moment(two)) => two.cmp(one),
            (Self::Flag(one), Self::Flag(two)) => two.cmp(one),
            (Self::Word(one), Self::Word(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::List(one), Self::List(two)) => {
                let first = one.iter().zip(two).map(|(one, two)| one.order(two)).find(|order| order.is_ne());
                // an empty list is nothing
                first.unwrap_or_else(|| two.len().cmp(&one.len()))
            }
            _ => Ordering::Equal,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use jiff::tz::TimeZone;

    use super::*;

    /// UTC, long after everything.
    pub(crate) fn form() -> Form {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 32);
        Form { clock: Clock { zone: TimeZone::UTC, now }, exact: false, long: false }
    }

    fn check(value: &Value<'_>, shown: &str, exact: &str, json: &str) {
        assert_eq!(value.show(&form()), shown);
        assert_eq!(value.show(&Form { exact: true, ..form() }), exact);
        assert_eq!(value.json().to_string(), json);
    }

    #[test]
    fn every_value_has_three_forms() {
        check(&Value::Nothing(Missing::Denied), "?", "?", "null");
        check(&Value::Nothing(Missing::Absent), "-", "-", "null");
        check(&Value::Size(1536), "1.5K", "1536", "1536");
        check(&Value::Percent(12.3456), "12.3", "12.3", "12.346");
        check(&Value::Time(Duration::from_millis(61_500)), "1:01.50", "61.50", "61.5");
        check(&Value::Span(Duration::from_secs(90_000)), "1d1h", "90000.00", "90000.0");
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_010);
        check(&Value::Moment(moment), "1970", "1970-01-02 00:00:00 +00:00", "\"1970-01-02T00:00:00.01Z\"");
        check(&Value::owned("a\nb"), "a\\nb", "a\\nb", "\"a\\nb\"");
        check(&Value::List(vec![Value::Count(1), Value::Flag(true)]), "1,yes", "1,yes", "[1,true]");
    }

    #[test]
    fn bytes_are_kept() {
        let odd = Value::owned(OsString::from_vec(b"a\xff".to_vec()));
        check(&odd, "a\\xff", "a\\xff", "\"a\u{fffd}\"");
        assert_eq!(odd.raw().unwrap(), json!("61ff"));
        assert_eq!(Value::List(vec![Value::owned("a"), odd]).raw().unwrap(), json!(["61", "61ff"]));
        assert_eq!(Value::owned("é").raw(), None);
    }

    #[test]
    fn most_comes_first_and_nothing_last() {
        let sorted = |mut values: Vec<Value<'static>>| {
            values.sort_by(|one, two| one.order(two));
            values.iter().map(|value| value.show(&form())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(sorted(vec![Value::Number(3), Value::Number(-1)]), "-1 3");
        assert_eq!(sorted(vec![Value::Nothing(Missing::Denied), Value::Size(1), Value::Size(5)]), "5B 1B ?");
        assert_eq!(sorted(vec![Value::Percent(0.5), Value::Percent(99.0)]), "99.0 0.5");
        assert_eq!(sorted(vec![Value::owned("b"), Value::owned("a")]), "a b");
        assert_eq!(sorted(vec![Value::List(vec![]), Value::List(vec![Value::Number(80)])]), "80 -");
    }
}
