//! The three things that no safe wrapper offers: taking over descriptors that the service manager left open,
//! registering a listening socket with the runtime, and TCP_DEFER_ACCEPT. Nothing else goes in here.
#![expect(unsafe_code, reason = "these have no safe interface")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;
use rustix::io::FdFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The first descriptor that is passed (sd_listen_fds(3)).
const FIRST: RawFd = 3;

/// Takes over the `count` descriptors from 3 on and marks them close-on-exec. Works once in a process: the second call
/// would make a second owner, and gets None.
///
/// # Errors
/// The number of a descriptor that is not open.
pub(crate) fn take_inherited(count: u16) -> Option<Result<Vec<OwnedFd>, RawFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return None;
    }
    let numbers = FIRST..FIRST + RawFd::from(count);
    for number in numbers.clone() {
        // SAFETY: only borrowed for the call, which fails when the descriptor is not open.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC).is_err() {
            return Some(Err(number));
        }
    }
    // SAFETY: they are open, and ours by the protocol: the environment names this very process as their owner. The flag
    // above sees to it that they are taken once.
    Some(Ok(numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect()))
}

/// Waits for `fd` to become readable, with the running runtime.
pub(crate) fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, stays so until it is dropped, and has the same number all the time.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

/// Lets the kernel hold a connection back until its first bytes are there, for `seconds` at most (tcp(7)).
pub(crate) fn set_defer_accept(socket: BorrowedFd<'_>, seconds: u32) -> io::Result<()> {
    let seconds = libc::c_int::try_from(seconds).unwrap_or(libc::c_int::MAX);
    // SAFETY: pointer and length are those of one live integer, which the kernel only reads.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_DEFER_ACCEPT,
            (&raw const seconds).cast(),
            libc::socklen_t::try_from(size_of_val(&seconds)).unwrap_or(0),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
