//! The pid file: a lock first, a number second.
//!
//! Whether another instance lives is decided by `flock` alone, which the kernel lets go of with the process. The number
//! is for people and scripts and is never believed: a file with garbage in it, or with the pid of a living stranger
//! (what a restarted container leaves behind), does not block a start.
//!
//! The lock belongs to the open file, which a fork shares, so it may be taken before or after [`super::daemon::detach`].
//! The folder is kept open too: the file can be removed after a chroot. Where the account may not remove it any more it
//! is emptied instead.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::fstatat;
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Enough for the largest pid (Linux: 4194304) and white space around it.
const LONGEST: usize = 32;

/// How often a file may vanish between our opening and locking it. Each time means that its holder ended just then.
const TRIES: usize = 100;

/// Why the pid file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else holds the lock, hence lives.
    #[error("pid file `{}` is held by {}", path.display(), pid.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Held {
        /// The file.
        path: PathBuf,
        /// What the holder wrote, if it wrote already.
        pid: Option<u32>,
    },
    /// It is a folder, a device or a link, none of which we would want to empty.
    #[error("pid file `{}` is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("failed to {what} pid file `{}`", path.display())]
    Io {
        /// `open`, `lock`, `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

/// A locked pid file. Dropped, it is removed if this process is the one it names, or locked it and never wrote.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    folder: File,
    name: OsString,
    file: File,
    /// The process that took the lock.
    locker: u32,
}

impl PidFile {
    /// Opens or creates `path` (mode 644, less the umask), locks it for as long as the value lives, and empties it.
    ///
    /// # Errors
    /// [`Error::Held`] if another process lives and holds it; never because of what the file contains.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        for _ in 0..TRIES {
            let this = Self::try_lock(path)?;
            if this.is_current() {
                this.file.set_len(0).map_err(|source| this.fault("write", source))?;
                return Ok(this);
            }
            // Its last holder removed it after we had opened it: what we locked has no name. Again.
        }
        let source = io::Error::other("it is replaced again and again");
        Err(Error::Io { what: "lock", path: path.to_owned(), source })
    }

    fn try_lock(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().ok_or_else(|| Error::NotAFile { path: path.to_owned() })?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let fail = |what, source| Error::Io { what, path: path.to_owned(), source };
        let folder = File::open(parent).map_err(|source| fail("open", source))?;
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => {
                Ok(Self { path: path.to_owned(), folder, name: name.to_owned(), file, locker: std::process::id() })
            }
            Err(TryLockError::WouldBlock) => Err(Error::Held { path: path.to_owned(), pid: number(&file) }),
            Err(TryLockError::Error(source)) => Err(fail("lock", source)),
        }
    }

    /// Writes the number, which is the process's final one: after [`super::daemon::detach`].
    ///
    /// # Errors
    /// The disk is full or failing.
    pub fn write(&self, pid: u32) -> Result<(), Error> {
        let text = format!("{pid}\n");
        let length = text.len().try_into().unwrap_or(u64::MAX);
        // In this order no reader meets an empty file.
        self.file
            .write_all_at(text.as_bytes(), 0)
            .and_then(|()| self.file.set_len(length))
            .map_err(|source| self.fault("write", source))
    }

    fn fault(&self, what: &'static str, source: io::Error) -> Error {
        Error::Io { what, path: self.path.clone(), source }
    }

    /// Whether the name still leads to the file that we hold.
    fn is_current(&self) -> bool {
        let Ok(held) = self.file.metadata() else { return false };
        fstatat(&self.folder, self.name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
            .is_ok_and(|named| (named.st_dev, named.st_ino) == (held.dev(), held.ino()))
    }

    fn is_ours(&self) -> bool {
        let own = std::process::id();
        match number(&self.file) {
            Some(pid) => pid == own,
            // Nobody wrote: the start failed, and whoever locked it clears up. Its forks leave it alone.
            None => self.locker == own,
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        // While we hold the lock nobody else puts a file of theirs under this name.
        let name = self.name.as_os_str();
        let removed = self.is_current() && unlinkat(&self.folder, name, UnlinkatFlags::NoRemoveDir).is_ok();
        if !removed {
            let _ = self.file.set_len(0);
        }
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o644).custom_flags(flags.bits());
    // Without O_CREAT first: with it the kernel keeps even root from another's file in a sticky folder.
    let opened = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => options.create(true).open(path),
        other => other,
    };
    let file = opened.map_err(|source| match Errno::from_raw(source.raw_os_error().unwrap_or(0)) {
        Errno::ELOOP => Error::NotAFile { path: path.to_owned() },
        _ => Error::Io { what: "open", path: path.to_owned(), source },
    })?;
    if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        Ok(file)
    } else {
        Err(Error::NotAFile { path: path.to_owned() })
    }
}

/// The number in a pid file, if there is one.
fn number(file: &File) -> Option<u32> {
    let mut buffer = [0; LONGEST];
    let length = file.read_at(&mut buffer, 0).ok()?;
    std::str::from_utf8(buffer.get(..length)?).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Barrier;

    use super::super::{daemon, fork, privileges, testing};
    use super::*;

    /// Whatever `content` the file has, it can be locked and written, and is gone afterwards.
    fn check(content: Option<&[u8]>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let file = PidFile::lock(&path).unwrap();
        file.write(std::process::id()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn no_content_blocks() {
        check(None);
        check(Some(b""));
        check(Some(b"garbage\xff that is far longer than any pid could ever be in this file\n"));
        // A stranger who lives: the parent of this process, pid 1 and this process itself.
        check(Some(nix::unistd::getppid().to_string().as_bytes()));
        check(Some(b"1\n"));
        check(Some(std::process::id().to_string().as_bytes()));
    }

    #[test]
    fn a_holder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        let held = PidFile::lock(&path).unwrap();
        let message = |error: Error| error.to_string().replace(path.to_str().unwrap(), "F");
        assert_eq!(message(PidFile::lock(&path).unwrap_err()), "pid file `F` is held by another process");
        held.write(4711).unwrap();
        assert_eq!(message(PidFile::lock(&path).unwrap_err()), "pid file `F` is held by process 4711");
        assert_eq!(fs::read_to_string(&path).unwrap(), "4711\n", "a loser changes nothing");
        drop(held);
        assert!(path.exists(), "not ours, not removed");
        PidFile::lock(&path).unwrap();
    }

    #[test]
    fn of_two_racers_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        for _ in 0..200 {
            let start = Barrier::new(2);
            let finish = Barrier::new(2);
            let race = || {
                start.wait();
                let result = PidFile::lock(&path);
                finish.wait();
                result.is_ok()
            };
            let winners = std::thread::scope(|scope| {
                let other = scope.spawn(race);
                u8::from(race()) + u8::from(other.join().unwrap())
            });
            assert_eq!(winners, 1);
        }
    }

    /// One racer removes the file at the moment when the other opens it: never do both hold *the* file.
    #[test]
    fn a_removal_does_not_let_two_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        let inside = std::sync::atomic::AtomicU8::new(0);
        let work = || {
            for _ in 0..2000 {
                if let Ok(_file) = PidFile::lock(&path) {
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    }

    #[test]
    fn only_files_are_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("precious");
        fs::write(&target, "data").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [link.as_path(), Path::new("/dev/null"), Path::new("/")] {
            let error = PidFile::lock(path).unwrap_err();
            assert!(matches!(error, Error::NotAFile { .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "data");
    }

    /// Locked in the foreground, held by the daemon; the caller's process ends and takes nothing with it.
    #[test]
    fn the_lock_survives_detaching() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        let fifo = folder.path().join("stop");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let name = concat!(module_path!(), "::the_lock_survives_detaching");
        let output = testing::alone(name, &path, |path| {
            let file = PidFile::lock(path).unwrap();
            match daemon::detach().unwrap() {
                daemon::Detached::Parent(code) => {
                    drop(file);
                    code
                }
                daemon::Detached::Child(reporter) => {
                    file.write(std::process::id()).unwrap();
                    reporter.ready();
                    // Blocks until the test opens the other end.
                    fs::read(path.with_file_name("stop")).unwrap();
                    drop(file);
                    fs::write(path.with_file_name("stop"), "").unwrap();
                    fork::leave(0)
                }
            }
        });
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let pid: u32 = fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        match PidFile::lock(&path).unwrap_err() {
            Error::Held { pid: holder, .. } => assert_eq!(holder, Some(pid)),
            other => panic!("{other}"),
        }
        fs::write(&fifo, "").unwrap();
        fs::read(&fifo).unwrap();
        assert!(!path.exists(), "the daemon removes its file");
    }

    #[test]
    fn what_may_not_be_removed_is_emptied() {
        if !nix::unistd::geteuid().is_root() {
            use std::io::Write;
            writeln!(io::stderr(), "not root: checked only that locking needs the folder").unwrap();
            assert!(matches!(
                PidFile::lock(Path::new("/opsctl-test.pid")).unwrap_err(),
                Error::Io { what: "open", .. }
            ));
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opsctl.pid");
        let name = concat!(module_path!(), "::what_may_not_be_removed_is_emptied");
        let output = testing::alone(name, &path, |path| {
            let file = PidFile::lock(path).unwrap();
            file.write(std::process::id()).unwrap();
            privileges::Identity::resolve(Some("nobody"), None).unwrap().assume().unwrap();
            drop(file);
            0
        });
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(fs::read(&path).unwrap(), b"");
        PidFile::lock(&path).unwrap();
    }
}
