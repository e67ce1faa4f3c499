//! The bytes of one member: its local header (APPNOTE 4.3.7), then stored or deflated data.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::bytes::Record;
use super::directory::Entry;
use super::{BadZip, malformed};
use crate::archive::source::Source;
use crate::{Error, Fault};

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const LOCAL_LENGTH: usize = 30;
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
/// Flag: the data are encrypted.
const ENCRYPTED: u16 = 1;

pub(super) fn read(source: Source<'_>, base: u64, entry: &Entry, limit: usize) -> Result<Vec<u8>, Error> {
    let too_long = || Fault::from(BadZip::TooLong(entry.name.clone()));
    let damaged = || Fault::from(BadZip::Damaged(entry.name.clone()));
    let size = usize::try_from(entry.size).ok().filter(|size| *size <= limit).ok_or_else(too_long)?;
    // deflate may add some bytes to each block, never as many as there are
    let packed = usize::try_from(entry.packed).ok().filter(|packed| *packed <= limit.saturating_mul(2));
    let packed = packed.ok_or_else(too_long)?;
    if entry.flags & ENCRYPTED != 0 {
        return Err(Fault::from(BadZip::Compression(entry.name.clone())).into());
    }
    let start = data_start(source, base, entry)?;
    let packed = source.read(start, packed).map_err(Error::Read)?.ok_or_else(|| malformed("it ends too early"))?;
    let bytes = match entry.method {
        STORED => packed.into_owned(),
        DEFLATED => inflate(&packed, size).ok_or_else(damaged)?,
        _ => return Err(Fault::from(BadZip::Compression(entry.name.clone())).into()),
    };
    let mut crc = Crc::new();
    crc.update(&bytes);
    if bytes.len() == size && crc.sum() == entry.crc { Ok(bytes) } else { Err(damaged().into()) }
}

/// Where the data of a member start in the source.
fn data_start(source: Source<'_>, base: u64, entry: &Entry) -> Result<u64, Error> {
    let outside = || malformed("a local header lies outside of it");
    let at = base.checked_add(entry.offset).ok_or_else(outside)?;
    let header = source.read(at, LOCAL_LENGTH).map_err(Error::Read)?.ok_or_else(outside)?;
    let record = Record(&header);
    if !record.has(LOCAL) {
        return Err(malformed("bad magic number for local header"));
    }
    let (name, extra) = (record.u16(26), record.u16(28));
    let length = usize::from(name);
    let seen = source.read(at + LOCAL_LENGTH as u64, length).map_err(Error::Read)?.ok_or_else(outside)?;
    if entry.plain_name && *seen != *entry.name.as_bytes() {
        return Err(malformed("a name differs between directory and local header"));
    }
    Ok(at + LOCAL_LENGTH as u64 + u64::from(name) + u64::from(extra))
}

/// Inflates to exactly `size` bytes; None if that is not what is there.
fn inflate(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut inflater = Decompress::new(false);
    // one byte more, so that a longer stream shows
    let mut bytes = Vec::with_capacity(size + 1);
    let status = inflater.decompress_vec(packed, &mut bytes, FlushDecompress::Finish).ok()?;
    (status == Status::StreamEnd && bytes.len() == size && inflater.total_in() == packed.len() as u64).then_some(bytes)
}
