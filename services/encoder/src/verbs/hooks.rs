//! `opsctl encoder hooks`.

use std::io::Write;
use std::process::ExitCode;

use opsctl_host::VerbContext;

use crate::records::{MIGRATIONS, Records, Told};

/// Which messages.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Try everything again at once that has not arrived, also what was given up
    #[arg(long)]
    retry: bool,
    /// Those that have arrived as well
    #[arg(long)]
    all: bool,
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
        if args.retry {
            let count = records.tell_again().await?;
            writeln!(out, "{count} messages are sent again")?;
            return Ok(ExitCode::SUCCESS);
        }
        for told in &records.told(args.all, args.limit).await? {
            match args.json {
                true => writeln!(out, "{}", serde_json::to_string(told)?)?,
                false => writeln!(out, "{}", as_text(told))?,
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn as_text(told: &Told) -> String {
    let Told { event, account, kind, url, state, attempts, error, .. } = told;
    let error = error.as_ref().map_or_else(String::new, |error| format!("  {error}"));
    format!("{event}  {state:<8}  {attempts:>3}  {account}  {kind}  {url}{error}")
}
