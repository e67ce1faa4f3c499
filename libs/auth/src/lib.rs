//! One user base for all services: who somebody is, and what they may do.
//!
//! [`Identity`] is the answer to the first question, [`Identity::may`] to the second; everything else here is there to
//! get to an identity: names, passwords, tokens, sessions.
//!
//! Invariants: what is secret is stored hashed and compared in constant time. What is not allowed by a [`Scope`] is
//! refused: there is no list of exceptions. No name, token or pattern from outside goes on before its grammar was checked.

mod cache;
mod clock;
mod error;
mod identity;
mod name;
mod password;
mod pattern;
mod random;
mod rights;
mod throttle;
mod token;

pub use clock::Clock;
pub use error::Error;
pub use identity::{Identity, Refusal, Via};
pub use name::{Name, NameError};
pub use pattern::{Pattern, PatternError};
pub use rights::{Action, Actions, Grant, Object, Place, RightsError, Role, Scope};
pub use token::{Digest, TokenText};
