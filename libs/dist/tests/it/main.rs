//! Whole files, built here, and what is said of them.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod build;
mod hostile_tar;
mod hostile_zip;
mod lenient;
mod python;
mod rawzip;
mod uploads;
