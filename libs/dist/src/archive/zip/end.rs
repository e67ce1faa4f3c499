//! The end of central directory record, and the one of ZIP64 before it (APPNOTE 4.3.14 to 4.3.16).

use super::bytes::Record;
use super::{BadZip, malformed};
use crate::Error;
use crate::archive::source::Source;

const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
pub(super) const END_LENGTH: usize = 22;
const END64_LENGTH: usize = 56;
const LOCATOR64_LENGTH: usize = 20;
/// A record of the end with the longest comment.
const TAIL: u64 = END_LENGTH as u64 + u16::MAX as u64;

/// Where the central directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// Members according to the record.
    pub(super) count: u64,
    /// Bytes of the directory.
    pub(super) size: u64,
    /// Where it starts in the archive.
    pub(super) offset: u64,
    /// Where the archive starts in the file.
    pub(super) base: u64,
    /// Where the record itself starts in the file.
    pub(super) record: u64,
    /// Bytes of the comment behind the record.
    pub(super) comment: u64,
    /// Is there a record of ZIP64?
    pub(super) wide: bool,
    /// Does the record say the same as that of ZIP64, and name no other disks?
    pub(super) consistent: bool,
}

/// Finds the last record as Python's `zipfile` does: offsets count from where the archive starts, so that something may
/// stand before it.
pub(super) fn find(source: Source<'_>) -> Result<End, Error> {
    let start = source.len().saturating_sub(TAIL);
    let tail = read(source, start, usize::try_from(source.len() - start).unwrap_or(0))?;
    let bare = tail.len().checked_sub(END_LENGTH).filter(|at| Record(tail.get(*at..).unwrap_or_default()).has(END));
    let at = bare.or_else(|| tail.windows(END_LENGTH).rposition(|window| window.starts_with(&END)));
    let Some(at) = at else { return Err(BadZip::NotZip.into()) };
    let record = Record(tail.get(at..).unwrap_or_default());
    let mut end = End {
        count: record.u16(10).into(),
        size: record.u32(12).into(),
        offset: record.u32(16).into(),
        base: 0,
        record: start + at as u64,
        comment: record.u16(20).into(),
        wide: false,
        consistent: record.u16(4) == 0 && record.u16(6) == 0 && record.u16(8) == record.u16(10),
    };
    let mut directory_end = end.record;
    if let Some(wide) = find64(source, end.record)? {
        directory_end = directory_end.saturating_sub((LOCATOR64_LENGTH + END64_LENGTH) as u64);
        end = wide.widen(&end);
    }
    let base = directory_end.checked_sub(end.size).and_then(|directory| directory.checked_sub(end.offset));
    end.base = base.ok_or_else(|| malformed("its central directory lies outside of it"))?;
    Ok(end)
}

/// The numbers of a ZIP64 record.
struct Wide {
    count: u64,
    size: u64,
    offset: u64,
    /// Where the locator says that the record starts.
    located: u64,
    consistent: bool,
}

impl Wide {
    /// They come before those of the short record, which are all ones where they have no room, or should be the same.
    fn widen(self, short: &End) -> End {
        let Wide { count, size, offset, located, consistent } = self;
        let same = |short: u64, full: u64, wide: u64| short == full || short == wide;
        let agrees = same(short.count, u16::MAX.into(), count)
            && same(short.size, u32::MAX.into(), size)
            && same(short.offset, u32::MAX.into(), offset)
            && offset.checked_add(size) == Some(located);
        End { count, size, offset, wide: true, consistent: short.consistent && consistent && agrees, ..short.clone() }
    }
}

/// The record of ZIP64 right before the record at `at`. Data between them are not allowed.
fn find64(source: Source<'_>, at: u64) -> Result<Option<Wide>, Error> {
    let Some(locator_at) = at.checked_sub(LOCATOR64_LENGTH as u64) else { return Ok(None) };
    let bytes = read(source, locator_at, LOCATOR64_LENGTH)?;
    let locator = Record(&bytes);
    if !locator.has(LOCATOR64) {
        return Ok(None);
    }
    let record_at = locator_at.checked_sub(END64_LENGTH as u64).ok_or_else(|| malformed("ZIP64 record is missing"))?;
    let bytes = read(source, record_at, END64_LENGTH)?;
    let record = Record(&bytes);
    if !record.has(END64) {
        return Err(malformed("ZIP64 record is missing, or followed by extensible data"));
    }
    Ok(Some(Wide {
        count: record.u64(32),
        size: record.u64(40),
        offset: record.u64(48),
        located: locator.u64(8),
        consistent: record.u64(4) == (END64_LENGTH - 12) as u64
            && record.u64(24) == record.u64(32)
            && [record.u32(16), record.u32(20), locator.u32(4)] == [0; 3]
            && locator.u32(16) <= 1,
    }))
}

fn read(source: Source<'_>, offset: u64, length: usize) -> Result<std::borrow::Cow<'_, [u8]>, Error> {
    source.read(offset, length).map_err(Error::Read)?.ok_or_else(|| malformed("it ends too early"))
}
