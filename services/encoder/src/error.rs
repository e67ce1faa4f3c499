//! What can go wrong with a request, and what is said of it: the one place where an error becomes an answer.

use std::io;
use std::time::Duration;

use http::StatusCode;
use opsctl_http::HttpError;

use crate::captions::{BadCaptions, BadLanguage};
use crate::ingest::{BadMetadata, BadWish};
use crate::name::BadName;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The caller's name for an item.
    #[error(transparent)]
    Name(#[from] BadName),
    /// An option of an upload.
    #[error(transparent)]
    Wish(#[from] BadWish),
    #[error(transparent)]
    Language(#[from] BadLanguage),
    /// What a file of captions is not.
    #[error(transparent)]
    Captions(#[from] BadCaptions),
    /// What comes with an upload in pieces.
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    #[error("there is no profile `{name}`; there are {there}")]
    NoProfile { name: String, there: String },
    #[error("the upload is empty")]
    Empty,
    #[error("the upload is too large: at most {most} bytes are taken")]
    TooLarge { most: u64 },
    #[error("the account's quota of {quota} bytes is used up: {left} are left")]
    Quota { quota: u64, left: u64 },
    #[error("there are too many open uploads: finish some, or remove them")]
    TooMany,
    #[error("somebody else writes to this upload at the moment")]
    Busy,
    #[error("what had arrived of this upload is gone: begin again")]
    Lost,
    #[error("there is no such upload, or not any more")]
    NoUpload,
    #[error("this upload was begun at another node")]
    Elsewhere,
    /// What a condition of the request says.
    #[error("this is not, or no longer, what the request's conditions say")]
    Changed,
    #[error("there is no item of this ID")]
    NoItem,
    #[error("failed to read or write a file")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] opsctl_store::Error),
}

impl From<Error> for HttpError {
    fn from(error: Error) -> HttpError {
        let message = error.to_string();
        let code = |code: &'static str, status, message| HttpError::new(status, message).code(code);
        match error {
            Error::Name(_) => code("bad-id", StatusCode::BAD_REQUEST, message),
            Error::Wish(_) => code("bad-option", StatusCode::BAD_REQUEST, message),
            Error::Metadata(_) => code("bad-option", StatusCode::BAD_REQUEST, message),
            Error::Language(_) => code("bad-language", StatusCode::BAD_REQUEST, message),
            Error::Captions(_) => code("bad-captions", StatusCode::UNPROCESSABLE_ENTITY, message),
            Error::TooMany => code("too-many", StatusCode::TOO_MANY_REQUESTS, message),
            Error::Busy => code("busy", StatusCode::LOCKED, message).retry_after(Duration::from_secs(1)),
            Error::Lost => code("lost", StatusCode::GONE, message),
            Error::NoUpload => code("no-upload", StatusCode::NOT_FOUND, message),
            Error::Elsewhere => {
                code("elsewhere", StatusCode::SERVICE_UNAVAILABLE, message).retry_after(Duration::from_secs(1))
            }
            Error::NoProfile { .. } => code("no-profile", StatusCode::BAD_REQUEST, message),
            Error::Empty => code("empty", StatusCode::BAD_REQUEST, message),
            Error::TooLarge { .. } => code("too-large", StatusCode::PAYLOAD_TOO_LARGE, message),
            Error::Quota { .. } => code("quota", StatusCode::PAYLOAD_TOO_LARGE, message),
            Error::Changed => code("changed", StatusCode::PRECONDITION_FAILED, message),
            Error::NoItem => code("no-item", StatusCode::NOT_FOUND, message),
            Error::Io(error) if is_no_space(&error) => no_space(error),
            Error::Store(error @ opsctl_store::Error::NoSpace { .. }) => no_space(error),
            Error::Store(error @ opsctl_store::Error::Unavailable { .. }) => {
                HttpError::unavailable("the database or the store cannot be reached; try again later")
                    .retry_after(Duration::from_secs(10))
                    .caused_by(error)
            }
            Error::Io(error) => HttpError::internal(error),
            Error::Store(error) => HttpError::internal(error),
        }
    }
}

/// The disk, a quota of the system's, or a bound on the size of files (RLIMIT_FSIZE).
fn is_no_space(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn no_space(error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(StatusCode::INSUFFICIENT_STORAGE, "there is no room left for uploads")
        .code("no-space")
        .caused_by(error)
}
