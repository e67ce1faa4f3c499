//! The central directory: one header for each member (APPNOTE 4.3.12), and its ZIP64 numbers (4.5.3).

use super::bytes::Record;
use super::end::End;
use super::extra::{self, FULL};
use super::{BadZip, malformed};
use crate::Error;
use crate::archive::Limits;
use crate::archive::source::Source;

pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const CENTRAL_LENGTH: usize = 46;
/// Longest central directory that is read at once: 200,000 members with long names stay under it.
const DIRECTORY_MAX: u64 = 32 << 20;

/// A member, as the central directory has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As it stands there; what is no UTF-8 is replaced.
    pub(crate) name: String,
    /// The name is exactly its bytes, and every reader takes it for that.
    pub(crate) plain_name: bool,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    /// Bytes unpacked.
    pub(crate) size: u64,
    /// Of the local header, from the start of the archive.
    pub(super) offset: u64,
    /// Of this header.
    pub(super) comment: bool,
    /// The extra field of this header.
    pub(super) extra: Box<[u8]>,
}

impl Entry {
    pub(crate) fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\'])
    }
}

pub(super) fn read(source: Source<'_>, end: &End, limits: &Limits) -> Result<Vec<Entry>, Error> {
    if end.count > limits.members as u64 || end.size > DIRECTORY_MAX {
        return Err(BadZip::TooManyMembers.into());
    }
    let length = usize::try_from(end.size).unwrap_or(usize::MAX);
    let bytes = source.read(end.base + end.offset, length).map_err(Error::Read)?;
    let bytes = bytes.ok_or_else(|| malformed("it ends too early"))?;
    let mut rest: &[u8] = &bytes;
    let mut entries = Vec::with_capacity(rest.len() / (CENTRAL_LENGTH + 10));
    while !rest.is_empty() {
        let (entry, length) = header(rest)?;
        if entries.len() == limits.members {
            return Err(BadZip::TooManyMembers.into());
        }
        entries.push(entry);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(entries)
}

/// The first header, and its length.
fn header(bytes: &[u8]) -> Result<(Entry, usize), Error> {
    let record = Record(bytes);
    if bytes.len() < CENTRAL_LENGTH || !record.has(CENTRAL) {
        return Err(malformed("bad magic number for central directory"));
    }
    let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(record.u16(at)));
    let length = CENTRAL_LENGTH + name + extra + comment;
    if bytes.len() < length {
        return Err(malformed("truncated central directory"));
    }
    let flags = record.u16(8);
    let raw_name = record.slice(CENTRAL_LENGTH, name);
    let text = std::str::from_utf8(raw_name);
    let mut entry = Entry {
        name: text.map_or_else(|_| String::from_utf8_lossy(raw_name).into_owned(), ToOwned::to_owned),
        plain_name: text.is_ok_and(|text| text.is_ascii() || flags & 0x800 != 0),
        flags,
        method: record.u16(10),
        crc: record.u32(16),
        packed: record.u32(20).into(),
        size: record.u32(24).into(),
        offset: record.u32(42).into(),
        comment: comment > 0,
        extra: record.slice(CENTRAL_LENGTH + name, extra).into(),
    };
    widen(&mut entry)?;
    Ok((entry, length))
}

/// Numbers that have no room in 32 bits stand in a field of their own, in this order.
fn widen(entry: &mut Entry) -> Result<(), Error> {
    let numbers = [entry.size, entry.packed, entry.offset];
    if !numbers.contains(&FULL) {
        return Ok(());
    }
    let field = extra::fields(&entry.extra).flatten().find(|(id, _)| *id == extra::ZIP64);
    let (_, data) = field.ok_or_else(|| malformed("ZIP64 extra field is missing"))?;
    [entry.size, entry.packed, entry.offset] =
        extra::widen(numbers, data).ok_or_else(|| malformed("corrupt ZIP64 extra field"))?;
    Ok(())
}
