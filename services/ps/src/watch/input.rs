//! Keys from the bytes that a terminal sends: UTF-8, control characters, and the sequences of ECMA-48 that xterm, the Linux
//! console and those that imitate them have for the other keys.
//!
//! Not crossterm's reading: that loses a key that comes together with a change of size, and never ends on a terminal that has
//! hung up.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Ctrl(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    F(u8),
    /// One that means nothing here.
    Other,
}

/// No sequence that a terminal sends is longer.
const LONGEST: usize = 32;
const ESCAPE: u8 = 0x1b;

/// Bytes that have come and are not keys yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
}

impl Input {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether there is the beginning of a key, of which more may come.
    pub(crate) fn is_pending(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The next key. `all` says that nothing more comes: then an escape is the key of that name and not a beginning.
    pub(crate) fn next(&mut self, all: bool) -> Option<Key> {
        let (key, length) = match parse(&self.bytes) {
            Some((key, length)) => (key, length),
            None if all && self.bytes == [ESCAPE] => (Key::Escape, 1),
            None if (all || self.bytes.len() > LONGEST) && !self.bytes.is_empty() => (Key::Other, self.bytes.len()),
            None => return None,
        };
        self.bytes.drain(..length.min(self.bytes.len()));
        Some(key)
    }
}

/// The key at the beginning and its length; none where it is not whole.
fn parse(bytes: &[u8]) -> Option<(Key, usize)> {
    match bytes {
        [] => None,
        [b'\r' | b'\n', ..] => Some((Key::Enter, 1)),
        [0x7f | 0x08, ..] => Some((Key::Backspace, 1)),
        [ESCAPE, rest @ ..] => escape(rest).map(|(key, length)| (key, length + 1)),
        [control @ 1..0x1b, ..] => Some((Key::Ctrl(char::from(control + b'a' - 1)), 1)),
        [0x00..0x20, ..] => Some((Key::Other, 1)),
        [byte, ..] if byte.is_ascii() => Some((Key::Char(char::from(*byte)), 1)),
        _ => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Option<(Key, usize)> {
    let chunk = bytes.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(c) => Some((Key::Char(c), c.len_utf8())),
        // what is cut off at the end may go on
        None if chunk.invalid().len() == bytes.len()
            && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none()) =>
        {
            None
        }
        None => Some((Key::Other, chunk.invalid().len().max(1))),
    }
}

/// What follows an escape.
fn escape(bytes: &[u8]) -> Option<(Key, usize)> {
    match bytes {
        // a second one: the first was a key
        [ESCAPE, ..] => Some((Key::Escape, 0)),
        [b'O', letter, ..] => Some((letter_key(*letter), 2)),
        [b'[', b'[', letter, ..] => Some((function(u16::from(letter.wrapping_sub(b'A')) + 11), 3)),
        [] | [b'O'] | [b'['] | [b'[', b'['] => None,
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| !(0x20..0x40).contains(byte))?;
            let (numbers, last) = (rest.get(..end)?, *rest.get(end)?);
            let number = numbers
                .split(|byte| *byte == b';')
                .next()
                .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            let key = if last == b'~' { function(number.unwrap_or(0)) } else { letter_key(last) };
            Some((key, end + 2))
        }
        // with the Alt key
        _ => parse(bytes).map(|(_, length)| (Key::Other, length)),
    }
}

/// Keys that end in a letter: `ESC [ A`, `ESC O P`.
fn letter_key(letter: u8) -> Key {
    match letter {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'P'..=b'S' => Key::F(letter - b'P' + 1),
        _ => Key::Other,
    }
}

/// Keys that have a number: `ESC [ 5 ~`.
fn function(number: u16) -> Key {
    match number {
        1 | 7 => Key::Home,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11..=15 => u8::try_from(number - 10).map_or(Key::Other, Key::F),
        17..=21 => u8::try_from(number - 11).map_or(Key::Other, Key::F),
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], expected: &[Key]) {
        let mut input = Input::default();
        input.feed(bytes);
        let keys: Vec<_> = std::iter::from_fn(|| input.next(true)).collect();
        assert_eq!(keys, expected, "{bytes:?}");
        // the same byte by byte, as long as it is waited for the rest
        let mut keys = Vec::new();
        for byte in bytes {
            input.feed(&[*byte]);
            keys.extend(std::iter::from_fn(|| input.next(false)));
        }
        keys.extend(std::iter::from_fn(|| input.next(true)));
        assert_eq!(keys, expected, "{bytes:?}");
    }

    #[test]
    fn keys_are_read() {
        check(
            b"q/\r\x7f\x03 ",
            &[Key::Char('q'), Key::Char('/'), Key::Enter, Key::Backspace, Key::Ctrl('c'), Key::Char(' ')],
        );
        check("é日".as_bytes(), &[Key::Char('é'), Key::Char('日')]);
        check(b"\x1b[A\x1b[B\x1bOA\x1b[1;5B", &[Key::Up, Key::Down, Key::Up, Key::Down]);
        check(
            b"\x1b[5~\x1b[6~\x1b[1~\x1b[8~\x1b[H\x1bOF",
            &[Key::PageUp, Key::PageDown, Key::Home, Key::End, Key::Home, Key::End],
        );
        check(b"\x1bOP\x1b[11~\x1b[[A\x1b[20~", &[Key::F(1), Key::F(1), Key::F(1), Key::F(9)]);
        check(b"\x1b", &[Key::Escape]);
        check(b"\x1b\x1b", &[Key::Escape, Key::Escape]);
        check(b"\x1bqx\x1b[200~", &[Key::Other, Key::Char('x'), Key::Other]);
        check(b"\xffa\x00", &[Key::Other, Key::Char('a'), Key::Other]);
        check(b"\xe6\x97", &[Key::Other]);
    }

    #[test]
    fn an_escape_waits_for_what_may_follow() {
        let mut input = Input::default();
        input.feed(b"\x1b");
        assert_eq!((input.next(false), input.is_pending()), (None, true));
        input.feed(b"[");
        assert_eq!(input.next(false), None);
        input.feed(b"A");
        assert_eq!((input.next(false), input.is_pending()), (Some(Key::Up), false));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_used_up(pieces: Vec<Vec<u8>>) {
            let mut input = Input::default();
            for piece in pieces {
                input.feed(&piece);
                while input.next(false).is_some() {}
                prop_assert!(input.bytes.len() <= LONGEST + piece.len());
            }
            while input.next(true).is_some() {}
            prop_assert!(!input.is_pending());
        }
    }
}
