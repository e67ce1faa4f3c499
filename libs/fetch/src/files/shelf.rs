//! The folder: `aa/<sha256>` for what is whole, `tmp/` for what is not. Times of last use are the files' own times of
//! change, so that they outlive the program without a database.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Digest, hex};

/// A file's time is written again only when it is older than this.
const COARSE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    limit: u64,
    bytes: u64,
    next: u64,
    files: HashMap<Digest, Entry>,
    /// By time of last use.
    order: BTreeSet<(SystemTime, Digest)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    size: u64,
    used: SystemTime,
}

impl Shelf {
    pub(crate) fn open(root: &Path, limit: u64) -> io::Result<Self> {
        let tmp = root.join("tmp");
        fs::create_dir_all(&tmp)?;
        for left in fs::read_dir(&tmp)? {
            fs::remove_file(left?.path())?;
        }
        let mut shelf =
            Self { root: root.to_owned(), limit, bytes: 0, next: 0, files: HashMap::new(), order: BTreeSet::new() };
        for folder in fs::read_dir(root)? {
            let folder = folder?;
            if folder.file_name().len() != 2 {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let Some(digest) = file.file_name().to_str().and_then(unhex) else { continue };
                let about = file.metadata()?;
                shelf.note(digest, Entry { size: about.len(), used: about.modified()? });
            }
        }
        shelf.evict();
        Ok(shelf)
    }

    pub(super) fn size(&self) -> (u64, usize) {
        (self.bytes, self.files.len())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = hex(digest);
        self.root.join(&name[..2]).join(name)
    }

    /// The file's path, if it is here; it has been used now.
    pub(crate) fn take(&mut self, digest: &Digest) -> Option<PathBuf> {
        let entry = *self.files.get(digest)?;
        let (path, now) = (self.path(digest), SystemTime::now());
        if now.duration_since(entry.used).is_ok_and(|age| age > COARSE) {
            // a file that somebody removed is no longer here; one whose time cannot be set is only evicted sooner
            let touched = File::open(&path).and_then(|file| file.set_modified(now));
            if touched.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                self.forget(digest);
                return None;
            }
            self.note(*digest, Entry { used: now, ..entry });
        } else if !path.exists() {
            self.forget(digest);
            return None;
        }
        Some(path)
    }

    /// A name that nobody else has, for a file that comes in.
    pub(crate) fn staging(&mut self) -> PathBuf {
        self.next += 1;
        self.root.join("tmp").join(self.next.to_string())
    }

    /// A file is whole: it gets its name, and others go if need be.
    pub(crate) fn put(&mut self, digest: Digest, size: u64, from: &Path) -> io::Result<PathBuf> {
        let path = self.path(&digest);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(from, &path)?;
        self.note(digest, Entry { size, used: SystemTime::now() });
        self.evict();
        Ok(path)
    }

    pub(crate) fn remove(&mut self, digest: &Digest) {
        if self.forget(digest) {
            // nothing to mend if it is gone already
            let _ = fs::remove_file(self.path(digest));
        }
    }

    fn note(&mut self, digest: Digest, entry: Entry) {
        self.forget(&digest);
        self.bytes += entry.size;
        self.order.insert((entry.used, digest));
        self.files.insert(digest, entry);
    }

    fn forget(&mut self, digest: &Digest) -> bool {
        let Some(entry) = self.files.remove(digest) else { return false };
        self.order.remove(&(entry.used, *digest));
        self.bytes -= entry.size;
        true
    }

    /// The newest stays, even if it alone is beyond the limit: somebody is about to read it.
    fn evict(&mut self) {
        while self.bytes > self.limit && self.files.len() > 1 {
            let Some((_, digest)) = self.order.first().copied() else { return };
            self.remove(&digest);
        }
    }
}

fn unhex(name: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(name.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(shelf: &mut Shelf, byte: u8, size: usize) -> PathBuf {
        let from = shelf.staging();
        fs::write(&from, vec![byte; size]).unwrap();
        shelf.put([byte; 32], size as u64, &from).unwrap()
    }

    #[test]
    fn the_least_used_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(folder.path(), 100).unwrap();
        let [one, two] = [1, 2].map(|byte| put(&mut shelf, byte, 40));
        assert_eq!(shelf.size(), (80, 2));
        // the first was used long ago, and then again
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::open(&one).unwrap().set_modified(old).unwrap();
        File::open(&two).unwrap().set_modified(old + Duration::from_secs(1)).unwrap();
        let mut shelf = Shelf::open(folder.path(), 100).unwrap();
        assert_eq!(shelf.take(&[1; 32]), Some(one.clone()));
        put(&mut shelf, 3, 40);
        assert!(one.exists() && !two.exists());
        assert_eq!((shelf.size(), shelf.take(&[2; 32])), ((80, 2), None));
        put(&mut shelf, 4, 400);
        assert_eq!(shelf.size(), (400, 1));
    }

    #[test]
    fn what_is_there_is_found_again_and_leftovers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(folder.path(), 100).unwrap();
        let path = put(&mut shelf, 7, 10);
        let left = shelf.staging();
        fs::write(&left, "half").unwrap();
        fs::write(folder.path().join("07").join("stranger"), "x").unwrap();
        let mut shelf = Shelf::open(folder.path(), 100).unwrap();
        assert_eq!(shelf.size(), (10, 1));
        assert!(!left.exists());
        fs::remove_file(&path).unwrap();
        assert_eq!((shelf.take(&[7; 32]), shelf.size()), (None, (0, 0)));
    }

    #[test]
    fn names_are_digests() {
        assert_eq!(unhex(&hex(&[0xa7; 32])), Some([0xa7; 32]));
        for name in ["", "zz", &"é".repeat(32), &"+1".repeat(32), &"g0".repeat(32)] {
            assert_eq!(unhex(name), None, "{name}");
        }
    }
}
