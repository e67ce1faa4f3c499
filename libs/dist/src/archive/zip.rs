//! Zip archives (APPNOTE.TXT): the central directory, and members by name.
//!
//! An own reader of a small part of the format, because what matters here is what other readers might see differently:
//! [`strict`] walks every header of an upload. Stored and deflated members only; nothing is ever written to a disk.

mod bytes;
mod directory;
mod end;
mod extra;
mod member;
mod strict;

pub(crate) use directory::Entry;

use super::Limits;
use super::source::Source;
use crate::{Error, Fault};

/// A zip archive with its directory read.
#[derive(Debug)]
pub(crate) struct Zip<'a> {
    source: Source<'a>,
    end: end::End,
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
    /// It unpacks to far more than it has.
    #[error("file exceeds the compression ratio or the size that an archive may have")]
    Bomb,
    /// Bytes before the first member, between members or behind the end.
    #[error("{0} data")]
    Stray(&'static str),
    /// A name that not all readers see alike, or that leads out of a folder.
    #[error("`{}` is no name for a member: {reason}", .name.escape_debug())]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two members of one name.
    #[error("duplicate filename `{0}` in the zip file")]
    Duplicate(String),
    /// Local header and central directory say different things.
    #[error("mis-matched {what} of `{}` in local header and central directory", .name.escape_debug())]
    Differs {
        /// Which member.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// Lengths behind the data of a member.
    #[error("ZIP contains a data descriptor")]
    DataDescriptor,
    /// A comment on a member.
    #[error("comment in central directory")]
    Comment,
}

impl<'a> Zip<'a> {
    pub(crate) fn open(source: Source<'a>, limits: &Limits) -> Result<Zip<'a>, Error> {
        let end = end::find(source)?;
        let entries = directory::read(source, &end, limits)?;
        Ok(Zip { source, end, entries })
    }

    /// The bytes of a member, at most `limit`.
    pub(crate) fn read(&self, entry: &Entry, limit: usize) -> Result<Vec<u8>, Error> {
        member::read(self.source, self.end.base, entry, limit)
    }

    /// Hands the bytes of a member on, piece by piece, and compares length and checksum with the directory's.
    pub(crate) fn copy(&self, entry: &Entry, take: impl FnMut(&[u8])) -> Result<(), Error> {
        member::copy(self.source, self.end.base, entry, take)
    }

    /// Would every reader see the same members in it, and none that harms? All but the members' bytes is looked at.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        strict::check(self, limits)
    }

    /// Does every member unpack to what the directory says of it?
    pub(crate) fn check_members(&self) -> Result<(), Error> {
        self.entries.iter().try_for_each(|entry| self.copy(entry, |_| {}))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

fn malformed(what: &'static str) -> Error {
    BadZip::Malformed(what).into()
}

impl From<BadZip> for Error {
    fn from(bad: BadZip) -> Self {
        Fault::from(bad).into()
    }
}
