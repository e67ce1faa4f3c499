//! The client against servers that answer what the test tells them to.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what failed by panicking, and its server runs beside it"
)]

mod documents;
mod fetching;
mod files;
mod server;
