//! `opsctl index yank` and `unyank`: files are withdrawn, and come back (PEP 592).

use std::io::Write;
use std::process::ExitCode;

use super::work::Work;
use crate::config::IndexName;

/// What to withdraw, and why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A project, `project==version`, or a file's name
    #[arg(required = true, value_name = "WHAT")]
    what: Vec<String>,
    /// Why; installers show it
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The index that it is in
    #[arg(short, long, value_name = "NAME", default_value = "main")]
    index: IndexName,
}

/// What comes back.
#[derive(Debug, clap::Args)]
pub struct Back {
    /// A project, `project==version`, or a file's name
    #[arg(required = true, value_name = "WHAT")]
    what: Vec<String>,
    /// The index that it is in
    #[arg(short, long, value_name = "NAME", default_value = "main")]
    index: IndexName,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { what, reason, index } = args;
    change(&what, Some(&reason), &index, work, out).await
}

pub(super) async fn back(args: Back, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Back { what, index } = args;
    change(&what, None, &index, work, out).await
}

async fn change(
    what: &[String],
    reason: Option<&str>,
    index: &IndexName,
    work: &Work,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    work.look().await?;
    let done = if reason.is_some() { "withdrawn" } else { "no longer withdrawn" };
    for text in what {
        let changed = work.changes.yank(index, &work.select(index, text)?, reason, &work.by()).await?;
        for filename in &changed {
            writeln!(out, "{filename}: {done}")?;
        }
        if changed.is_empty() {
            writeln!(out, "{text}: nothing to do, it is {done}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
