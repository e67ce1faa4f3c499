//! `opsctl index promote demo==1.0 --from dev --to main`: the next stage gets a release.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;

use super::work::{Work, name, number};
use crate::config::IndexName;

/// Which release, and from where to where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `project==version`
    #[arg(value_name = "RELEASE")]
    release: String,
    /// The index that has it
    #[arg(long, value_name = "NAME")]
    from: IndexName,
    /// The index that gets it
    #[arg(long, value_name = "NAME", default_value = "main")]
    to: IndexName,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { release, from, to } = args;
    let (project, version) = release.split_once("==").context("expected `project==version`")?;
    let (project, version) = (name(project)?, number(version)?);
    work.look().await?;
    let copied = work.changes.promote(&from, &to, &project, &version, &work.by()).await;
    let copied = copied.with_context(|| format!("failed to promote `{release}` from `{from}` to `{to}`"))?;
    for filename in &copied {
        writeln!(out, "{filename}: copied to `{to}`")?;
    }
    if copied.is_empty() {
        writeln!(out, "{release}: is in `{to}` already")?;
    }
    Ok(ExitCode::SUCCESS)
}
