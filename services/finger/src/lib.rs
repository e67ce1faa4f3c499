//! Finger server, RFC 1288: the example plug-in.
#![allow(dead_code)] // TODO
mod answer;
mod directory;
mod irc;
mod pb;
mod plan;
mod policy;
mod query;
mod remote;
mod text;
mod users;
mod xmlrpc;
pub use policy::Field;
pub use remote::{NoRemote, Remote};
