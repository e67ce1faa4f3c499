//! The contract of the store, run on every kind of database and of blobs, and what is particular to each.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod blobs;
mod database;
mod migrations;
mod support;
