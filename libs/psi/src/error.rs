//! What can go wrong: [`Error`] for a whole question, [`Missing`] for one attribute of an answer.
//!
//! The two are apart because they are handled apart: a missing attribute is ordinary (a kernel thread has no
//! executable) and must not cost the caller the rest of the process.

use std::io;
use std::path::PathBuf;

/// An attribute that may be missing.
pub type Attr<T> = Result<T, Missing>;

/// Why an attribute is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Missing {
    /// Nobody asked for it: it is not in the [`Fields`](crate::Fields) of the call.
    #[error("not asked for")]
    Unasked,
    /// This process has none: a kernel thread has no executable, a zombie no folder.
    #[error("not available for this process")]
    Absent,
    /// Another account's process, and we may not look.
    #[error("insufficient privileges")]
    Denied,
    /// This platform, or this kernel, cannot tell.
    #[error("not available here")]
    Platform,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such process, or its number belongs to another one by now.
    #[error("no process `{pid}`")]
    NoSuchProcess {
        /// The number that was asked for.
        pid: u32,
    },
    /// The process is there, but we may not do this to it.
    #[error("not permitted to {what} process `{pid}`")]
    Denied {
        /// What was tried.
        what: &'static str,
        /// The process.
        pid: u32,
    },
    /// A signal number that the platform does not have.
    #[error("no signal `{number}`")]
    NoSuchSignal {
        /// The number that was given.
        number: i32,
    },
    /// The proc file system that was read belongs to other process numbers than ours, so nothing can be sent by number.
    #[error("`{root}` counts processes in another namespace than ours")]
    OtherNamespace {
        /// Where the proc file system is mounted.
        root: PathBuf,
    },
    /// A mount that is no longer there.
    #[error("no mount at `{path}`")]
    NoSuchMount {
        /// Where it was.
        path: PathBuf,
    },
    /// This platform, or this kernel, cannot tell at all.
    #[error("{what}: not available here")]
    NotHere {
        /// What was asked for.
        what: &'static str,
    },
    /// A file could not be read.
    #[error("failed to read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not look as this crate knows it.
    #[error("`{path}` is not understood: no {what}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// A system call failed.
    #[error("failed to {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
