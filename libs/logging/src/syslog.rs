//! syslog, as syslog(3) sends it to the local daemon (RFC 3164): `<30>opsctl[123]: message key=value`.
//!
//! Not RFC 5424: journald and the parser that rsyslog has for the local socket do not read it there. And without a
//! time: local daemons use their own anyway, RFC 3164 (4.3.2) lets it be missing, and what it would want is local time,
//! which cannot be had inside a chroot.
//!
//! A text that is longer than [`LONGEST`] is sent in parts, each a message of its own that says which part it is.

use tracing::Level;

use crate::record::Record;
use crate::{IDENTIFIER, journald, text};

/// The most text in one message, in bytes: rsyslog's default limit is 8 KiB, and other daemons' are larger.
pub(crate) const LONGEST: usize = 8000;

/// Facility "system daemons", shifted (RFC 3164, 4.1.1).
const DAEMON: u8 = 3 << 3;

/// The datagrams for an event, one unless it is long.
pub(crate) fn encode(record: &Record<'_>) -> Vec<String> {
    let mut body = String::with_capacity(160);
    text::body(&mut body, record);
    // Asked for each time: the process forks.
    let head = format!("<{}>{IDENTIFIER}[{}]: ", DAEMON + severity(record.level), std::process::id());
    let parts = split(&body);
    let count = parts.len();
    let part = |(index, part): (usize, &&str)| match count {
        1 => format!("{head}{part}"),
        _ => format!("{head}[{}/{count}] {part}", index + 1),
    };
    parts.iter().enumerate().map(part).collect()
}

fn severity(level: Level) -> u8 {
    journald::priority(level).parse().unwrap_or(6)
}

/// Cuts a text into pieces of at most [`LONGEST`] bytes, between characters. An empty text is one piece.
fn split(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while text.len() > LONGEST {
        let (part, rest) = text.split_at(text.floor_char_boundary(LONGEST));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::tests::listen;
    use crate::output::Output;
    use crate::record::tests::{record, text};
    use crate::{Format, Target};

    /// What a daemon receives of an event.
    fn check(record: &Record<'_>, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = listen(&path);
        let output = Output::open(Target::Syslog(path), Format::Syslog, false).unwrap();
        output.write(record);
        for expected in expected {
            let mut buffer = [0; 2 * LONGEST];
            let length = daemon.recv(&mut buffer).unwrap();
            let expected = expected.replace("PID", &std::process::id().to_string());
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
        }
    }

    #[test]
    fn messages_are_one_line() {
        let service: &[_] = &[("service", text("finger"))];
        let fields = [("peer", text("127.0.0.1:5")), ("query", text("a\n<0>forged"))];
        check(
            &record(Level::INFO, "first\nsecond", &fields, &[service]),
            &[r#"<30>opsctl[PID]: finger: first\nsecond peer=127.0.0.1:5 query="a\n<0>forged""#],
        );
        check(&record(Level::ERROR, "m", &[], &[service]), &["<27>opsctl[PID]: finger: m"]);
        check(&record(Level::WARN, "m", &[], &[service]), &["<28>opsctl[PID]: finger: m"]);
        check(&record(Level::DEBUG, "", &[], &[]), &["<31>opsctl[PID]: opsctl_finger::query: "]);
    }

    #[test]
    fn long_messages_come_in_parts() {
        let long = "é".repeat(LONGEST);
        let label = "opsctl_finger::query: ";
        let whole = format!("{label}{long}");
        let (first, rest) = whole.split_at(LONGEST);
        let (second, third) = rest.split_at(LONGEST);
        check(
            &record(Level::INFO, &long, &[], &[]),
            &[
                &format!("<30>opsctl[PID]: [1/3] {first}"),
                &format!("<30>opsctl[PID]: [2/3] {second}"),
                &format!("<30>opsctl[PID]: [3/3] {third}"),
            ],
        );
    }

    #[test]
    fn text_is_cut_between_characters() {
        let text = format!("a{}", "é".repeat(LONGEST));
        let parts = split(&text);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.len() <= LONGEST));
    }
}
