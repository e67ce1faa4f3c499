//! Finger server, RFC 1288: the example plug-in.
#![allow(dead_code)] // TODO
mod query;
mod text;
mod users;
