//! What can go wrong here.

use std::time::Duration;

use crate::name::{Name, NameError};
use crate::rights::RightsError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such user, or another password, or an account that is disabled: which of them is nobody's business.
    #[error("wrong name or password")]
    WrongPassword,
    /// No token, or one that is revoked, expired or spent, or whose user is disabled.
    #[error("this token is invalid, revoked or expired")]
    WrongToken,
    /// Credentials that cannot be read.
    #[error("these credentials cannot be read")]
    Unreadable,
    /// Too many wrong passwords, of an account or from an address.
    #[error("too many attempts, try again in {}s", .0.as_secs().max(1))]
    Throttled(Duration),
    /// More passwords are to be verified than there is room for.
    #[error("too many logins at this moment")]
    Busy,
    /// A password that nobody should have.
    #[error("{0}")]
    Password(&'static str),
    /// There is a user of this name.
    #[error("there is a user `{0}` already")]
    Taken(Name),
    /// There is no user of this name.
    #[error("there is no user `{0}`")]
    NoUser(Name),
    /// What was the last administrator would be one no more.
    #[error("`{0}` is the last administrator: make another one first")]
    LastAdministrator(Name),
    /// A link that was used, is too old, or never was one.
    #[error("this link is no longer valid: ask for a new one")]
    NoInvite,
    /// Who was let through by a provider elsewhere is not let in here.
    #[error("{0}")]
    Denied(&'static str),
    /// A provider elsewhere, or how it is set.
    #[error(transparent)]
    Oidc(#[from] crate::oidc::OidcError),
    /// A token is asked for with a bad description.
    #[error("{0}")]
    Token(&'static str),
    /// A text that is no user's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A text that is no right.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// The database's.
    #[error(transparent)]
    Store(#[from] opsctl_store::Error),
    /// The database holds what this program never puts into it.
    #[error("`{0}` in the database makes no sense")]
    Stored(&'static str),
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
