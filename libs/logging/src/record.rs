//! An event with everything that is to be written of it, taken out of tracing once for all forms.

use std::error::Error;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;
use std::time::SystemTime;

use tracing::Level;
use tracing::field::{Field, Visit};

use crate::{SERVICE, chain};

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Text that was recorded as text.
    Text(String),
    /// Text that `Debug` (or `Display`, which tracing does not tell apart) made.
    Shown(String),
    Bool(bool),
    Float(f64),
    /// A whole number, in decimal.
    Number(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Shown(text) | Self::Number(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

/// Fields in the order in which they were recorded; `message` is kept apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) message: String,
    pub(crate) list: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Sets a field; recording one again (as spans do) replaces it.
    fn set(&mut self, name: &'static str, value: Value) {
        if name == "message" {
            // Reuses what `Display` built, for text and shown alike.
            self.message = match value {
                Value::Text(text) | Value::Shown(text) => text,
                other => other.to_string(),
            };
            return;
        }
        match self.list.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.list.push((name, value)),
        }
    }

    /// Adds or replaces all fields of `other`.
    pub(crate) fn take(&mut self, other: Self) {
        other.list.into_iter().for_each(|(name, value)| self.set(name, value));
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.list.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.set(field.name(), Value::Shown(text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), Value::Text(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), Value::Text(chain(value).to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Number(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Number(value.to_string()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set(field.name(), Value::Number(value.to_string()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set(field.name(), Value::Number(value.to_string()));
    }
}

/// A span as its events see it.
#[derive(Clone, Debug)]
pub(crate) struct SpanFields {
    pub(crate) name: &'static str,
    pub(crate) fields: Arc<Fields>,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) time: SystemTime,
    pub(crate) level: Level,
    /// The module that logged.
    pub(crate) target: &'a str,
    /// Source file and line, where known.
    pub(crate) place: Option<(&'a str, u32)>,
    pub(crate) fields: Fields,
    /// From the outermost in.
    pub(crate) spans: Vec<SpanFields>,
}

impl Record<'_> {
    /// The name of the service in whose span the event happened.
    pub(crate) fn service(&self) -> Option<String> {
        self.spans.iter().rev().find_map(|span| span.fields.get(SERVICE)).map(Value::to_string)
    }

    /// The event's fields, then those of its spans from the innermost out; each name once, the nearest wins.
    pub(crate) fn all_fields(&self) -> Vec<(&'static str, &Value)> {
        let mut all: Vec<(&'static str, &Value)> = Vec::new();
        let spans = self.spans.iter().rev().map(|span| &*span.fields);
        for (name, value) in std::iter::once(&self.fields).chain(spans).flat_map(|fields| &fields.list) {
            if !all.iter().any(|(other, _)| other == name) {
                all.push((name, value));
            }
        }
        all
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    pub(crate) fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    /// An event of a fixed moment: `spans` are lists of fields from the outermost in.
    pub(crate) fn record(
        level: Level,
        message: &str,
        fields: &[(&'static str, Value)],
        spans: &[&[(&'static str, Value)]],
    ) -> Record<'static> {
        let list = |fields: &[(&'static str, Value)]| Fields { message: String::new(), list: fields.to_vec() };
        Record {
            time: UNIX_EPOCH + Duration::from_millis(1_795_424_482_123),
            level,
            target: "opsctl_finger::query",
            place: Some(("query.rs", 7)),
            fields: Fields { message: message.to_owned(), ..list(fields) },
            spans: spans.iter().map(|&span| SpanFields { name: "span", fields: Arc::new(list(span)) }).collect(),
        }
    }

    #[test]
    fn the_nearest_field_wins() {
        let number = |text: &str| Value::Number(text.to_owned());
        let outer = [("service", text("finger")), ("a", number("1")), ("b", number("1"))];
        let inner = [("b", number("2")), ("c", number("2"))];
        let record = record(Level::INFO, "m", &[("c", number("3"))], &[&outer, &inner]);
        let all: Vec<String> = record.all_fields().iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all.join(" "), "c=3 b=2 service=finger a=1");
        assert_eq!(record.service().as_deref(), Some("finger"));
    }
}
