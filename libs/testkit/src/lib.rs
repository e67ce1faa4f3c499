//! What tests of several crates share: real servers of others, and conditions that are waited for.
//!
//! A server lives in a folder of its own, is reached over a unix socket or a port that the kernel chose, and ends with
//! the process that started it, also when that is killed. A program that is missing fails the test and names the Debian
//! package. None of our crates is used here, and no crate uses this one but in its tests.
#![expect(clippy::panic, clippy::expect_used, reason = "a test ends where its servers do not start")]

mod chromium;
mod postgres;
mod s3;
mod supervised;
mod wait;

pub use chromium::{Chromium, Tab};
pub use postgres::Postgres;
pub use s3::S3;
pub use supervised::Supervised;
pub use wait::{PATIENCE, eventually, eventually_async};
