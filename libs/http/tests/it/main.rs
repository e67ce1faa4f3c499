//! Over real sockets of the loopback interface.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod activation;
mod bind;
mod client;
mod clients;
mod errors;
mod files;
mod forms;
mod listener;
mod ranges;
mod serve;
mod support;
mod tls;
mod uploads;
