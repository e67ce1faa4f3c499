//! Zip archives (APPNOTE.TXT): the central directory, and members by name.
//!
//! An own reader of a small part of the format, because what matters here is what other readers might see differently:
//! [`strict`] walks every header of an upload. Stored and deflated members only; nothing is ever written to a disk.

mod bytes;
mod directory;
mod end;
mod member;

pub(crate) use directory::Entry;

use super::Limits;
use super::source::Source;
use crate::{Error, Fault};

/// A zip archive with its directory read.
#[derive(Debug)]
pub(crate) struct Zip<'a> {
    source: Source<'a>,
    /// Where the archive starts in the source, if something stands before it.
    base: u64,
    pub(crate) entries: Vec<Entry>,
}

/// What is wrong with a zip archive. The words are those that the public index has for it, where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadZip {
    /// No end of a central directory.
    #[error("file is not a zip file")]
    NotZip,
    /// Numbers in it point elsewhere, or it ends too early.
    #[error("malformed zip file: {0}")]
    Malformed(&'static str),
    /// More members than allowed.
    #[error("the zip file has too many members")]
    TooManyMembers,
    /// A member that is longer than anybody needs, or longer than it says.
    #[error("`{}` in the zip file is too long", .0.escape_debug())]
    TooLong(String),
    /// A member that does not unpack to what the directory says of it.
    #[error("`{}` in the zip file is damaged", .0.escape_debug())]
    Damaged(String),
    /// Neither stored nor deflated, or encrypted.
    #[error("`{}` in the zip file does not use a supported compression type", .0.escape_debug())]
    Compression(String),
}

impl<'a> Zip<'a> {
    pub(crate) fn open(source: Source<'a>, limits: &Limits) -> Result<Zip<'a>, Error> {
        let end = end::find(source)?;
        let entries = directory::read(source, &end, limits)?;
        Ok(Zip { source, base: end.base, entries })
    }

    /// The bytes of a member, at most `limit`.
    pub(crate) fn read(&self, entry: &Entry, limit: usize) -> Result<Vec<u8>, Error> {
        member::read(self.source, self.base, entry, limit)
    }
}

fn malformed(what: &'static str) -> Error {
    Fault::from(BadZip::Malformed(what)).into()
}
