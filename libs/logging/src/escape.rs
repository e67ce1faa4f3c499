//! Keeping what came from outside from acting on a terminal or on the next reader of the log.

/// Whether a character must not stand in a line as it is: it would split the line, drive a terminal, or let text read
/// in another order than it was written (Unicode TR 36, "bidirectional text spoofing").
pub(crate) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends `text`, with every active character as `\n`, `\t`, `\r` or `\u{1b}`.
pub(crate) fn plain(out: &mut String, text: &str) {
    for c in text.chars() {
        if is_active(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
}

/// Appends `text` in double quotes, unambiguously.
pub(crate) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_active(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Appends `text` as a JSON string (RFC 8259), with the active characters that JSON would let through escaped too.
pub(crate) fn json(out: &mut String, text: &str) {
    use std::fmt::Write;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // All of them are in the basic plane, so four digits do.
            c if is_active(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(escape: fn(&mut String, &str), text: &str, expected: &str) {
        let mut out = String::new();
        escape(&mut out, text);
        assert_eq!(out, expected);
    }

    #[test]
    fn active_characters_are_escaped() {
        check(
            plain,
            "a\nb\r\t\u{1b}[31m\u{9b}\0\u{7f} ü \\ \" \u{202e}",
            r#"a\nb\r\t\u{1b}[31m\u{9b}\u{0}\u{7f} ü \ " \u{202e}"#,
        );
        check(quoted, "a\n\\\"ü\u{1b}", r#""a\n\\\"ü\u{1b}""#);
        check(json, "a\n\\\"ü😀\u{1b}\u{9b}\u{2028}", "\"a\\n\\\\\\\"ü😀\\u001b\\u009b\\u2028\"");
    }
}
