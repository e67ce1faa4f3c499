//! The file of a unix socket. One that nobody listens on any more is replaced, a live one never; the permissions are in
//! place before anyone can connect; the file goes when the last listener has closed.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

/// How often and at which distance another process is given time to finish binding in the same folder: a second in all.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Why a unix socket cannot be bound.
#[derive(Debug)]
pub(super) enum BindError {
    /// There is a file of that name, and it is no socket.
    Occupied,
    /// Anything else.
    Io(io::Error),
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A socket's file, removed with this value if nobody listens on it any more.
#[derive(Debug)]
pub(super) struct SocketFile {
    /// Absolute: the working folder may change.
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Listens on `path`.
pub(super) fn bind(path: &Path, mode: Option<u32>, backlog: i32) -> Result<(OwnedFd, SocketFile), BindError> {
    let path = path::absolute(path)?;
    let address = SockAddr::unix(&path)?;
    let _lock = lock_folder(&path);
    clear(&path, &address)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM.cloexec().nonblocking(), None)?;
    socket.bind(&address)?;
    let found = fs::symlink_metadata(&path)?;
    let file = SocketFile { device: found.dev(), inode: found.ino(), path };
    if let Some(mode) = mode {
        // until `listen` below nobody can connect
        fs::set_permissions(&file.path, Permissions::from_mode(mode))?;
    }
    socket.listen(backlog)?;
    Ok((socket.into(), file))
}

/// Holds off other processes of ours that are binding in the same folder: both would find the same stale file, and the
/// second would remove the first one's new socket. Without the lock (no right to read the folder, somebody keeps it
/// locked) things go on as well as they can.
fn lock_folder(path: &Path) -> Option<File> {
    let folder = File::open(path.parent()?).ok()?;
    for _ in 0..LOCK_TRIES {
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(folder),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
            Err(_) => return None,
        }
    }
    None
}

/// Removes the socket of a process that is gone.
fn clear(path: &Path, address: &SockAddr) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::Occupied),
        Ok(_) => {}
    }
    match abandoned(address) {
        Ok(true) => fs::remove_file(path).map_err(BindError::Io),
        Ok(false) => Err(io::Error::from(Errno::ADDRINUSE).into()),
        Err(error) => Err(error.into()),
    }
}

/// Is there a socket's file without anyone listening?
fn abandoned(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::STREAM.cloexec().nonblocking(), None)?;
    match probe.connect(address).map_err(|error| Errno::from_io_error(&error)) {
        Err(Some(Errno::CONNREFUSED)) => Ok(true),
        Err(Some(errno @ Errno::ACCESS)) => Err(errno.into()),
        // connected, or would be if the queue were not full, or it is a socket of another type
        _ => Ok(false),
    }
}

impl Drop for SocketFile {
    /// A failure leaves a stale file, which the next start replaces.
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        // a forked process may go on listening on it: then it is not stale
        let stale = || SockAddr::unix(&self.path).and_then(|address| abandoned(&address)).unwrap_or(false);
        if ours && stale() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
