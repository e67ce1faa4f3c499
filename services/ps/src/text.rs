//! Names of unknown origin as text that a terminal shows as it is: what would move the cursor, change a colour or turn
//! the line round is written as an escape, and the width is what a terminal makes of it.
//!
//! Width is counted character by character (wcwidth(3)), as terminals do: what would join characters into one
//! picture is escaped like a control character, so the sum is right.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// `bytes` with everything that is not plain text as `\n`, `\x1b`, `\u{202e}`; `\xff` for what is not UTF-8.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c if !is_odd(c) => text.push(c),
                // a String takes everything
                c if c.is_ascii() => drop(write!(text, "\\x{:02x}", u32::from(c))),
                c => drop(write!(text, "\\u{{{:x}}}", u32::from(c))),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Control characters, and those that are there to be seen through: directions, joiners, line ends, tags, and whatever
/// has no place in a font.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x61c | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f
            | 0xfeff | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0xe_0000..=0x10_ffff)
}

/// Columns that a terminal takes for `text`.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(of).sum()
}

fn of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The beginning of `text` that fits into `room` columns, and how many it takes. A wide character is never halved; a
/// mark that stands on a character that fits goes with it.
pub(crate) fn fit(text: &str, room: usize) -> (&str, usize) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if used + of(c) > room {
            return (&text[..at], used);
        }
        used += of(c);
    }
    (text, used)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let check = |bytes: &[u8], text: &str| assert_eq!(printable(bytes), text);
        check(b":-) 1 2", ":-) 1 2");
        check(b"new\nline\ttab\r", "new\\nline\\ttab\\r");
        check(b"\x1b[31mred\x7f\0", "\\x1b[31mred\\x7f\\x00");
        check(b"caf\xe9 \xff", "caf\\xe9 \\xff");
        check("caf\u{e9} \u{9b}31m".as_bytes(), "café \\u{9b}31m");
        check("a\u{202e}b\u{200d}c\u{feff}".as_bytes(), "a\\u{202e}b\\u{200d}c\\u{feff}");
        check(br"C:\x", r"C:\x");
    }

    #[test]
    fn text_is_cut_between_characters() {
        let check = |text: &str, room: usize, expected: (&str, usize)| assert_eq!(fit(text, room), expected, "{text}");
        check("abc", 5, ("abc", 3));
        check("abc", 2, ("ab", 2));
        check("日本語", 5, ("日本", 4));
        check("日本語", 6, ("日本語", 6));
        check("e\u{301}x", 1, ("e\u{301}", 1));
        check("abc", 0, ("", 0));
        assert_eq!(width("日本 e\u{301}"), 6);
    }

    proptest! {
        #[test]
        fn nothing_odd_is_left(bytes: Vec<u8>) {
            prop_assert!(printable(&bytes).chars().all(|c| !is_odd(c)));
        }

        #[test]
        fn a_cut_is_never_too_wide(text: String, room in 0..40usize) {
            let (cut, used) = fit(&text, room);
            prop_assert!(used <= room && used == width(cut) && text.starts_with(cut));
        }
    }
}
