//! What can go wrong: the upload's fault, or ours, or the disk's.

use std::io;

use ffmpeg_next as ffmpeg;

use crate::refusal::Refusal;

/// Why nothing, or not all, was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The upload is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// libav failed.
    #[error("failed to {doing}")]
    Libav {
        doing: String,
        #[source]
        source: ffmpeg::Error,
    },
    /// The file system failed.
    #[error("failed to {doing}")]
    Io {
        doing: String,
        #[source]
        source: io::Error,
    },
    /// A thread that frames went to has ended; it knows why.
    #[error("an encoder has ended before its time")]
    Stopped,
    /// A thread of ours ended by a panic.
    #[error("the thread `{0}` panicked")]
    Panicked(&'static str),
}

impl Error {
    /// Whether there was no room on the disk, so that trying again later makes sense.
    pub(crate) fn no_space(&self) -> bool {
        self.is_one_of(&[libc::ENOSPC, libc::EDQUOT])
    }

    /// Whether there was no memory left of what is allowed.
    pub(crate) fn no_memory(&self) -> bool {
        self.is_one_of(&[libc::ENOMEM])
    }

    /// Whether a file became larger than is allowed.
    pub(crate) fn too_large(&self) -> bool {
        self.is_one_of(&[libc::EFBIG])
    }

    fn is_one_of(&self, numbers: &[i32]) -> bool {
        match self {
            Self::Libav { source: ffmpeg::Error::Other { errno }, .. } => numbers.contains(errno),
            Self::Io { source, .. } => source.raw_os_error().is_some_and(|errno| numbers.contains(&errno)),
            _ => false,
        }
    }
}

/// Adds what was being done to an error.
pub(super) trait Doing<T> {
    /// `doing` completes "failed to".
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, ffmpeg::Error> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Libav { doing: doing(), source })
    }
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Io { doing: doing(), source })
    }
}
