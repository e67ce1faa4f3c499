//! What the system knows of a file without reading it: enough to tell that it is still the one that was read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// A file at one moment. Two stamps that agree in time of change, size and inode mean the same content, as far as that
/// can be told without reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Modification time, nanoseconds since 1970.
    pub(crate) modified: i64,
    /// Bytes.
    pub(crate) size: u64,
    /// Inode, unique on its file system at one moment.
    pub(crate) inode: u64,
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Stamp {
        Stamp {
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        }
    }
}

/// When somebody last wrote to the file, or gave it its name, times or rights: unlike the modification time, which
/// `cp -p` sets into the past, this cannot be chosen. Nanoseconds since 1970.
pub(crate) fn touched(metadata: &Metadata) -> i64 {
    nanoseconds(metadata.ctime(), metadata.ctime_nsec()).max(nanoseconds(metadata.mtime(), metadata.mtime_nsec()))
}

/// Times that no 64-bit number of nanoseconds holds (before 1678, after 2262) are the nearest that it does.
fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(SECOND).saturating_add(nanoseconds)
}
