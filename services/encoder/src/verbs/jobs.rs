//! `opsctl encoder jobs`.

use std::io::Write;
use std::process::ExitCode;

use opsctl_host::VerbContext;
use serde_json::json;

use crate::clock::Stamp;
use crate::records::{Job, MIGRATIONS, Records};

/// Which of them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Those of one account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Those that wait or are worked on
    #[arg(long)]
    open: bool,
    /// At most so many, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
    /// For programs: a line of JSON each
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, cx: &VerbContext, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    cx.block_on(async {
        let records = Records::new(cx.database(&MIGRATIONS).await?);
        let jobs = records.jobs(args.account.as_deref(), args.open, args.limit, 0).await?;
        for job in &jobs {
            match args.json {
                true => writeln!(out, "{}", as_json(job))?,
                false => writeln!(out, "{}", as_text(job))?,
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn as_json(job: &Job) -> serde_json::Value {
    json!({
        "id": job.id, "account": job.account, "item": job.name, "profile": job.profile, "status": job.state,
        "attempt": job.attempt, "worker": job.worker, "percent": job.percent, "eta": job.eta, "reason": job.reason,
        "message": job.message, "warnings": job.warnings, "created": Stamp(job.created),
        "started": job.started.map(Stamp), "ended": job.ended.map(Stamp),
    })
}

fn as_text(job: &Job) -> String {
    let how_far = match (job.state.is_open(), job.percent) {
        (true, Some(percent)) => format!(" {percent:.0} %"),
        _ => String::new(),
    };
    let mut line =
        format!("{:>6}  {:<9}{how_far}  {}/{}  {}", job.id, job.state.word(), job.account, job.name, job.profile);
    if let Some(message) = &job.message {
        line.push_str("  ");
        line.push_str(message);
    }
    line
}
