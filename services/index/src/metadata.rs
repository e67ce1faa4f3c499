//! The metadata of a file by itself (PEP 658): read out of the archive again each time, since a copy of each would take
//! more room than the pages, and most are never asked for.

use std::fs;
use std::io;

use opsctl_dist::{Distribution, Level, Metadata};

use crate::catalog::{File, Place};
use crate::folder::Stamp;

/// METADATA or PKG-INFO of `file`, exactly as in the archive. None if the file is gone, or has none. Blocks on the disk.
///
/// # Errors
/// The file is not what it was any more.
pub(crate) fn of(file: &File) -> io::Result<Option<Vec<u8>>> {
    let Place::Folder { root, path, .. } = &file.place;
    let open = match fs::File::open(root.join(&**path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        open => open?,
    };
    // whoever asks compares the digest of what is read: the rest of the file need not be
    Distribution::metadata_of(&open, &file.filename).map_err(io::Error::other)
}

/// What METADATA or PKG-INFO of `file` says, for people to look at: of a wheel only that is read. None if the file is gone
/// or changed, or says nothing that can be understood. Blocks on the disk.
pub(crate) fn about(file: &File) -> Option<Metadata> {
    let Place::Folder { root, path, stamp } = &file.place;
    let open = fs::File::open(root.join(&**path)).ok()?;
    let is_same = open.metadata().is_ok_and(|now| Stamp::from(&now) == *stamp);
    let bytes = Distribution::metadata_of(&open, &file.filename).ok().flatten().filter(|_| is_same)?;
    Metadata::parse(&bytes, Level::Lenient).ok().map(|(metadata, _)| metadata)
}
