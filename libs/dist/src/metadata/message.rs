//! The outer form of METADATA and PKG-INFO: header fields, an empty line, a body (core metadata, "a format like RFC 822").
//!
//! Read as Python's `email` package does it, because everybody else does: lines end in LF, CR LF or CR; a field goes on in
//! lines that start with a space or a tab; a line that is neither field nor continuation ends the header. Nothing is ever
//! decoded but UTF-8, and Latin-1 for what is none.

use super::BadMetadata;
use crate::Fault;
use crate::level::Findings;

/// Most fields of one message: the largest known have hundreds.
const FIELDS_MAX: usize = 10_000;

/// A header field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In lower case.
    pub(super) name: String,
    /// Without the line end; the lines of a folded field as they are, separated by LF.
    pub(super) value: String,
}

/// Fields in their order, and what follows.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) fields: Vec<Field>,
    pub(super) body: String,
}

pub(super) fn read(bytes: &[u8], findings: &mut Findings) -> Result<Message, Fault> {
    let mut rest = bytes;
    if let Some(after) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        findings.object(BadMetadata::ByteOrderMark)?;
        rest = after;
    }
    let mut fields: Vec<Field> = Vec::new();
    while let Some((line, after)) = split_line(rest) {
        if line.is_empty() {
            rest = after;
            break;
        }
        if (line.starts_with(b" ") || line.starts_with(b"\t"))
            && let Some(field) = fields.last_mut()
        {
            field.value.push('\n');
            field.value.push_str(&decode(line, &field.name, findings)?);
            rest = after;
            continue;
        }
        let Some((name, value)) = split_field(line) else {
            findings.object(BadMetadata::NoField(decode_lossy(line)))?;
            break;
        };
        if fields.len() == FIELDS_MAX {
            return Err(BadMetadata::TooManyFields.into());
        }
        let value = decode(value.trim_ascii(), &name, findings)?;
        fields.push(Field { name, value });
        rest = after;
    }
    let body = decode(rest, "description", findings)?;
    Ok(Message { fields, body })
}

/// The first line without its end, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
        return Some((bytes, &[]));
    };
    let (line, after) = bytes.split_at(end);
    let after = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    Some((line, after))
}

/// `Name: value`
fn split_field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    named.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.get(1..).unwrap_or_default()))
}

fn decode(bytes: &[u8], field: &str, findings: &mut Findings) -> Result<String, Fault> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            findings.object(BadMetadata::NotUtf8(field.to_owned()))?;
            decode_lossy(bytes)
        }
    };
    // databases and terminals take no NUL
    if text.contains('\0') {
        findings.object(BadMetadata::Nul(field.to_owned()))?;
        return Ok(text.replace('\0', "\u{fffd}"));
    }
    Ok(text)
}

/// UTF-8, or Latin-1 where that makes no sense.
fn decode_lossy(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Level;

    fn render(read: Result<Message, Fault>) -> String {
        match read {
            Err(fault) => fault.to_string(),
            Ok(Message { fields, body }) => {
                let fields: Vec<_> = fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
                format!("{} | {body}", fields.join("; ")).escape_debug().to_string()
            }
        }
    }

    fn check(bytes: &[u8], said: &str) {
        assert_eq!(render(read(bytes, &mut Findings::new(Level::Strict))), said);
    }

    fn check_lenient(bytes: &[u8], said: &str, warning: &str) {
        let mut findings = Findings::new(Level::Lenient);
        assert_eq!(render(read(bytes, &mut findings)), said);
        let warnings: Vec<_> = findings.into_warnings().iter().map(ToString::to_string).collect();
        assert!(warnings.len() == 1 && warnings[0].contains(warning), "{warnings:?}");
    }

    #[test]
    fn fields_and_a_body() {
        check(b"", " | ");
        check(b"Name: foo\nVersion:1.0  \n\nThe\n\nbody\n", r"name=foo; version=1.0 | The\n\nbody\n");
        check(b"NAME: foo\r\n\r\nbody\r\n", r"name=foo | body\r\n");
        check(b"a: 1\rb: 2\r\rbody", "a=1; b=2 | body");
        check(b"a: 1\n  2\n\t3\nb:\n", r"a=1\n  2\n\t3; b= | ");
        check(b"a: \xc3\xa9", "a=\u{e9} | ");
    }

    #[test]
    fn what_is_no_message() {
        check(b"a: 1\nno field\nb: 2", "`no field` is no field of metadata");
        check(b": 1\n", "`: 1` is no field of metadata");
        check(b" a: 1\n", "` a: 1` is no field of metadata");
        check(b"a: \xe9", "`a` in the metadata is not UTF-8");
        check(b"a: \0", "`a` in the metadata has a NUL");
        check(b"\xef\xbb\xbfa: 1", "the metadata starts with a byte order mark");
        check(&b"a:\n".repeat(FIELDS_MAX + 1), "the metadata has too many fields");
    }

    #[test]
    fn what_is_forgiven() {
        check_lenient(b"a: 1\nno field\nb: 2", r"a=1 | no field\nb: 2", "is no field");
        check_lenient(b"a: Andr\xe9\n", "a=Andr\u{e9} | ", "not UTF-8");
        check_lenient(b"a: x\0y", "a=x\u{fffd}y | ", "NUL");
        check_lenient(b"\xef\xbb\xbfa: 1", "a=1 | ", "byte order mark");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop_oneof![
            any::<Vec<u8>>(),
            "([A-Za-z-]{1,3}:? ?[a-z\u{e9} ]{0,4}(\n|\r\n|\r|\n ))*".prop_map(String::into_bytes),
        ]) {
            let strict = read(&bytes, &mut Findings::new(Level::Strict));
            let mut findings = Findings::new(Level::Lenient);
            let lenient = read(&bytes, &mut findings);
            prop_assert_eq!(strict.is_ok(), findings.into_warnings().is_empty());
            prop_assert!(lenient.is_ok());
        }
    }
}
