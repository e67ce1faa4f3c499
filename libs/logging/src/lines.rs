//! Places for lines: the standard streams and a file that can be opened anew.
//!
//! A line is one write(2), under a lock: on a pipe, a line longer than the pipe's atomic size would otherwise mix with
//! another thread's. Should the system take only a part (a full disk), the next line begins with a line break, so that
//! one line is torn and not two.
//!
//! The streams are written by their numbers and never duplicated: detaching points the numbers elsewhere.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use nix::unistd;

use crate::Error;

/// A new log file's mode, less the umask: other accounts have no business in it.
const MODE: Mode = Mode::from_bits_truncate(0o640);

/// Group and others may write.
const SHARED: u32 = 0o022;

/// A place that takes lines.
#[derive(Debug)]
pub(crate) enum Place {
    Stdout(Mutex<Torn>),
    Stderr(Mutex<Torn>),
    File(LogFile),
}

/// Whether the last line was written only in part.
#[derive(Debug, Default)]
pub(crate) struct Torn(bool);

impl Place {
    /// Writes `line`, which ends with its line break.
    pub(crate) fn write(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(torn) => lock(torn).write(io::stdout(), line),
            Self::Stderr(torn) => lock(torn).write(io::stderr(), line),
            Self::File(file) => {
                let Current { file, torn } = &mut *lock(&file.current);
                torn.write(file, line)
            }
        }
    }
}

impl Torn {
    fn write(&mut self, fd: impl AsFd, line: &[u8]) -> io::Result<()> {
        let mended;
        let mut rest = line;
        if self.0 {
            mended = [b"\n", line].concat();
            rest = &mended;
        }
        let mut begun = false;
        while !rest.is_empty() {
            match unistd::write(fd.as_fd(), rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    begun = true;
                    self.0 = !rest.is_empty();
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    self.0 |= begun;
                    return Err(errno.into());
                }
            }
        }
        Ok(())
    }
}

/// A file by its name in a folder that is kept open: the name can be opened again after a chroot, a change of the
/// working folder or a drop of privileges.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    folder: OwnedFd,
    name: OsString,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    file: File,
    torn: Torn,
}

impl LogFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::file("open", path, source);
        let name = path.file_name().ok_or_else(|| fail(io::ErrorKind::IsADirectory.into()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let folder = open(parent, flags, Mode::empty()).map_err(|errno| fail(errno.into()))?;
        let file = open_in(&folder, name).map_err(fail)?;
        let current = Mutex::new(Current { file, torn: Torn::default() });
        Ok(Self { path: path.to_owned(), folder, name: name.to_owned(), current })
    }

    /// Opens the name anew, then swaps. Between two lines, since every line is written under the same lock; a name that
    /// cannot be opened changes nothing.
    pub(crate) fn reopen(&self) -> Result<(), Error> {
        let fail = |source| Error::file("open anew", &self.path, source);
        if !self.metadata().map_err(fail)?.is_file() {
            // A device or a pipe: nothing was rotated, and after a drop it might not be opened again.
            return Ok(());
        }
        let file = open_in(&self.folder, &self.name).map_err(fail)?;
        // The old file is closed when the lock is free again.
        let old = std::mem::replace(&mut *lock(&self.current), Current { file, torn: Torn::default() });
        drop(old);
        Ok(())
    }

    pub(crate) fn give_to(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        let fail = |source| Error::file("give away", &self.path, source);
        let metadata = self.metadata().map_err(fail)?;
        let same = uid.is_none_or(|uid| uid == metadata.uid()) && gid.is_none_or(|gid| gid == metadata.gid());
        if same || !metadata.is_file() {
            return Ok(());
        }
        if metadata.nlink() > 1 {
            // Whoever owns the folder may have linked a file here that is not his.
            return Err(fail(io::Error::other("it has several names")));
        }
        fchown(&lock(&self.current).file, uid, gid).map_err(fail)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        lock(&self.current).file.metadata()
    }
}

fn open_in(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let once = |extra| {
        let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CLOEXEC | OFlag::O_NOCTTY | extra;
        openat(folder, name, flags, MODE)
    };
    // Without O_CREAT first: with it the kernel keeps even root from another's file in a sticky folder.
    let file = match once(OFlag::O_NOFOLLOW) {
        Err(Errno::ENOENT) => once(OFlag::O_NOFOLLOW | OFlag::O_CREAT),
        Err(Errno::ELOOP) if may_follow(folder)? => once(OFlag::O_CREAT),
        other => other,
    }?;
    Ok(file.into())
}

/// As root, a link (`/dev/stderr`) is followed only where nobody else could have put it.
fn may_follow(folder: &OwnedFd) -> io::Result<bool> {
    let own = unistd::geteuid();
    if !own.is_root() {
        return Ok(true);
    }
    let metadata = nix::sys::stat::fstat(folder)?;
    Ok(metadata.st_uid == own.as_raw() && metadata.st_mode & SHARED == 0)
}

/// A thread that panicked while it wrote left at worst a torn line.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
