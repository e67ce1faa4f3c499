//! The bytes of one member: its local header (APPNOTE 4.3.7), then stored or deflated data.

use std::io::Read;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::bytes::Record;
use super::directory::Entry;
use super::{BadZip, malformed};
use crate::Error;
use crate::archive::source::Source;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const LOCAL_LENGTH: usize = 30;
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
/// Flag: the data are encrypted.
const ENCRYPTED: u16 = 1;
/// Bytes that go by at once.
const PIECE: usize = 64 << 10;

pub(super) fn read(source: Source<'_>, base: u64, entry: &Entry, limit: usize) -> Result<Vec<u8>, Error> {
    let too_long = || BadZip::TooLong(entry.name.clone());
    let size = usize::try_from(entry.size).ok().filter(|size| *size <= limit).ok_or_else(too_long)?;
    // deflate may add some bytes to each block, never as many as there are
    let packed = usize::try_from(entry.packed).ok().filter(|packed| *packed <= limit.saturating_mul(2));
    let packed = packed.ok_or_else(too_long)?;
    let start = data_start(source, base, entry)?;
    let packed = source.read(start, packed).map_err(Error::Read)?.ok_or_else(|| malformed("it ends too early"))?;
    let bytes = match entry.method {
        STORED => packed.into_owned(),
        _ => inflate(&packed, size).ok_or_else(|| damaged(entry))?,
    };
    let mut crc = Crc::new();
    crc.update(&bytes);
    if bytes.len() == size && crc.sum() == entry.crc { Ok(bytes) } else { Err(damaged(entry).into()) }
}

pub(super) fn copy(source: Source<'_>, base: u64, entry: &Entry, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
    let start = data_start(source, base, entry)?;
    let mut crc = Crc::new();
    let mut left = entry.size;
    let mut pass = |piece: &[u8]| {
        crc.update(piece);
        take(piece);
        left = left.checked_sub(piece.len() as u64).ok_or_else(|| damaged(entry))?;
        Ok::<_, BadZip>(())
    };
    let mut reader = source.reader(start, start.saturating_add(entry.packed));
    match entry.method {
        STORED => each_piece(&mut reader, &mut pass)?,
        _ => inflate_pieces(&mut reader, entry, &mut pass)?,
    }
    if left == 0 && crc.sum() == entry.crc { Ok(()) } else { Err(damaged(entry).into()) }
}

fn each_piece(reader: &mut impl Read, pass: &mut impl FnMut(&[u8]) -> Result<(), BadZip>) -> Result<(), Error> {
    let mut buffer = vec![0; PIECE];
    loop {
        match reader.read(&mut buffer).map_err(Error::Read)? {
            0 => return Ok(()),
            count => pass(buffer.get(..count).unwrap_or_default())?,
        }
    }
}

fn inflate_pieces(
    reader: &mut impl Read,
    entry: &Entry,
    pass: &mut impl FnMut(&[u8]) -> Result<(), BadZip>,
) -> Result<(), Error> {
    let mut inflater = Decompress::new(false);
    let (mut packed, mut unpacked) = (vec![0; PIECE], vec![0; PIECE]);
    let mut waiting: &[u8] = &[];
    loop {
        if waiting.is_empty() {
            let count = reader.read(&mut packed).map_err(Error::Read)?;
            waiting = packed.get(..count).unwrap_or_default();
        }
        let at_end = waiting.is_empty();
        let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(waiting, &mut unpacked, FlushDecompress::None).map_err(|_| damaged(entry))?;
        let taken = usize::try_from(inflater.total_in() - before_in).unwrap_or(usize::MAX);
        let made = usize::try_from(inflater.total_out() - before_out).unwrap_or(usize::MAX);
        waiting = waiting.get(taken..).unwrap_or_default();
        pass(unpacked.get(..made).unwrap_or_default())?;
        match status {
            Status::StreamEnd if inflater.total_in() == entry.packed => return Ok(()),
            Status::StreamEnd => return Err(damaged(entry).into()),
            _ if at_end && made == 0 => return Err(damaged(entry).into()),
            _ => {}
        }
    }
}

/// Where the data of a member start in the source.
fn data_start(source: Source<'_>, base: u64, entry: &Entry) -> Result<u64, Error> {
    if entry.flags & ENCRYPTED != 0 || !matches!(entry.method, STORED | DEFLATED) {
        return Err(BadZip::Compression(entry.name.clone()).into());
    }
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
        return Err(BadZip::Differs { name: entry.name.clone(), what: "name" }.into());
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

fn damaged(entry: &Entry) -> BadZip {
    BadZip::Damaged(entry.name.clone())
}
