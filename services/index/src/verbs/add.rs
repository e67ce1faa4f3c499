//! `opsctl index add FILE…`: what an upload does, without a network.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::files::take;
use super::progress;
use super::work::Work;
use crate::config::IndexName;
use crate::upload::Outcome;

/// Which files, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Wheels, source distributions and eggs
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The index that gets them
    #[arg(short, long, value_name = "NAME", default_value = "main")]
    index: IndexName,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { files, index } = args;
    let store = work.store(&index)?;
    let bar = progress::count(files.len());
    let mut refused = 0;
    for path in &files {
        let (path, taken) = (path.display(), take(work, store, path, None).await);
        bar.inc(1);
        bar.suspend(|| match taken {
            Ok(Outcome::Stored) => writeln!(out, "{path}: added to `{index}`"),
            Ok(Outcome::Same) => writeln!(out, "{path}: is in `{index}` already"),
            Err(error) => {
                refused += 1;
                writeln!(out, "{path}: refused: {error:#}")
            }
        })?;
    }
    bar.finish_and_clear();
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
