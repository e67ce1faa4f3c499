//! fork(2) and _exit(2): the only unsafe code of the process modules.
#![expect(unsafe_code, reason = "fork has no safe wrapper; every caller has one thread")]

use std::io;

use nix::libc;
use nix::unistd::{ForkResult, Pid};

use super::threads;

/// Which of the two processes this is.
#[derive(Debug)]
pub(super) enum Side {
    /// The one that called, with the child's pid.
    Parent(Pid),
    /// The copy.
    Child,
}

/// Forks a process that has one thread; refuses any other.
pub(super) fn fork() -> io::Result<Side> {
    threads::alone()?;
    split()
}

/// Forks whatever the threads: only for a copy that goes on by itself, as the test helper does.
pub(super) fn split() -> io::Result<Side> {
    // SAFETY: the copy holds the one thread that called. `fork` has seen to it that there is no other whose locks
    // could stay taken for ever; the C library resets its own allocator in the child.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Side::Parent(child)),
        ForkResult::Child => Ok(Side::Child),
    }
}

/// Ends this process at once: no destructors, no buffers flushed twice.
pub(super) fn leave(code: u8) -> ! {
    // SAFETY: `_exit` takes any status and touches no memory of ours.
    unsafe { libc::_exit(i32::from(code)) }
}
