//! The end-to-end suite: the real binary, driven by real clients over real sockets.
//!
//! Every test starts its own program on port 0 in its own temporary folder, waits for conditions instead of sleeping,
//! and ends what it started, by handle. Nothing here uses the crates it tests: the suite can be aimed at another
//! implementation.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test says what failed by panicking, and makes environments for others"
)]

mod harness;

mod accounts;
mod config;
mod daemon;
mod encoder;
mod encoder_details;
mod encoder_frames;
mod encoder_hostile;
mod encoder_parts;
mod encoder_service;
mod finger;
mod finger_doors;
mod finger_forwarding;
mod finger_hostile;
mod http;
mod index;
mod listeners;
mod logs;
mod pages;
mod plugins;
mod privileges;
mod ps;
mod ps_watch;
mod reload;
mod restricted;
mod shells;
mod store;
mod supervisor;
mod systemd;
