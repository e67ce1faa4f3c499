//! `opsctl index status`: whether projects are still looked after (PEP 792).

use std::io::Write;
use std::process::ExitCode;

use opsctl_dist::simple::{ProjectStatus, State};
use serde::Serialize;

use super::listing;
use super::work::{Work, name};
use crate::config::IndexName;

/// Which project, and how it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project; without one all of which something was said are shown
    #[arg(value_name = "PROJECT")]
    project: Option<String>,
    /// How it is: active, archived (no uploads), quarantined (neither uploads nor files), deprecated
    #[arg(value_name = "STATE", value_parser = state)]
    state: Option<State>,
    /// Why; installers may show it
    #[arg(long, value_name = "TEXT", requires = "state")]
    reason: Option<String>,
    /// The index that it is in
    #[arg(short, long, value_name = "NAME", default_value = "main")]
    index: IndexName,
    /// Show JSON
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<State, String> {
    State::from_marker(text).ok_or_else(|| "expected active, archived, quarantined or deprecated".to_owned())
}

#[derive(Serialize)]
struct Row {
    index: Box<str>,
    project: Box<str>,
    status: &'static str,
    reason: Option<String>,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { project, state, reason, index, json } = args;
    if let (Some(project), Some(state)) = (&project, state) {
        let project = name(project)?;
        work.changes.set_status(&index, &project, ProjectStatus { state, reason }, &work.by()).await?;
        writeln!(out, "{}: {}", project.display(), state.marker())?;
        return Ok(ExitCode::SUCCESS);
    }
    let one = project.as_deref().map(name).transpose()?;
    let all = work.opened.catalog.records().statuses().await?;
    let mut rows: Vec<Row> = all
        .into_iter()
        .filter(|((_, project), _)| one.as_ref().is_none_or(|one| *one.normalized() == **project))
        .map(|((index, project), status)| Row { index, project, status: status.state.marker(), reason: status.reason })
        .collect();
    rows.sort_by(|one, other| (&one.index, &one.project).cmp(&(&other.index, &other.project)));
    if json {
        listing::json(out, &rows)?;
    } else {
        let row =
            |row: Row| [row.index.into(), row.project.into(), row.status.to_owned(), row.reason.unwrap_or_default()];
        let rows: Vec<_> = rows.into_iter().map(row).collect();
        listing::table(out, ["INDEX", "PROJECT", "STATUS", "REASON"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
