//! Bytes of unknown origin to text, and text to bytes that no terminal can misread.
//!
//! Reading is forgiving (UTF-8, else Latin-1: every byte string has a reading), writing is strict: RFC 1288 section
//! 3.3 lets only printable ASCII, TAB and CR LF through. It must never pass on an escape sequence, from whichever
//! side it comes: the `finger` client prints what it is sent.

use std::borrow::Cow;

/// Stands for what may not be sent.
const REPLACEMENT: u8 = b'?';

/// UTF-8 if it is such, else Latin-1, where each byte is the character of that number.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// Appends `text` as printable ASCII: one `?` for each other character, so that a line stays one line.
pub(crate) fn push_ascii(out: &mut Vec<u8>, text: &str) {
    out.extend(text.chars().map(|c| u8::try_from(c).ok().filter(|&b| printable(b)).unwrap_or(REPLACEMENT)));
}

/// Appends `text` and a line end.
pub(crate) fn push_line(out: &mut Vec<u8>, text: &str) {
    push_ascii(out, text);
    out.extend_from_slice(b"\r\n");
}

fn printable(byte: u8) -> bool {
    matches!(byte, b'\t' | 32..=126)
}

/// Filters the bytes that another server sends, piece by piece: any of CR LF, LF and CR NUL becomes CR LF, the rest of
/// the unprintable becomes `?`.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    held_cr: bool,
}

impl Relay {
    /// Appends the filtered form of `piece`; a CR at its end waits for the next one.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            match (std::mem::take(&mut self.held_cr), byte) {
                (_, b'\n') | (true, 0) => out.extend_from_slice(b"\r\n"),
                (held, byte) => {
                    if held {
                        out.push(REPLACEMENT);
                    }
                    match byte {
                        b'\r' => self.held_cr = true,
                        byte if printable(byte) => out.push(byte),
                        _ => out.push(REPLACEMENT),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_string_has_a_reading() {
        let check = |bytes: &[u8], text: &str| assert_eq!(decode(bytes), text);
        check("caf\u{e9}".as_bytes(), "café");
        check(b"caf\xe9", "café");
        check(b"", "");
    }

    #[test]
    fn a_line_is_printable_ascii() {
        let check = |text: &str, sent: &[u8]| {
            let mut out = Vec::new();
            push_line(&mut out, text);
            assert_eq!(out, sent);
        };
        check("happy and well", b"happy and well\r\n");
        check("tab\there", b"tab\there\r\n");
        check("caf\u{e9} \u{1b}[31mred", b"caf? ?[31mred\r\n");
        check("two\r\nlines\0", b"two??lines?\r\n");
    }

    #[test]
    fn what_is_relayed_is_filtered() {
        let check = |pieces: &[&[u8]], sent: &[u8]| {
            let (mut relay, mut out) = (Relay::default(), Vec::new());
            pieces.iter().for_each(|piece| relay.push(piece, &mut out));
            assert_eq!(out, sent);
        };
        check(&[b"one\r\ntwo\nthree\r", b"\nfour"], b"one\r\ntwo\r\nthree\r\nfour");
        check(&[b"over\rwrite \x1b[2J \xff\0"], b"over?write ?[2J ??");
        check(&[b"a\r\0b\r\rc"], b"a\r\nb??c");
    }

    proptest! {
        #[test]
        fn nothing_but_printable_ascii_is_relayed(pieces in any::<Vec<Vec<u8>>>()) {
            let (mut relay, mut out) = (Relay::default(), Vec::new());
            pieces.iter().for_each(|piece| relay.push(piece, &mut out));
            let text = String::from_utf8(out).unwrap().replace("\r\n", "\t");
            prop_assert!(text.bytes().all(printable));
        }
    }
}
