//! What a client hears of an error.

use std::time::Duration;

use http::StatusCode;
use opsctl_http::HttpError;

use crate::error::Error;
use crate::identity::Refusal;
use crate::oidc::OidcError;

/// What credentials are for, as a client's dialogue shows it.
const REALM: &str = "opsctl";

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::unauthorized(REALM, refusal.to_string()),
            Refusal::Forbidden => Self::forbidden(refusal.to_string()),
        }
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let said = |status| Self::new(status, error.to_string());
        match &error {
            Error::WrongPassword | Error::WrongToken | Error::Denied(_) => said(StatusCode::FORBIDDEN),
            Error::Oidc(OidcError::Settings(_)) => Self::internal(error),
            Error::Oidc(_) => said(StatusCode::BAD_GATEWAY).caused_by(error),
            Error::Unreadable => said(StatusCode::BAD_REQUEST),
            Error::Throttled(wait) => said(StatusCode::TOO_MANY_REQUESTS).retry_after(*wait),
            Error::Busy => said(StatusCode::SERVICE_UNAVAILABLE).retry_after(Duration::from_secs(1)),
            Error::NoUser(_) => said(StatusCode::NOT_FOUND),
            Error::NoInvite => said(StatusCode::GONE),
            Error::Taken(_) | Error::LastAdministrator(_) => said(StatusCode::CONFLICT),
            Error::Password(_) | Error::Token(_) | Error::Name(_) | Error::Rights(_) => {
                said(StatusCode::UNPROCESSABLE_ENTITY)
            }
            Error::Store(store) if store.is_unavailable() => Self::unavailable("the user base is not available now")
                .retry_after(Duration::from_secs(5))
                .caused_by(error),
            Error::Store(opsctl_store::Error::NoSpace { .. }) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "There is no room left for this.").caused_by(error)
            }
            Error::Store(_) | Error::Stored(_) | Error::Random(_) | Error::Hash(_) | Error::Lost => {
                Self::internal(error)
            }
        }
    }
}
