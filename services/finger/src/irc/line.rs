//! Lines of IRC, RFC 1459 section 2.3: taken apart, and made so that no text from outside can end one early.

use crate::text::decode;

/// Longest line that we send, line end and all: RFC 1459's 512 less the prefix (`:nick!user@host `) that the server
/// puts before it when it passes it on.
const SENT_MAX: usize = 512 - 112;
/// Longest line that we take: 512, and the tags of IRCv3 (8191).
const TAKEN_MAX: usize = 512 + 8191;

/// A line from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Nick or server that it comes from, without `!user@host`.
    pub(crate) from: Option<String>,
    /// Is there a `!user@host`? Servers have none.
    pub(crate) is_person: bool,
    /// Upper case, or three digits.
    pub(crate) command: String,
    pub(crate) params: Vec<String>,
}

impl Line {
    /// Nothing if there is no command in it.
    pub(crate) fn parse(line: &[u8]) -> Option<Line> {
        let text = decode(line);
        let mut rest = text.trim_start_matches(' ');
        if rest.starts_with('@') {
            rest = rest.split_once(' ')?.1.trim_start_matches(' ');
        }
        let mut prefix = None;
        if let Some(after) = rest.strip_prefix(':') {
            let (before, after) = after.split_once(' ')?;
            (prefix, rest) = (Some(before), after.trim_start_matches(' '));
        }
        let (rest, trailing) = match rest.split_once(" :") {
            Some((rest, trailing)) => (rest, Some(trailing.to_owned())),
            None => (rest, None),
        };
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let command = words.next()?.to_ascii_uppercase();
        let params = words.map(str::to_owned).chain(trailing).collect();
        let nick = prefix.map(|prefix| prefix.split(['!', '@']).next().unwrap_or(prefix));
        let is_person = prefix.is_some_and(|prefix| prefix.contains('!'));
        Some(Line { from: nick.map(str::to_owned), is_person, command, params })
    }

    /// The parameter with this number, from 0; empty if there is none.
    pub(crate) fn param(&self, number: usize) -> &str {
        self.params.get(number).map(String::as_str).unwrap_or_default()
    }
}

/// A line to the server, with its line end: control characters become spaces, and what is too long is cut off.
pub(crate) fn line(head: &str, trailing: &str) -> Vec<u8> {
    let mut out = String::with_capacity(SENT_MAX);
    let text = head.chars().chain(" :".chars()).chain(trailing.chars());
    for c in text.map(|c| if c.is_control() { ' ' } else { c }) {
        if out.len() + c.len_utf8() > SENT_MAX - 2 {
            break;
        }
        out.push(c);
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// Cuts a stream into lines; one that is too long is dropped whole.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    dropping: bool,
}

impl Lines {
    /// Takes bytes, returns the lines they complete, without their ends.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.extend(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let mut line = std::mem::take(&mut self.buffer);
            while line.pop_if(|last| *last == b'\r').is_some() {}
            if !std::mem::take(&mut self.dropping) && !line.is_empty() {
                lines.push(line);
            }
        }
        self.extend(bytes);
        lines
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.dropping |= self.buffer.len() + bytes.len() > TAKEN_MAX;
        if self.dropping { self.buffer.clear() } else { self.buffer.extend_from_slice(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let check = |line: &[u8], said: &str| {
            let seen = Line::parse(line).map_or_else(String::new, |Line { from, is_person, command, params }| {
                format!("{} {is_person} {command} {}", from.unwrap_or_default(), params.join("|"))
            });
            assert_eq!(seen, said);
        };
        check(b"PING :irc.example.org", " false PING irc.example.org");
        check(b":irc.example.org 001 fingerbot :Welcome", "irc.example.org false 001 fingerbot|Welcome");
        check(b":a!b@c PRIVMSG fingerbot :moshez : x", "a true PRIVMSG fingerbot|moshez : x");
        check(b"@time=1;x :a!b@c  privmsg  fingerbot   moshez ", "a true PRIVMSG fingerbot|moshez");
        check(b":a!b@c PRIVMSG fingerbot :", "a true PRIVMSG fingerbot|");
        check(b":a", "");
        check(b"@tags", "");
        check(b"   ", "");
    }

    #[test]
    fn a_line_stays_one_line() {
        let check = |head: &str, trailing: &str, sent: &[u8]| assert_eq!(line(head, trailing), sent);
        check("PRIVMSG a", "one\r\nQUIT :two\0", b"PRIVMSG a :one  QUIT :two \r\n");
        check("NICK x\r\nQUIT", "", b"NICK x  QUIT :\r\n");
        let long = line("PRIVMSG a", &"é".repeat(600));
        assert!(long.len() <= SENT_MAX && std::str::from_utf8(&long).unwrap().ends_with("é\r\n"));
    }

    #[test]
    fn a_stream_is_cut() {
        let check = |pieces: &[&[u8]], said: &[&[u8]]| {
            let mut lines = Lines::default();
            let seen: Vec<Vec<u8>> = pieces.iter().flat_map(|piece| lines.push(piece)).collect();
            assert_eq!(seen, said);
        };
        check(&[b"one\r\ntw", b"o\nthree"], &[b"one", b"two"]);
        check(&[b"\r\n\n", b"x\r\r\n"], &[b"x"]);
        check(&[&[b'x'; TAKEN_MAX], b"x", b"y\nok\n"], &[b"ok"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_and_parsed(pieces in any::<Vec<Vec<u8>>>(), texts in any::<(String, String)>()) {
            let mut lines = Lines::default();
            for line in pieces.iter().flat_map(|piece| lines.push(piece)) {
                let _ = Line::parse(&line);
            }
            let sent = line(&texts.0, &texts.1);
            prop_assert!(sent.len() <= SENT_MAX && sent.ends_with(b"\r\n"));
            prop_assert_eq!(sent.iter().filter(|byte| matches!(byte, b'\r' | b'\n' | 0)).count(), 2);
        }
    }
}
