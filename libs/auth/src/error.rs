//! What can go wrong here.

use std::time::Duration;

use crate::name::NameError;
use crate::rights::RightsError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too many wrong passwords, of an account or from an address.
    #[error("too many attempts, try again in {}s", .0.as_secs().max(1))]
    Throttled(Duration),
    /// More passwords are to be verified than there is room for.
    #[error("too many logins at this moment")]
    Busy,
    /// A password that nobody should have.
    #[error("{0}")]
    Password(&'static str),
    /// A text that is no user's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A text that is no right.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// The kernel has no random numbers.
    #[error("failed to draw random numbers")]
    Random(#[source] getrandom::Error),
    /// The password cannot be hashed, or what is stored is no hash.
    #[error("failed to hash a password")]
    Hash(#[source] argon2::password_hash::Error),
    /// The thread that hashed a password was lost.
    #[error("failed to wait for a password's hash")]
    Lost,
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}
