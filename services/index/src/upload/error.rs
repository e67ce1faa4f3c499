//! Why an upload is refused: words that clients of every kind look for, and what becomes of them over HTTP.

use http::StatusCode;
use opsctl_dist::Fault;
use opsctl_dist::simple::State;
use opsctl_http::{FormError, HttpError};

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The form is none, or not complete, or too large.
    #[error("failed to receive the form")]
    Form(#[from] FormError),
    /// A field is missing, or is not what it has to be.
    #[error("{0}")]
    Field(String),
    /// What old tools do before an upload, or with documentation.
    #[error("{0}")]
    Gone(&'static str),
    /// The file is larger than what is taken.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// Something about the file, or it is not what the form says.
    #[error("the file is not acceptable")]
    File(#[source] Box<Fault>),
    /// There is another file of this name.
    #[error("there is another file `{filename}`")]
    Exists {
        /// The name.
        filename: String,
        /// The bytes that the name belongs to.
        sha256: String,
    },
    /// There was another file of this name.
    #[error("there was another file `{filename}`")]
    Removed {
        /// The name.
        filename: String,
    },
    /// There is another source distribution of the release.
    #[error("there is a source distribution of the release already: `{0}`")]
    SecondSdist(String),
    /// The name does not come from here.
    #[error("the name `{0}` does not come from here")]
    Elsewhere(String),
    /// The project takes no files.
    #[error("the project `{name}` is {}: it takes no files", state.marker())]
    Closed {
        /// Normalised.
        name: String,
        /// Why.
        state: State,
    },
    /// The file is not any more what it was when it was read.
    #[error("`{0}` is not any more what it was when it was read")]
    Changed(String),
    /// Somebody else stores a file of this name at this moment.
    #[error("a file `{0}` is being stored")]
    Busy(String),
    /// The disk is full.
    #[error("there is no room left")]
    NoSpace(#[source] std::io::Error),
    /// The bucket did not do its part.
    #[error("failed to use the bucket")]
    Bucket(#[source] opsctl_store::Error),
    /// Reading or writing failed.
    #[error("failed to store the file")]
    Io(#[source] std::io::Error),
    /// The database does not work.
    #[error(transparent)]
    Records(#[from] opsctl_store::Error),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::NoSpace(error),
            _ => Error::Io(error),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::File(Box::new(fault))
    }
}

impl From<opsctl_dist::Error> for Error {
    fn from(error: opsctl_dist::Error) -> Error {
        match error {
            opsctl_dist::Error::Refused(fault) => fault.into(),
            opsctl_dist::Error::Read(error) => error.into(),
            other => Error::Io(std::io::Error::other(other)),
        }
    }
}

fn no_room() -> HttpError {
    HttpError::new(StatusCode::INSUFFICIENT_STORAGE, "There is no room left for files.")
}

/// Clients show the reason phrase, or the code of the JSON, or the text; some decide by what is in it.
impl From<Error> for HttpError {
    fn from(error: Error) -> HttpError {
        let bad = |message: String| HttpError::bad_request(message);
        match error {
            Error::Form(error) => error.into(),
            Error::Elsewhere(name) => HttpError::forbidden(format!(
                "The name '{name}' is taken from the upstream index; its origin has to be changed before it can be uploaded"
            )),
            Error::Closed { name, state } => {
                HttpError::forbidden(format!("The project '{name}' is {}: it takes no uploads.", state.marker()))
            }
            Error::Changed(filename) => {
                HttpError::new(StatusCode::CONFLICT, format!("'{filename}' is being changed; try again."))
            }
            Error::Field(message) => bad(message),
            Error::Gone(message) => HttpError::new(StatusCode::GONE, message),
            Error::TooLarge { limit } => HttpError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("File too large. Limit for files here is {limit} bytes."),
            ),
            Error::File(fault) => bad(fault.sentence()),
            Error::Exists { filename, sha256 } => {
                bad(format!("File already exists ('{filename}', with sha256 hash '{sha256}')."))
            }
            Error::Removed { filename } => bad(format!(
                "This filename was previously used by a file that has since been deleted. Use a different version. \
                 ('{filename}')"
            )),
            Error::SecondSdist(_) => bad("Only one sdist may be uploaded per release.".to_owned()),
            Error::Busy(filename) => {
                HttpError::new(StatusCode::CONFLICT, format!("'{filename}' is being stored at this moment; try again."))
            }
            Error::NoSpace(error) => no_room().caused_by(error),
            Error::Bucket(error @ opsctl_store::Error::NoSpace { .. })
            | Error::Records(error @ opsctl_store::Error::NoSpace { .. }) => no_room().caused_by(error),
            Error::Bucket(error @ opsctl_store::Error::Unavailable { .. }) => {
                HttpError::unavailable("The store of files cannot be reached; try again later.").caused_by(error)
            }
            Error::Bucket(error) => HttpError::internal(error),
            Error::Io(error) => HttpError::internal(error),
            Error::Records(error @ opsctl_store::Error::Unavailable { .. }) => {
                HttpError::unavailable("The database cannot be reached; try again later.").caused_by(error)
            }
            Error::Records(error) => HttpError::internal(error),
        }
    }
}
