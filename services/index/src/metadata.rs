//! The metadata of a file by itself (PEP 658): read out of the archive again each time, since a copy of each would take
//! more room than the pages, and most are never asked for. In a bucket there is a copy, since to look into an archive
//! there takes many requests.

use std::fs;
use std::io;

use opsctl_dist::{Distribution, Level, Metadata};
use tokio::runtime::Handle;

use crate::catalog::{File, Place};
use crate::folder::Stamp;

/// METADATA or PKG-INFO of `file`, exactly as in the archive. None if the file is gone, or has none. Blocks on disk or bucket.
///
/// # Errors
/// The file is not what it was any more.
pub(crate) fn of(file: &File) -> io::Result<Option<Vec<u8>>> {
    // whoever asks compares the digest of what is read: the rest of the file need not be
    match &file.place {
        Place::Folder { root, path, .. } => match fs::File::open(root.join(&**path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            open => Distribution::metadata_of(&open?, &file.filename).map_err(io::Error::other),
        },
        Place::Bucket { bucket, key, .. } => {
            let read = Handle::current().block_on(bucket.metadata(key));
            Ok(read.map_err(io::Error::other)?.map(Vec::from))
        }
    }
}

/// What METADATA or PKG-INFO of `file` says, for people to look at: of a wheel only that is read. None if the file is gone
/// or changed, or says nothing that can be understood. Blocks on disk or bucket.
pub(crate) fn about(file: &File) -> Option<Metadata> {
    let bytes = match &file.place {
        Place::Folder { root, path, stamp } => {
            let open = fs::File::open(root.join(&**path)).ok()?;
            let is_same = open.metadata().is_ok_and(|now| Stamp::from(&now) == *stamp);
            Distribution::metadata_of(&open, &file.filename).ok().flatten().filter(|_| is_same)
        }
        Place::Bucket { .. } => of(file).ok().flatten(),
    }?;
    Metadata::parse(&bytes, Level::Lenient).ok().map(|(metadata, _)| metadata)
}
