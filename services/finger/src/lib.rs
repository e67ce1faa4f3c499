//! Finger server, RFC 1288: the example plug-in, and the pattern for others.
//!
//! Where to look: `service` puts everything together; `config` and `options` are what can be set; `query`, `users`,
//! `policy` and `answer` decide what is said, without a socket; a door each are `server` (the finger port), `web`,
//! `xmlrpc`, `pb` and `irc`; `directory` and `watch` keep the users up to date.
//!
//! Invariants: what may be told is decided in `policy` and nowhere else. Bytes from outside are bounded before they are
//! looked at, and nothing leaves by the finger port that was not filtered by `text`. Nothing is executed for a client.

mod answer;
mod audit;
mod check;
mod config;
mod directory;
mod forward;
mod irc;
mod options;
mod pb;
mod plan;
mod policy;
mod query;
mod remote;
mod server;
mod service;
mod site;
mod text;
mod users;
mod watch;
mod web;
mod xmlrpc;

pub use config::Config;
pub use options::{Options, Verbs};
pub use policy::Field;
pub use remote::{NoRemote, Remote};
pub use service::Finger;
