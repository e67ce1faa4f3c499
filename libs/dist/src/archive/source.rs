//! Where an archive's bytes are: in memory or in a file, read at any place without moving a shared position.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes with a known length.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    File { file: &'a File, length: u64 },
}

impl<'a> Source<'a> {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { length, .. } => *length,
        }
    }

    /// `length` bytes from `offset`; None if there are not so many. The caller bounds `length`.
    pub(crate) fn read(&self, offset: u64, length: usize) -> io::Result<Option<Cow<'a, [u8]>>> {
        if offset.checked_add(length as u64).is_none_or(|end| end > self.len()) {
            return Ok(None);
        }
        match self {
            Source::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                Ok(bytes.get(start..start.saturating_add(length)).map(Cow::Borrowed))
            }
            Source::File { file, .. } => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(Some(Cow::Owned(bytes)))
            }
        }
    }

    /// All from `offset` to `end`, for whoever reads on and on.
    pub(crate) fn reader(self, offset: u64, end: u64) -> Reader<'a> {
        Reader { source: self, offset, end: end.min(self.len()) }
    }
}

/// Reads a part of a source from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: Source<'a>,
    offset: u64,
    end: u64,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let Some(into) = into.get_mut(..wanted).filter(|into| !into.is_empty()) else { return Ok(0) };
        let count = match self.source {
            Source::Bytes(bytes) => {
                let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
                let from = bytes.get(start..start.saturating_add(wanted)).unwrap_or_default();
                into.get_mut(..from.len()).unwrap_or_default().copy_from_slice(from);
                from.len()
            }
            Source::File { file, .. } => file.read_at(into, self.offset)?,
        };
        self.offset += count as u64;
        Ok(count)
    }
}
