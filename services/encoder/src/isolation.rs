//! What a worker may do, given up by itself before it looks at an upload: libav reads hostile bytes in C.
//!
//! Four fences, each for what the others let through. Landlock: read one file, write one folder, no network. Seccomp: no
//! sockets, no other programs or processes, no new code, whatever the kernel knows of Landlock (Debian 12's knows files
//! only). Limits of the process: memory, processor time, sizes. And libav itself knows but one protocol and no container
//! that names other files. What the kernel does not give is said, not passed over.

mod files;
mod limits;
pub(crate) mod proof;
mod syscalls;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

pub use proof::Attempt;

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Landlock: files and, from kernel 6.7 on, TCP.
    pub landlock: Grant,
    /// Seccomp: a list of harmless system calls, all others fail.
    pub seccomp: Grant,
    /// Memory, time, sizes, number of files.
    pub limits: Grant,
    /// Why something is missing, as the kernel said it.
    pub missing: Vec<String>,
}

/// How much of a fence is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// All of it.
    Full,
    /// What this kernel knows of it.
    Partial,
    /// Nothing.
    None,
}

impl Isolation {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        [self.landlock, self.seccomp, self.limits].iter().all(|grant| *grant == Grant::Full)
    }
}

/// Gives up everything but reading `source` and writing in `folder`, for this thread and all that it will start.
///
/// There is no way back. `seconds` is the processor time that is left.
pub(crate) fn apply(source: &Path, folder: &Path, limits: &Limits, seconds: u64) -> Isolation {
    let mut missing = Vec::new();
    let mut note = |fence: &str, result: Result<Grant, String>| {
        result.unwrap_or_else(|error| {
            missing.push(format!("{fence}: {error}"));
            Grant::None
        })
    };
    // limits first: seccomp then keeps them from being raised
    let of_process = note("limits", limits::apply(limits, seconds));
    let landlock = note("landlock", files::apply(source, folder));
    let seccomp = note("seccomp", syscalls::apply());
    Isolation { landlock, seccomp, limits: of_process, missing }
}
