//! The user base on SQLite and on PostgreSQL: one suite for both.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod invites;
mod sessions;
mod support;
mod tokens;
mod trail;
mod users;
mod web;
