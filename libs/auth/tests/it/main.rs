//! The user base on SQLite and on PostgreSQL: one suite for both.

mod invites;
mod sessions;
mod support;
mod tokens;
mod trail;
mod users;
