//! What no upload may have: anything that two readers could see differently, and names that harm.
//!
//! A reader that follows the central directory and one that goes from local header to local header must find the same
//! members, so they have to fill the file without gaps, and each to say the same twice. These are the rules of the public
//! index, with a few that close what they leave open: checksums and methods are compared as well, and a second name must be
//! the first one.

use std::collections::HashSet;

use super::bytes::Record;
use super::end::END_LENGTH;
use super::extra::{self, FULL};
use super::member::{DEFLATED, LOCAL, LOCAL_LENGTH, STORED};
use super::{BadZip, Entry, Zip, malformed};
use crate::Error;
use crate::archive::{Limits, names};

/// The flags that an ordinary archive has: how hard deflate tried, and that the name is UTF-8.
const FLAGS: u16 = 0x0806;
/// Flag: the name is UTF-8.
const UTF8: u16 = 0x0800;
/// Flag: lengths and checksum stand behind the data.
const DESCRIPTOR: u16 = 0x0008;

pub(super) fn check(zip: &Zip<'_>, limits: &Limits) -> Result<(), Error> {
    check_end(zip)?;
    let mut unpacked = 0_u64;
    let mut names = HashSet::with_capacity(zip.entries.len());
    for entry in &zip.entries {
        check_entry(entry)?;
        if !names.insert(entry.name.trim_end_matches('/')) {
            return Err(BadZip::Duplicate(entry.name.clone()).into());
        }
        unpacked = unpacked.saturating_add(entry.size);
    }
    if limits.is_bomb(zip.source.len(), unpacked) {
        return Err(BadZip::Bomb.into());
    }
    check_locals(zip)
}

/// The directory fills all from the last member to the end, and the end is the end of the file.
fn check_end(zip: &Zip<'_>) -> Result<(), Error> {
    let end = &zip.end;
    if end.base != 0 {
        return Err(BadZip::Stray("leading").into());
    }
    if end.record + END_LENGTH as u64 + end.comment != zip.source.len() {
        return Err(BadZip::Stray("trailing").into());
    }
    if !end.consistent {
        return Err(malformed("its ends contradict each other"));
    }
    if end.count != zip.entries.len() as u64 {
        return Err(malformed("mismatched central directory records"));
    }
    Ok(())
}

fn check_entry(entry: &Entry) -> Result<(), Error> {
    let name = |reason| BadZip::Name { name: entry.name.clone(), reason };
    if !entry.plain_name {
        return Err(name("it is not UTF-8, or does not say so").into());
    }
    names::check(&entry.name).map_err(name)?;
    if entry.comment {
        return Err(BadZip::Comment.into());
    }
    if !matches!(entry.method, STORED | DEFLATED) {
        return Err(BadZip::Compression(entry.name.clone()).into());
    }
    if entry.flags & DESCRIPTOR != 0 {
        return Err(BadZip::DataDescriptor.into());
    }
    if entry.flags & !FLAGS != 0 {
        return Err(BadZip::Compression(entry.name.clone()).into());
    }
    if entry.is_folder() && entry.size > 0 {
        return Err(name("a folder has no content").into());
    }
    if entry.method == STORED && entry.size != entry.packed {
        return Err(malformed("a stored member has two lengths"));
    }
    check_extra(&entry.extra, &entry.name)?;
    Ok(())
}

/// All fields are whole, the two that readers act on are there once, and a second name is the first. Gives back ZIP64's.
fn check_extra<'e>(extra: &'e [u8], name: &str) -> Result<Option<&'e [u8]>, Error> {
    let mut seen = [None, None];
    for field in extra::fields(extra) {
        let (id, data) = field.ok_or_else(|| malformed("an extra field is cut off"))?;
        let place = match id {
            extra::ZIP64 => 0,
            extra::UNICODE_PATH => 1,
            _ => continue,
        };
        if seen.get_mut(place).is_some_and(|seen| seen.replace(data).is_some()) {
            return Err(malformed("invalid duplicate extra field"));
        }
    }
    let [wide, path] = seen;
    // a version, the checksum of the other name, the name
    if path.is_some_and(|path| path.get(5..) != Some(name.as_bytes())) {
        return Err(BadZip::Differs { name: name.to_owned(), what: "name" }.into());
    }
    // a size, both sizes, sizes and offset, and the disk
    if wide.is_some_and(|wide| !matches!(wide.len(), 0 | 8 | 16 | 24 | 28)) {
        return Err(malformed("corrupt ZIP64 extra field"));
    }
    Ok(wide)
}

/// Local headers and data stand one behind the other, from the first byte of the file to the directory.
fn check_locals(zip: &Zip<'_>) -> Result<(), Error> {
    let mut entries: Vec<_> = zip.entries.iter().collect();
    entries.sort_by_key(|entry| entry.offset);
    let mut at = 0_u64;
    for entry in entries {
        if entry.offset != at {
            return Err(BadZip::Stray("unaccounted").into());
        }
        let length = check_local(zip, entry)?;
        at = at.checked_add(length).ok_or_else(|| malformed("a length is out of bounds"))?;
    }
    if at == zip.end.offset { Ok(()) } else { Err(BadZip::Stray("unaccounted").into()) }
}

/// Compares a local header with the directory; gives back the length of header and data.
fn check_local(zip: &Zip<'_>, entry: &Entry) -> Result<u64, Error> {
    let outside = || malformed("a local header lies outside of it");
    let read = |at, length| zip.source.read(at, length).map_err(Error::Read)?.ok_or_else(outside);
    let header = read(entry.offset, LOCAL_LENGTH)?;
    let record = Record(&header);
    if !record.has(LOCAL) {
        return Err(malformed("bad magic number for local header"));
    }
    let [name_length, extra_length] = [26, 28].map(|at| usize::from(record.u16(at)));
    let rest = read(entry.offset + LOCAL_LENGTH as u64, name_length + extra_length)?;
    let (name, extra) = rest.split_at_checked(name_length).ok_or_else(outside)?;
    let differs = |what| BadZip::Differs { name: entry.name.clone(), what };
    if name != entry.name.as_bytes() {
        return Err(differs("name").into());
    }
    if record.u16(6) & DESCRIPTOR != 0 {
        return Err(BadZip::DataDescriptor.into());
    }
    let flags = record.u16(6);
    if flags & !FLAGS != 0 || (flags ^ entry.flags) & UTF8 != 0 || record.u16(8) != entry.method {
        return Err(differs("compression").into());
    }
    if record.u32(14) != entry.crc {
        return Err(differs("checksum").into());
    }
    let [size, packed] = local_sizes(record, check_extra(extra, &entry.name)?, entry.method)?;
    if (size, packed) != (entry.size, entry.packed) {
        return Err(differs("size").into());
    }
    Ok((LOCAL_LENGTH + name_length + extra_length) as u64 + packed)
}

/// Size and packed size of a local header. With ZIP64 both should be there; some writers give one for a stored member, or
/// give them where they were not needed.
fn local_sizes(record: Record<'_>, wide: Option<&[u8]>, method: u16) -> Result<[u64; 2], Error> {
    let short = [record.u32(22).into(), record.u32(18).into()];
    let corrupt = || malformed("corrupt ZIP64 extra field");
    match wide {
        Some(wide) if wide.len() == 8 && method == STORED => {
            let size = Record(wide).u64(0);
            Ok(short.map(|number| if number == FULL { size } else { number }))
        }
        Some(wide) if short.contains(&FULL) => {
            let both = [Record(wide).u64(0), Record(wide).u64(8)];
            if wide.len() < 16 || short.iter().zip(both).any(|(short, wide)| *short != FULL && *short != wide) {
                return Err(corrupt());
            }
            Ok(both)
        }
        // a reader that always takes them must find the same
        Some(wide) if wide.len() >= 16 && [Record(wide).u64(0), Record(wide).u64(8)] != short => Err(corrupt()),
        None if short.contains(&FULL) => Err(corrupt()),
        _ => Ok(short),
    }
}
