//! A line for people: `2026-11-23T09:01:22.123Z  INFO finger: message key=value`.

use tracing::Level;

use crate::record::{Record, Value};
use crate::{SERVICE, escape, time};

/// The whole line, with its line break.
pub(crate) fn line(record: &Record<'_>, color: bool) -> String {
    let mut out = String::with_capacity(160);
    let (level, code) = level(record.level);
    if color {
        out.push_str("\x1b[2m");
        time::rfc3339(&mut out, record.time);
        out.extend(["\x1b[0m ", code, level, "\x1b[0m "]);
    } else {
        time::rfc3339(&mut out, record.time);
        out.extend([" ", level, " "]);
    }
    body(&mut out, record);
    out.push('\n');
    out
}

/// Everything but time and level, which syslog has elsewhere.
pub(crate) fn body(out: &mut String, record: &Record<'_>) {
    let service = record.service();
    if let Some(service) = &service {
        escape::plain(out, service);
        out.push_str(": ");
    }
    // Within a service the module matters only to those who debug it.
    if service.is_none() || record.level >= Level::DEBUG {
        out.extend([record.target, ": "]);
    }
    escape::plain(out, &record.fields.message);
    for (name, value) in record.all_fields() {
        // Said at the beginning; unless the event has one of its own, which may be another.
        let said = name == SERVICE && service.as_ref().is_some_and(|service| *service == value.to_string());
        if !said {
            // An event without a message has its space already.
            let space = if out.ends_with(' ') { "" } else { " " };
            out.extend([space, name, "="]);
            pair(out, value);
        }
    }
}

/// A value such that its end can be seen.
fn pair(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) if needs_quotes(text) => escape::quoted(out, text),
        // `Debug` of a text has its quotes already.
        Value::Shown(text) if needs_quotes(text) && !is_quoted(text) => escape::quoted(out, text),
        Value::Text(text) | Value::Shown(text) => escape::plain(out, text),
        other => out.push_str(&other.to_string()),
    }
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.chars().any(|c| c.is_whitespace() || c == '"' || c == '=' || escape::is_active(c))
}

/// Whether the text is one quoted string from end to end.
fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut escaped = false;
    let closed = inner.chars().any(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    !closed && !escaped
}

fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::ERROR => ("ERROR", "\x1b[1;31m"),
        Level::WARN => (" WARN", "\x1b[33m"),
        Level::INFO => (" INFO", "\x1b[32m"),
        Level::DEBUG => ("DEBUG", "\x1b[34m"),
        Level::TRACE => ("TRACE", "\x1b[35m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{record, text};

    fn check(record: &Record<'_>, expected: &str) {
        let line = line(record, false);
        assert_eq!(line.strip_prefix("2026-11-23T09:01:22.123Z ").unwrap(), format!("{expected}\n"));
    }

    #[test]
    fn lines_are_for_people() {
        let service: &[_] = &[("service", text("finger"))];
        check(
            &record(Level::INFO, "message", &[("key", text("value"))], &[service]),
            " INFO finger: message key=value",
        );
        check(&record(Level::WARN, "no service", &[], &[]), " WARN opsctl_finger::query: no service");
        check(&record(Level::DEBUG, "m", &[], &[service]), "DEBUG finger: opsctl_finger::query: m");
        let connection: &[_] = &[("peer", text("127.0.0.1:5"))];
        check(&record(Level::INFO, "m", &[], &[service, connection]), " INFO finger: m peer=127.0.0.1:5");
        check(
            &record(Level::INFO, "", &[("a", text("b")), ("c", text("d"))], &[]),
            " INFO opsctl_finger::query: a=b c=d",
        );
        // The host says of which service it speaks.
        check(&record(Level::INFO, "listening", service, &[]), " INFO opsctl_finger::query: listening service=finger");
    }

    #[test]
    fn values_show_their_ends() {
        let shown = |text: &str| Value::Shown(text.to_owned());
        for (value, expected) in [
            (text(""), r#""""#),
            (text("two words"), r#""two words""#),
            (text("a=b"), r#""a=b""#),
            (text("say \"x\"\n"), r#""say \"x\"\n""#),
            (shown("\"two words\""), r#""two words""#),
            (shown("\"a\" \"b\""), r#""\"a\" \"b\"""#),
            (shown("Some(1)"), "Some(1)"),
            (shown("a: b"), r#""a: b""#),
            (Value::Bool(true), "true"),
            (Value::Float(0.5), "0.5"),
            (Value::Number("-7".to_owned()), "-7"),
        ] {
            check(
                &record(Level::ERROR, "m", &[("k", value)], &[]),
                &format!("ERROR opsctl_finger::query: m k={expected}"),
            );
        }
    }

    #[test]
    fn input_neither_splits_a_line_nor_colours_it() {
        let message = "query `a\r\n2026-11-23T09:01:22.123Z  INFO forged\u{1b}[31m`";
        let expected = r"ERROR opsctl_finger::query: query `a\r\n2026-11-23T09:01:22.123Z  INFO forged\u{1b}[31m`";
        check(&record(Level::ERROR, message, &[], &[]), expected);
    }

    #[test]
    fn colours_are_around_time_and_level_only() {
        let line = line(&record(Level::ERROR, "m", &[], &[]), true);
        assert_eq!(line, "\x1b[2m2026-11-23T09:01:22.123Z\x1b[0m \x1b[1;31mERROR\x1b[0m opsctl_finger::query: m\n");
    }
}
