//! Has a file changed? Told by what the system knows about it, without reading it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Modification time, size and identity of a file at one moment. Two stamps that are equal mean the same content, as
/// far as that can be told without reading: a file that is rewritten in place with the same size within one tick of the
/// file system's clock goes unnoticed, one that is replaced by renaming never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
    /// Bytes.
    size: u64,
    /// Device and inode.
    identity: (u64, u64),
}

impl Stamp {
    /// The stamp of the file that `path` leads to, links followed.
    ///
    /// # Errors
    /// What stat(2) says.
    pub fn of(path: impl AsRef<Path>) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    /// The stamp of an open file, which is that of the content read from it.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn of_file(file: &File) -> io::Result<Self> {
        file.metadata().map(|metadata| Self::from(&metadata))
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When it was modified; 1970 if before.
    #[must_use]
    pub fn modified(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.modified;
        match (u64::try_from(seconds), u32::try_from(nanoseconds)) {
            (Ok(seconds), Ok(nanoseconds)) => UNIX_EPOCH + Duration::new(seconds, nanoseconds),
            _ => UNIX_EPOCH,
        }
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "one").unwrap();
        let first = Stamp::of(&path).unwrap();
        assert_eq!(first, Stamp::of_file(&File::open(&path).unwrap()).unwrap());
        assert_eq!((first.size(), first.modified()), (3, fs::metadata(&path).unwrap().modified().unwrap()));

        let beside = folder.path().join("beside");
        fs::write(&beside, "two").unwrap();
        File::open(&beside).unwrap().set_modified(fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
        fs::rename(&beside, &path).unwrap();
        let replaced = Stamp::of(&path).unwrap();
        assert_ne!(first, replaced, "same size, same time, another file");

        fs::write(&path, "three").unwrap();
        assert_ne!(replaced, Stamp::of(&path).unwrap(), "another size");
        fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
