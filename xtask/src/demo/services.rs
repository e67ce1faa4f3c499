//! Every service's part of the demo: its table of the configuration, and the lines to try.
//!
//! A service is a module with a `SERVICE`, and one line in `ALL`: a line each, also while they would fit into one.
mod encoder;
mod finger;
mod host;
mod index;
mod ps;

use super::scene::{Scene, Try};
use super::stage::Stage;
use anyhow::Result;

/// A service's part of the demo.
pub(super) struct Service {
    pub name: &'static str,
    /// Makes the files that it wants, starts what it talks to, and returns its table of the configuration.
    pub prepare: fn(&mut Stage) -> Result<String>,
    /// What to try, once all run.
    pub tries: fn(&Scene<'_>) -> Result<Vec<Try>>,
}

#[rustfmt::skip]
pub(super) const ALL: &[Service] = &[
    host::SERVICE,
    finger::SERVICE,
    index::SERVICE,
    encoder::SERVICE,
    ps::SERVICE,
];
