//! Why a change was not made.

use http::StatusCode;
use opsctl_http::HttpError;

use super::REASON_MAX;
use crate::{records, upload};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such index, or it is a mirror.
    #[error("there is no index `{0}` with files of its own")]
    NoIndex(String),
    /// The project, the index.
    #[error("there is no project `{0}` in the index `{1}`")]
    NoProject(String, String),
    /// The project, the version, the index.
    #[error("there is no version `{1}` of `{0}` in the index `{2}`")]
    NoVersion(String, String, String),
    /// The file, the index.
    #[error("there is no file `{0}` in the index `{1}`")]
    NoFile(String, String),
    /// What a reason has to be.
    #[error("a reason is one line of {REASON_MAX} characters at most")]
    Reason,
    /// Disk or bucket.
    #[error("failed to remove `{path}`; it is not served any more, and its removal is tried again later")]
    Remove {
        /// The file, within its folder or bucket.
        path: Box<str>,
        /// Why.
        #[source]
        source: Box<upload::Error>,
    },
    /// A file is refused as an upload would be.
    #[error(transparent)]
    Upload(#[from] upload::Error),
    /// Somebody else was there first.
    #[error("it was changed since it was seen")]
    Stale,
    /// The database does not work.
    #[error(transparent)]
    Records(opsctl_store::Error),
}

impl From<opsctl_store::Error> for Error {
    fn from(error: opsctl_store::Error) -> Error {
        if records::is_stale(&error) { Error::Stale } else { Error::Records(error) }
    }
}

/// 412.
fn stale() -> HttpError {
    HttpError::new(StatusCode::PRECONDITION_FAILED, "it was changed since you have seen it: read it again")
}

impl From<Error> for HttpError {
    fn from(error: Error) -> HttpError {
        let message = error.to_string();
        match error {
            Error::NoIndex(_) | Error::NoProject(..) | Error::NoVersion(..) | Error::NoFile(..) => {
                HttpError::not_found(message)
            }
            Error::Reason => HttpError::bad_request(message),
            Error::Stale => stale(),
            Error::Remove { .. } => HttpError::internal(error),
            Error::Upload(error) => error.into(),
            Error::Records(error @ opsctl_store::Error::Unavailable { .. }) => {
                HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "The database cannot be reached; try again later.")
                    .caused_by(error)
            }
            Error::Records(error) => HttpError::internal(error),
        }
    }
}
