//! Sockets that the service manager opened for us and passed down (sd_listen_fds(3)): descriptors from 3 on, their
//! number in LISTEN_FDS, their names in LISTEN_FDNAMES, and in LISTEN_PID the process they are meant for.
//!
//! The order of the descriptors never means anything here, only their names: it is the units' order, and changes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Error, sys};

/// What a descriptor is called when no name was given for it.
const NAMELESS: &str = "unknown";
/// More than any unit passes; the limit of open files is 1024 for most.
const MAX_FDS: u16 = 1024;

/// The sockets that were passed to this process, by name. A name may repeat. They stay open for the life of this value:
/// what is bound to them works on duplicates.
#[derive(Debug, Default)]
pub struct Activated {
    fds: Vec<(String, OwnedFd)>,
}

impl Activated {
    /// No sockets were passed.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These sockets under these names.
    pub fn new(fds: impl IntoIterator<Item = (String, OwnedFd)>) -> Self {
        Self { fds: fds.into_iter().collect() }
    }

    /// Takes the sockets over that `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` tell of. If they are not meant for
    /// this process (`own_pid`), there are none. Works once; whoever calls removes the variables from what it hands to
    /// its children.
    ///
    /// # Errors
    /// [`Error::Activation`] if the variables contradict themselves or each other, or a descriptor is not open.
    pub fn from_env(pid: Option<&str>, fds: Option<&str>, names: Option<&str>, own_pid: u32) -> Result<Self, Error> {
        let (Some(pid), Some(fds)) = (pid, fds) else { return Ok(Self::none()) };
        let pid: u32 = pid.parse().map_err(|_| Error::Activation(format!("`LISTEN_PID` is no number: `{pid}`")))?;
        if pid != own_pid {
            return Ok(Self::none());
        }
        let count = fds.parse::<u16>().ok().filter(|count| *count <= MAX_FDS);
        let count = count
            .ok_or_else(|| Error::Activation(format!("`LISTEN_FDS` is no number from 0 to {MAX_FDS}: `{fds}`")))?;
        let names: Vec<&str> = match names {
            Some(names) if count > 0 => names.split(':').collect(),
            _ => vec![NAMELESS; count.into()],
        };
        if names.len() != usize::from(count) {
            let counted = names.len();
            return Err(Error::Activation(format!("`LISTEN_FDNAMES` has {counted} names for {count} descriptors")));
        }
        match sys::take_inherited(count) {
            None => Err(Error::Activation("the passed sockets were taken over before".into())),
            Some(Err(fd)) => Err(Error::Activation(format!("descriptor {fd} is not open"))),
            Some(Ok(fds)) => Ok(Self::new(names.into_iter().map(str::to_owned).zip(fds))),
        }
    }

    /// The names, in the order in which the sockets were passed, repeated where they repeat.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fds.iter().map(|(name, _)| name.as_str())
    }

    /// The sockets of this name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.fds.iter().filter(move |(given, _)| given == name).map(|(_, fd)| fd.as_fd())
    }
}
