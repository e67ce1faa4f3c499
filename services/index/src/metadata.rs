//! The metadata of a file by itself (PEP 658): read out of the archive again each time, since a copy of each would take
//! more room than the pages, and most are never asked for.

use std::io;

use opsctl_dist::Distribution;

use crate::catalog::{File, Place};

/// METADATA or PKG-INFO of `file`, exactly as in the archive. None if the file is gone, or has none. Blocks on the disk.
///
/// # Errors
/// The file is not what it was any more.
pub(crate) fn of(file: &File) -> io::Result<Option<Vec<u8>>> {
    let Place::Folder { root, path, .. } = &file.place;
    match Distribution::read(&root.join(&**path)) {
        Ok(distribution) => Ok(distribution.metadata_bytes),
        Err(opsctl_dist::Error::Read(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}
