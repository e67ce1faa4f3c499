//! The wish that a job ends: seen by whoever waits for a worker, at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

/// May be cloned; all clones are one.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<OwnedFd>);

impl Cancel {
    /// Nobody wishes yet.
    ///
    /// # Errors
    /// When the process has too many files open.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Ends the job, for good.
    pub fn cancel(&self) {
        // it fails only when this was said very often before
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Cancels when dropped.
    pub(super) fn on_drop(&self) -> OnDrop {
        OnDrop(self.clone())
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Cancels when dropped.
pub(super) struct OnDrop(Cancel);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
