//! The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram per event, every field by itself.
//!
//! Values go as they are, line breaks included, since the journal stores bytes and journalctl escapes what a terminal
//! should not see. An event that is too large for a datagram (the socket's send buffer, about 200 KiB) goes as the
//! descriptor of a sealed memory file, up to the journal's own limit (ENTRY_SIZE_MAX, 1 GiB).

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use tracing::Level;

use crate::IDENTIFIER;
use crate::record::Record;

/// The longest field name that the journal takes.
const LONGEST_NAME: usize = 64;

/// Fields that are ours to set. An event's field of the same name gets this before it.
const OWN: [&str; 7] = ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "TARGET", "CODE_FILE", "CODE_LINE", "SPANS"];
const PREFIX: &str = "F_";

/// The datagram for an event.
pub(crate) fn encode(record: &Record<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    push(&mut out, "MESSAGE", &record.fields.message);
    push(&mut out, "PRIORITY", priority(record.level));
    push(&mut out, "SYSLOG_IDENTIFIER", IDENTIFIER);
    push(&mut out, "TARGET", record.target);
    if let Some((file, line)) = record.place {
        push(&mut out, "CODE_FILE", file);
        push(&mut out, "CODE_LINE", &line.to_string());
    }
    if !record.spans.is_empty() {
        let names: Vec<&str> = record.spans.iter().map(|span| span.name).collect();
        push(&mut out, "SPANS", &names.join(":"));
    }
    for (field, value) in record.all_fields() {
        push(&mut out, &name(field), &value.to_string());
    }
    out
}

/// Sends a datagram, in a memory file if it is too large.
pub(crate) fn send(socket: &UnixDatagram, datagram: &[u8]) -> io::Result<()> {
    match socket.send(datagram) {
        Ok(_) => Ok(()),
        Err(error) => match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMSGSIZE | Errno::ENOBUFS) => send_file(socket, datagram),
            _ => Err(error),
        },
    }
}

fn send_file(socket: &UnixDatagram, datagram: &[u8]) -> io::Result<()> {
    let mut file = File::from(memfd_create("opsctl-log", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
    file.write_all(datagram)?;
    // The journal maps the file, and takes it only if it can neither shrink nor change under its hands.
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    let descriptors = [file.as_raw_fd()];
    let control = [ControlMessage::ScmRights(&descriptors)];
    let nothing: [IoSlice<'_>; 0] = [];
    sendmsg::<UnixAddr>(socket.as_raw_fd(), &nothing, &control, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// syslog's numbers, which the journal uses.
pub(crate) fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// The journal takes A-Z, 0-9 and `_`, neither a digit nor `_` first.
fn name(field: &str) -> String {
    let upper: String =
        field.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let begins_well = upper.starts_with(|c: char| c.is_ascii_uppercase());
    let mut name = if begins_well && !OWN.contains(&upper.as_str()) { upper } else { format!("{PREFIX}{upper}") };
    name.truncate(LONGEST_NAME);
    name
}

/// `NAME=value`, or for a value with line breaks the name, the length (64 bits, little endian) and the bytes.
fn push(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        out.push(b'\n');
        out.extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::io::{IoSliceMut, Read};

    use nix::sys::socket::{ControlMessageOwned, recvmsg};

    use super::*;
    use crate::datagram::Datagram;
    use crate::datagram::tests::listen;
    use crate::record::Value;
    use crate::record::tests::{record, text};

    /// What the journal receives: the datagram's bytes, or those of the file that came instead.
    fn receive(journal: &UnixDatagram) -> (Vec<u8>, bool) {
        let mut buffer = vec![0; 1 << 20];
        let mut iov = [IoSliceMut::new(&mut buffer)];
        let mut space = nix::cmsg_space!([i32; 1]);
        let message = recvmsg::<UnixAddr>(journal.as_raw_fd(), &mut iov, Some(&mut space), MsgFlags::empty()).unwrap();
        let descriptor = message.cmsgs().unwrap().find_map(|control| match control {
            ControlMessageOwned::ScmRights(descriptors) => descriptors.first().copied(),
            _ => None,
        });
        let length = message.bytes;
        let Some(descriptor) = descriptor else { return (buffer[..length].to_vec(), false) };
        let mut file = File::open(format!("/proc/self/fd/{descriptor}")).unwrap();
        let seals = SealFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GET_SEALS).unwrap());
        assert!(seals.contains(SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (bytes, true)
    }

    /// Reads the protocol back, as the journal would.
    fn parse(mut bytes: &[u8]) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let line = std::str::from_utf8(&bytes[..end]).unwrap();
            bytes = &bytes[end + 1..];
            if let Some((name, value)) = line.split_once('=') {
                fields.push((name.to_owned(), value.to_owned()));
                continue;
            }
            let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            fields.push((line.to_owned(), String::from_utf8(bytes[8..8 + length].to_vec()).unwrap()));
            assert_eq!(bytes[8 + length], b'\n');
            bytes = &bytes[9 + length..];
        }
        assert!(bytes.is_empty());
        fields
    }

    /// Sends an event to a journal, and returns what arrives as `NAME=value` lines, and whether in a file.
    fn check(record: &Record<'_>, in_file: bool, expected: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = listen(&path);
        let datagram = encode(record);
        Datagram::connect(&path).unwrap().send(|socket| send(socket, &datagram)).unwrap();
        let (bytes, was_file) = receive(&journal);
        assert_eq!(was_file, in_file);
        let fields = parse(&bytes);
        for (name, value) in expected {
            let values: Vec<&String> =
                fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect();
            assert_eq!(values, [value], "{name}");
        }
    }

    #[test]
    fn fields_arrive_one_by_one() {
        let fields = [
            ("peer", text("127.0.0.1:5")),
            ("multi-line", text("a\nb=c\n")),
            ("priority", Value::Bool(true)),
            ("_x", text("")),
        ];
        let service: &[_] = &[("service", text("finger"))];
        let record = record(Level::WARN, "first\nsecond", &fields, &[service]);
        check(
            &record,
            false,
            &[
                ("MESSAGE", "first\nsecond"),
                ("PRIORITY", "4"),
                ("SYSLOG_IDENTIFIER", "opsctl"),
                ("TARGET", "opsctl_finger::query"),
                ("CODE_FILE", "query.rs"),
                ("CODE_LINE", "7"),
                ("SPANS", "span"),
                ("PEER", "127.0.0.1:5"),
                ("MULTI_LINE", "a\nb=c\n"),
                ("F_PRIORITY", "true"),
                ("F__X", ""),
                ("SERVICE", "finger"),
            ],
        );
    }

    #[test]
    fn what_no_datagram_holds_goes_as_a_file() {
        let long = "0123456789abcdé\n".repeat(100_000);
        check(&record(Level::ERROR, &long, &[], &[]), true, &[("MESSAGE", &long), ("PRIORITY", "3")]);
    }

    #[test]
    fn names_are_the_journals() {
        for (field, expected) in
            [("http.status", "HTTP_STATUS"), ("9x", "F_9X"), ("message", "F_MESSAGE"), ("ünder", "F__NDER")]
        {
            assert_eq!(name(field), expected);
        }
        assert_eq!(name(&"x".repeat(100)).len(), LONGEST_NAME);
    }
}
