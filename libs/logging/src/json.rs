//! A line for programs: one JSON object (RFC 8259), its fields flat beside `timestamp`, `level`, `target`, `message` and
//! `spans` (names, from the outermost in). A field that has one of these names gets an underscore at its end.

use crate::record::{Record, Value};
use crate::{escape, time};

const OWN: [&str; 5] = ["timestamp", "level", "target", "message", "spans"];

/// The whole line, with its line break.
pub(crate) fn line(record: &Record<'_>) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("{\"timestamp\":\"");
    time::rfc3339(&mut out, record.time);
    out.extend(["\",\"level\":\"", record.level.as_str(), "\",\"target\":"]);
    escape::json(&mut out, record.target);
    out.push_str(",\"message\":");
    escape::json(&mut out, &record.fields.message);
    for (name, value) in record.all_fields() {
        out.push(',');
        if OWN.contains(&name) {
            escape::json(&mut out, &format!("{name}_"))
        } else {
            escape::json(&mut out, name)
        }
        out.push(':');
        push(&mut out, value);
    }
    if !record.spans.is_empty() {
        out.push_str(",\"spans\":[");
        for (index, span) in record.spans.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            escape::json(&mut out, span.name);
        }
        out.push(']');
    }
    out.push_str("}\n");
    out
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) | Value::Shown(text) => escape::json(out, text),
        // JSON has no word for them.
        Value::Float(value) if !value.is_finite() => escape::json(out, &value.to_string()),
        Value::Bool(_) | Value::Float(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use crate::record::tests::{record, text};

    fn check(fields: &[(&'static str, Value)], spans: &[&[(&'static str, Value)]], expected: &str) {
        let line = line(&record(Level::INFO, "a \"b\"\n", fields, spans));
        let head = r#"{"timestamp":"2026-11-23T09:01:22.123Z","level":"INFO","target":"opsctl_finger::query""#;
        assert_eq!(line, format!("{head},\"message\":\"a \\\"b\\\"\\n\"{expected}}}\n"));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["message"], "a \"b\"\n");
    }

    #[test]
    fn objects_are_flat() {
        check(&[], &[], "");
        let service: &[_] = &[("service", text("finger"))];
        check(&[("peer", text("x"))], &[service], r#","peer":"x","service":"finger","spans":["span"]"#);
        check(&[("level", text("x")), ("spans", text("y"))], &[], r#","level_":"x","spans_":"y""#);
    }

    #[test]
    fn values_keep_their_kind() {
        check(
            &[("a", Value::Number("340282366920938463463374607431768211455".to_owned()))],
            &[],
            r#","a":340282366920938463463374607431768211455"#,
        );
        check(&[("a", Value::Number("-1".to_owned())), ("b", Value::Bool(false))], &[], r#","a":-1,"b":false"#);
        check(&[("a", Value::Float(1.5)), ("b", Value::Float(f64::NAN))], &[], r#","a":1.5,"b":"NaN""#);
        check(
            &[("a", Value::Float(1e300)), ("b", Value::Float(f64::INFINITY))],
            &[],
            &format!(",\"a\":{},\"b\":\"inf\"", 1e300),
        );
        check(&[("a", Value::Shown("Some(\u{1b})".to_owned()))], &[], r#","a":"Some(\u001b)""#);
    }
}
