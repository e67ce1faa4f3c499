//! `opsctl encoder isolation`: what this kernel gives, shown by a worker that tries to break out.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::run::{report, run};
use crate::isolation::{Grant, Isolation};
use crate::job::Outcome;
use crate::task::Order;

/// Exit code 0 if nothing worked.
pub(super) fn prove() -> Result<ExitCode> {
    let (folder, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (source, other) = (folder.path().join("upload"), elsewhere.path().join("other"));
    fs::write(&source, "of this account")?;
    fs::write(&other, "of another account")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("failed to listen for the worker's attempts")?;
    let order = Order::Prove { other: other.display().to_string(), port: listener.local_addr()?.port() };
    let outcome = run(&source, folder.path(), order, |_| {})?;
    let done = report(&outcome, &mut io::stderr())?;
    let held = write_attempts(&outcome, &mut io::stdout())?;
    Ok(if done && held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_attempts(outcome: &Outcome, out: &mut impl Write) -> io::Result<bool> {
    if let Some(Isolation { landlock, seccomp, limits, missing }) = &outcome.isolation {
        for (fence, grant) in [("landlock", landlock), ("seccomp", seccomp), ("limits", limits)] {
            let word = match grant {
                Grant::Full => "full",
                Grant::Partial => "partial: this kernel is older",
                Grant::None => "NOT THERE",
            };
            writeln!(out, "{fence:10} {word}")?;
        }
        missing.iter().try_for_each(|missing| writeln!(out, "missing    {missing}"))?;
    }
    for attempt in &outcome.attempts {
        let word = if attempt.worked { "WORKED" } else { "failed" };
        writeln!(out, "{word:10} {} ({})", attempt.what, attempt.said)?;
    }
    Ok(!outcome.attempts.is_empty() && outcome.attempts.iter().all(|attempt| !attempt.worked))
}
