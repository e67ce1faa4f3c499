//! Whole files, built here, and what is said of them.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod build;
mod lenient;
