//! Running one job for somebody who waits at a terminal.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::event::Event;
use crate::job::{Cancel, End, Job, Outcome, Program};
use crate::limits::Limits;
use crate::task::Order;

/// Does `order` with the file `source` in the folder `folder`. A signal ends the job, and what it made is thrown away.
pub(super) fn run(
    source: &Path,
    folder: &Path,
    order: Order,
    each: impl FnMut(&Event) + Send + 'static,
) -> Result<Outcome> {
    // a missing file is the caller's own mistake, and no upload's
    std::fs::File::open(source).with_context(|| format!("failed to open `{}`", source.display()))?;
    let job = Job { folder: folder.to_owned(), source: source.to_owned(), order, limits: Limits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cancel = Cancel::new()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut running = std::pin::pin!(job.run(Program::itself(), cancel.clone(), each));
        loop {
            tokio::select! {
                outcome = &mut running => return outcome.context("failed to start a worker"),
                _ = interrupt.recv() => cancel.cancel(),
                _ = terminate.recv() => cancel.cancel(),
            }
        }
    })
}

/// Says how it ended, unless it ended well.
pub(super) fn report(outcome: &Outcome, err: &mut impl Write) -> io::Result<bool> {
    for warning in &outcome.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    match &outcome.end {
        End::Done => return Ok(true),
        End::Refused(refusal) => writeln!(err, "error: {refusal}")?,
        End::Failed { text, .. } => {
            writeln!(err, "error: {text}")?;
            outcome.log.lines().try_for_each(|line| writeln!(err, "  {line}"))?;
        }
        End::Cancelled => writeln!(err, "error: interrupted")?,
    }
    Ok(false)
}
