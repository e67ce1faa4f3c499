//! One user base for all services: who somebody is, and what they may do.
//!
//! [`Identity`] is the answer to the first question, [`Identity::may`] to the second; everything else here is there to
//! get to an identity: names, passwords, tokens, sessions.
//!
//! Invariants: what is secret is stored hashed and compared in constant time. What is not allowed by a [`Scope`] is
//! refused: there is no list of exceptions. No name, token or pattern from outside goes on before its grammar was checked.

mod audit;
mod auth;
mod cache;
mod clock;
mod error;
mod http;
mod identify;
mod identity;
mod invites;
mod lookup;
mod name;
mod oidc;
mod password;
mod pattern;
mod random;
mod rights;
mod sessions;
mod settings;
mod throttle;
mod token;
mod tokens;
mod users;
mod web;

pub use audit::{AUDIT, Act, Author, Cursor, Filter, Record, Trail};
pub use auth::{Auth, NAME};
pub use clock::Clock;
pub use error::Error;
pub use identify::{Credentials, Intent};
pub use identity::{Identity, Refusal, Via};
pub use invites::{InviteText, Invited};
pub use name::{Name, NameError};
pub use oidc::{BadTokenError, OidcError, OidcSettings};
pub use pattern::{Pattern, PatternError};
pub use rights::{Action, Actions, Grant, Object, Place, RightsError, Role, Scope};
pub use sessions::{Browser, Session, SessionText};
pub use settings::{Settings, SiteUrl};
pub use token::{Digest, TokenText};
pub use tokens::{NewToken, Token};
pub use users::{NewUser, User};
