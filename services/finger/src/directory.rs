//! The users in force: read from the file at start and again whenever it changes, the last good ones kept.
//!
//! Changes are seen by looking at the file each second, not by inotify: that works on network file systems and for files
//! that are replaced, linked or missing for a while. Whoever answers takes a snapshot of the users and keeps it for the
//! whole answer.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use opsctl_http::Stamp;

use crate::users::{Faults, Users};

/// Largest users file in bytes: a million users of 64 bytes.
const FILE_MAX: u64 = 64 << 20;

/// Why there are no users, or none newer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to read users file `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("users file `{0}` is no regular file")]
    NoFile(PathBuf),
    #[error("users file `{0}` has more than {FILE_MAX} bytes")]
    TooLarge(PathBuf),
    #[error("{0}")]
    Faults(Faults),
}

/// A users file and what was last read from it.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    users: ArcSwap<Users>,
    /// The file as it was when it was last looked at; none if it could not be.
    seen: Mutex<Option<Stamp>>,
}

impl Directory {
    /// Reads the file; without one that is whole there is nothing to begin with.
    pub(crate) fn open(path: PathBuf) -> Result<Directory, Error> {
        let stamp = Stamp::of(&path).ok(); // before reading: what is written meanwhile is read the next time
        let users = read(&path)?;
        Ok(Directory { path, users: ArcSwap::from_pointee(users), seen: Mutex::new(stamp) })
    }

    /// The users now.
    pub(crate) fn users(&self) -> Arc<Users> {
        self.users.load_full()
    }

    /// Reads the file again if it is not as it was. `None`: nothing has changed; an error is reported once, and the
    /// users stay what they were.
    pub(crate) fn refresh(&self) -> Option<Result<usize, Error>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&self.path).ok();
        if std::mem::replace(&mut *seen, stamp) == stamp {
            return None;
        }
        Some(read(&self.path).map(|users| {
            let count = users.len();
            self.users.store(Arc::new(users));
            count
        }))
    }
}

/// Reads and parses a users file.
pub(crate) fn read(path: &Path) -> Result<Users, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(Error::NoFile(path.to_owned())); // a pipe would keep us waiting
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > FILE_MAX) {
        return Err(Error::TooLarge(path.to_owned()));
    }
    Users::parse(path, &bytes).map_err(Error::Faults)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Changes a file with `change` and says what a directory that has seen `moshez: well` makes of it.
    fn check(change: impl FnOnce(&Path), refreshed: &str, status: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        fs::write(&path, "moshez: well\n").unwrap();
        let directory = Directory::open(path.clone()).unwrap();
        assert!(directory.refresh().is_none(), "nothing has changed yet");
        change(&path);
        let seen = match directory.refresh() {
            None => "unchanged".to_owned(),
            Some(Ok(count)) => format!("{count} users"),
            Some(Err(error)) => error.to_string().replace(&*folder.path().to_string_lossy(), ""),
        };
        assert_eq!(seen, refreshed);
        assert_eq!(directory.users().get("moshez"), status);
        assert!(directory.refresh().is_none(), "told once");
        fs::write(&path, "moshez: back again\n").unwrap();
        assert!(matches!(directory.refresh(), Some(Ok(1))), "mended");
        assert_eq!(directory.users().get("moshez"), Some("back again"));
    }

    #[test]
    fn changes_are_taken_on() {
        check(|_| (), "unchanged", Some("well"));
        check(|path| fs::write(path, "shawn: a\nmoshez: b\n").unwrap(), "2 users", Some("b"));
        check(|path| fs::write(path, "").unwrap(), "0 users", None);
        let rename = |path: &Path| {
            fs::write(path.with_extension("new"), "moshez: ill!\n").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        };
        check(rename, "1 users", Some("ill!"));
    }

    #[test]
    fn the_last_good_users_stay() {
        check(|path| fs::write(path, "moshez\n").unwrap(), "/users:1:7: no `:` between user and status", Some("well"));
        check(|path| fs::remove_file(path).unwrap(), "failed to read users file `/users`", Some("well"));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(Error::NoFile(_))));
        assert!(matches!(read(&folder.path().join("none")), Err(Error::Read { .. })));
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(FILE_MAX + 1).unwrap();
        assert!(matches!(read(&large), Err(Error::TooLarge(_))));
    }
}
