//! What can keep a distribution from being read.

use std::io;

use crate::Fault;

/// Why a distribution was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk's fault, not the file's.
    #[error("failed to read the distribution")]
    Read(#[source] io::Error),
    /// It got longer or shorter while it was read: somebody is still writing it.
    #[error("the distribution changed while it was read")]
    Changed,
    /// It is no file.
    #[error("the distribution is no regular file")]
    NoFile,
    /// It is not what it should be.
    #[error(transparent)]
    Refused(#[from] Fault),
}
