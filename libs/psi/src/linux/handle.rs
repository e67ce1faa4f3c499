//! A hold on one process, for acting on it.
//!
//! A number may be used again at any time, so acting by number can hit a stranger. Here the kernel is first asked for
//! a descriptor of whoever has the number now; then the start is read again. If it is the one that was meant, the
//! descriptor is the process's, and stays so however often the number is used again.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{read, stat, status};
use crate::{Error, Id, System};

/// A hold on one process. It names that process and no other for as long as it lives.
#[derive(Debug)]
pub struct Handle {
    id: Id,
    pidfd: OwnedFd,
}

pub(crate) fn handle(system: &System, id: Id) -> Result<Handle, Error> {
    let gone = || Error::NoSuchProcess { pid: id.pid };
    same_numbers(system)?;
    let pid = i32::try_from(id.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| match error {
        // the number is a thread's
        Errno::SRCH | Errno::INVAL | Errno::NOENT => gone(),
        Errno::NOSYS => Error::NotHere { what: "a descriptor of a process" },
        error => Error::System { what: "open a process", source: error.into() },
    })?;
    if identity(system, id.pid) == Some(id) { Ok(Handle { id, pidfd }) } else { Err(gone()) }
}

pub(crate) fn exists(system: &System, id: Id) -> Result<bool, Error> {
    match handle(system, id) {
        Ok(_) => Ok(true),
        Err(Error::NoSuchProcess { .. }) => Ok(false),
        // nothing can be sent from here, but it can be seen
        Err(Error::OtherNamespace { .. } | Error::NotHere { .. }) => Ok(identity(system, id.pid) == Some(id)),
        Err(error) => Err(error),
    }
}

fn identity(system: &System, pid: u32) -> Option<Id> {
    stat::identity(&read::optional(&system.proc(format!("{pid}/stat")))?)
}

/// The proc file system may be another namespace's: the host's, seen from a container. Its numbers mean other
/// processes to the system calls then. It shows our own process with one number per namespace in between.
fn same_numbers(system: &System) -> Result<(), Error> {
    let own = read::optional(&system.proc("self/status")).and_then(|text| status::namespaces(&text));
    if own == Some(1) { Ok(()) } else { Err(Error::OtherNamespace { root: system.proc("") }) }
}

impl Handle {
    /// Which process it is.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Sends a signal; 0 only asks whether one could be sent. A zombie takes any signal and does nothing.
    pub fn kill(&self, signal: i32) -> Result<(), Error> {
        let pid = self.id.pid;
        let sent = match (signal, Signal::from_named_raw(signal).or_else(|| realtime(signal))) {
            (_, Some(signal)) => pidfd_send_signal(&self.pidfd, signal),
            (0, None) => Pid::from_raw(i32::try_from(pid).unwrap_or(0))
                .map_or(Err(Errno::SRCH), rustix::process::test_kill_process),
            (number, None) => return Err(Error::NoSuchSignal { number }),
        };
        sent.map_err(|error| match error {
            Errno::SRCH => Error::NoSuchProcess { pid },
            Errno::PERM => Error::Denied { what: "signal", pid },
            error => Error::System { what: "send a signal", source: error.into() },
        })
    }

    /// Waits until the process has ended, for ever if there is no limit. False if the time was up first. It need not
    /// be a child of ours; if it is one, its outcome is still to be fetched afterwards.
    pub fn wait(&self, limit: Option<Duration>) -> Result<bool, Error> {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.pidfd.as_fd(), PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::System { what: "wait for a process", source: error.into() }),
            }
        }
    }
}

/// The kernel's real-time signals without the two that the C library keeps to itself.
#[expect(unsafe_code, reason = "rustix has no checked way to name a real-time signal")]
fn realtime(signal: i32) -> Option<Signal> {
    // SAFETY: the kernel has signals up to 64, and the C library keeps 32 and 33 for itself
    (34..=64).contains(&signal).then(|| unsafe { Signal::from_raw_unchecked(signal) })
}
