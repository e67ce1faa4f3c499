//! `opsctl encoder sign`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use opsctl_config::Duration;

use crate::clock::{SECOND, now};
use crate::config::Config;
use crate::delivery::Keys;

/// What is to be signed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address without its host; one that ends with `/` stands for all files in it: `/media/acme/hls/party/`
    path: String,
    /// How long it shall be good
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    expires: Duration,
}

pub(super) fn run(args: &Args, config: &Config, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let path = &args.path;
    anyhow::ensure!(path.starts_with("/media/") && !path.contains(['?', '#']), "`{path}` is no path of a result");
    let keys = Keys::load(&config.url_keys)?;
    let expires = u64::try_from(now() / SECOND).unwrap_or(0).saturating_add(args.expires.get().as_secs());
    let query = keys.sign(path, expires).context("there are no `encoder.url_keys` to sign with")?;
    writeln!(out, "{path}?{query}")?;
    Ok(ExitCode::SUCCESS)
}
