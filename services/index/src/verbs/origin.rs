//! `opsctl index origin`, `reserve`, `unreserve`: where names may come from.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::listing;
use super::work::{Work, name};
use crate::origins::{Origin, Reservation};

/// Which name, and from where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name; without one all decisions are shown
    #[arg(value_name = "PROJECT")]
    project: Option<String>,
    /// internal (from here alone), upstream (from there alone), merge (from both), blocked (from nowhere), or clear,
    /// which takes a decision back
    #[arg(value_name = "ORIGIN", value_parser = decision, requires = "project")]
    origin: Option<Decision>,
    /// Show JSON
    #[arg(long)]
    json: bool,
}

/// What is decided.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Set(Origin),
    Clear,
}

fn decision(text: &str) -> Result<Decision, String> {
    if text == "clear" {
        return Ok(Decision::Clear);
    }
    text.parse().map(Decision::Set).map_err(|_| "expected internal, upstream, merge, blocked or clear".to_owned())
}

/// Which names.
#[derive(Debug, clap::Args)]
pub struct Reserve {
    /// `acme` alone, or `acme-*` for it and all that begin with `acme-`; without any the reservations are shown
    #[arg(value_name = "NAME", value_parser = reservation)]
    names: Vec<Reservation>,
    /// Show JSON
    #[arg(long)]
    json: bool,
}

/// Which names.
#[derive(Debug, clap::Args)]
pub struct Unreserve {
    /// As they were reserved
    #[arg(required = true, value_name = "NAME", value_parser = reservation)]
    names: Vec<Reservation>,
}

fn reservation(text: &str) -> Result<Reservation, String> {
    text.parse().map_err(|error: crate::origins::BadReservation| error.to_string())
}

#[derive(Serialize)]
struct Row {
    project: Box<str>,
    origin: String,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { project, origin, json } = args;
    let project = project.as_deref().map(name).transpose()?;
    if let (Some(project), Some(decision)) = (&project, origin) {
        let origin = match decision {
            Decision::Set(origin) => Some(origin),
            Decision::Clear => None,
        };
        let before = work.changes.set_origin(project, origin, &work.by()).await?;
        let word = |origin: Option<Origin>| origin.map_or_else(|| "undecided".to_owned(), |origin| origin.to_string());
        writeln!(out, "{}: {}, was {}", project.display(), word(origin), word(before))?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = work.opened.catalog.records().origins().await?;
    let mut rows: Vec<Row> = all
        .into_iter()
        .filter(|(name, _)| project.as_ref().is_none_or(|project| *project.normalized() == **name))
        .map(|(project, origin)| Row { project, origin: origin.to_string() })
        .collect();
    rows.sort_by(|one, other| one.project.cmp(&other.project));
    if json {
        listing::json(out, &rows)?;
    } else {
        let rows: Vec<_> = rows.into_iter().map(|row| [row.project.into(), row.origin]).collect();
        listing::table(out, ["PROJECT", "ORIGIN"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn reserve(args: Reserve, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Reserve { names, json } = args;
    for names in &names {
        let new = work.changes.reserve(names, &work.by()).await?;
        writeln!(out, "{names}: {}", if new { "reserved" } else { "is reserved already" })?;
    }
    if names.is_empty() {
        let all = work.opened.catalog.records().reservations().await?;
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        if json {
            listing::json(out, &all)?;
        } else {
            let rows: Vec<_> = all.into_iter().map(|names| [names]).collect();
            listing::table(out, ["RESERVED"], &rows)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn unreserve(args: Unreserve, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut missing = false;
    for names in &args.names {
        let there = work.changes.unreserve(names, &work.by()).await?;
        missing |= !there;
        writeln!(out, "{names}: {}", if there { "no longer reserved" } else { "was not reserved" })?;
    }
    Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
