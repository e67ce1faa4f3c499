//! `opsctl index audit confusion`: names of ours that an upstream has as well, where a stranger could step in for us.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use opsctl_dist::{FileName, Level, ProjectName, Version};
use serde::Serialize;

use super::work::Work;
use super::{listing, progress};
use crate::clock::now;
use crate::origins::Verdict;

/// What to look for.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Private names that an upstream has as well. It asks the mirrors for every private name, so they learn them
    Confusion(Args),
}

/// How to show it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show JSON
    #[arg(long)]
    json: bool,
}

/// A name that is in two places.
#[derive(Serialize)]
struct Row {
    project: String,
    /// Which of the two is served.
    served: &'static str,
    newest_here: String,
    upstream: String,
    newest_upstream: String,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    work.look().await?;
    let names = names(work);
    let bar = progress::count(names.len() * work.opened.mirrors.len());
    let (mut rows, mut silent) = (Vec::new(), 0);
    for (project, newest) in &names {
        for (upstream, mirror) in &work.opened.mirrors {
            let page = mirror.project(project).await;
            bar.inc(1);
            match page {
                Ok(None) => {}
                Ok(Some(page)) => {
                    let parsed = ProjectName::parse(project).ok();
                    let version = |filename: &str| FileName::parse(filename, parsed.as_ref(), Level::Lenient).ok();
                    let files = page.files(now()).filter_map(|file| version(&file.filename));
                    rows.push(Row {
                        project: project.clone(),
                        served: served(work.opened.origins.verdict(project, true)),
                        newest_here: text(newest.as_ref()),
                        upstream: upstream.to_string(),
                        newest_upstream: text(files.map(|name| name.version().clone()).max().as_ref()),
                    });
                }
                Err(error) => {
                    silent += 1;
                    let error = anyhow::Error::from(error);
                    bar.suspend(|| {
                        tracing::error!(project, error = format!("{error:#}"), "the upstream has no answer")
                    });
                }
            }
        }
    }
    bar.finish_and_clear();
    if args.json {
        listing::json(out, &rows)?;
    } else {
        show(&rows, names.len(), silent, out)?;
    }
    Ok(if rows.is_empty() && silent == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(rows: &[Row], names: usize, silent: usize, out: &mut impl Write) -> anyhow::Result<()> {
    let row = |row: &Row| {
        let Row { project, served, newest_here, upstream, newest_upstream } = row;
        [project.clone(), newest_here.clone(), upstream.clone(), newest_upstream.clone(), (*served).to_owned()]
    };
    let table: Vec<_> = rows.iter().map(row).collect();
    listing::table(out, ["PROJECT", "HERE", "UPSTREAM", "THERE", "SERVED"], &table)?;
    writeln!(out, "{names} private names, {} of them upstream as well", rows.len())?;
    if silent > 0 {
        writeln!(out, "{silent} questions were not answered")?;
    }
    Ok(())
}

/// Private names, and the newest version of each.
fn names(work: &Work) -> BTreeMap<String, Option<Version>> {
    let snapshot = work.opened.catalog.snapshot();
    let mut names: BTreeMap<String, Option<Version>> = BTreeMap::new();
    for index in work.opened.stores.keys() {
        for project in snapshot.index(index).map_or_else(Vec::new, |index| index.projects()) {
            let newest = project.files.iter().filter_map(|file| Version::legacy(&file.version).ok()).max();
            let known = names.entry(project.name.normalized().to_owned()).or_default();
            *known = known.take().max(newest);
        }
    }
    names
}

fn text(version: Option<&Version>) -> String {
    version.map(ToString::to_string).unwrap_or_default()
}

fn served(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Here => "here",
        Verdict::Upstream => "upstream",
        Verdict::Both => "both",
        Verdict::Open | Verdict::Nothing => "nothing",
        Verdict::Blocked => "blocked",
    }
}
