//! Tar archives (POSIX.1-2001 pax, ustar, GNU): member after member from a stream, with nothing kept but the current header.
//!
//! An own reader of a small part of the format, as with zip. What readers see differently is refused for uploads: two
//! lengths for one member, data behind members that have none, names in places that only some look at. In a folder's files
//! it is read as Python's `tarfile` reads it.

mod header;
mod pax;
mod stream;

pub(crate) use header::Type;
pub(crate) use stream::{Tar, classify};

use super::source::Source;
use crate::Error;

/// Does it start as a tar archive that is not packed?
pub(crate) fn starts(source: Source<'_>) -> Result<bool, Error> {
    let block = source.read(0, header::BLOCK).map_err(Error::Read)?;
    let block = block.as_deref().and_then(|block| block.try_into().ok());
    Ok(block.and_then(header::parse).is_some())
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// Where a link leads; empty otherwise.
    pub(crate) target: String,
    /// Bytes of content.
    pub(crate) size: u64,
}

/// What is wrong with a tar archive, or with what it is packed by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTar {
    /// The first thing in it is no header.
    #[error("file is not a tarfile")]
    NotTar,
    /// It ends too early, or a checksum does not fit.
    #[error("the tar file is damaged: {0}")]
    Damaged(&'static str),
    /// The gzip or bzip2 around it is damaged.
    #[error("the compression of the tar file is damaged")]
    Compression,
    /// More members than allowed.
    #[error("the tar file has too many members")]
    TooManyMembers,
    /// It unpacks to too much.
    #[error("file exceeds the compression ratio or the size that an archive may have")]
    Bomb,
    /// A header that only says more about the next one, and is too long.
    #[error("the tar file has a header that is too long")]
    LongHeader,
    /// A file with holes.
    #[error("sparse members are not allowed: `{}`", .0.escape_debug())]
    Sparse(String),
    /// A device, a pipe, or something unknown.
    #[error("`{}` in the tar file is neither a file nor a folder nor a link", .0.escape_debug())]
    Special(String),
    /// Bytes behind the end of the archive.
    #[error("trailing data in the tar file")]
    Trailing,
    /// A name that harms.
    #[error("`{}` is no name for a member: {reason}", .name.escape_debug())]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two members of one name; the last one is unpacked.
    #[error("`{}` is in the tar file twice", .0.escape_debug())]
    Duplicate(String),
    /// A link to somewhere outside, or something below a link.
    #[error("`{}` in the tar file is a link that leads outside of it, or below a link", .0.escape_debug())]
    Link(String),
    /// Something that readers see differently.
    #[error("`{}` in the tar file is ambiguous: {what}", .name.escape_debug())]
    Ambiguous {
        /// The member.
        name: String,
        /// What about it.
        what: &'static str,
    },
}
