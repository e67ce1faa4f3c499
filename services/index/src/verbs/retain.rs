//! `opsctl index retain`: old versions go, by rules that are shown first with `--dry-run`.
//!
//! What is removed cannot come back with other bytes: its file names stay taken.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use clap::ArgGroup;
use opsctl_config::Duration;
use opsctl_dist::Version;
use serde::Serialize;

use super::work::Work;
use super::{listing, progress};
use crate::catalog::Project;
use crate::changes::Selection;
use crate::clock::now;
use crate::config::IndexName;

/// What goes.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("rule").required(true).multiple(true)))]
pub struct Args {
    /// Keep so many of the newest versions of a project, and its newest final one
    #[arg(long, value_name = "COUNT", group = "rule", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Remove pre-releases of which nothing came for so long: `90d`
    #[arg(long, value_name = "AGE", group = "rule")]
    pre_older_than: Option<Duration>,
    /// Remove development releases of which nothing came for so long
    #[arg(long, value_name = "AGE", group = "rule")]
    dev_older_than: Option<Duration>,
    /// Only projects with such names: `acme-*`; may be repeated
    #[arg(long = "match", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// The index
    #[arg(short, long, value_name = "NAME", default_value = "main")]
    index: IndexName,
    /// Remove nothing, and show what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Show JSON
    #[arg(long)]
    json: bool,
}

/// What the rules say.
#[derive(Debug, Clone, Copy, Default)]
struct Rules {
    keep: Option<u32>,
    /// In microseconds.
    pre: Option<i64>,
    /// In microseconds.
    dev: Option<i64>,
}

/// A file that goes.
#[derive(Serialize)]
struct Row {
    project: String,
    version: String,
    filename: Box<str>,
    size: u64,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { keep, pre_older_than, dev_older_than, patterns, index, dry_run, json } = args;
    let micros = |age: Duration| i64::try_from(age.get().as_micros()).unwrap_or(i64::MAX);
    let rules = Rules { keep, pre: pre_older_than.map(micros), dev: dev_older_than.map(micros) };
    work.store(&index)?;
    work.look().await?;
    let snapshot = work.opened.catalog.snapshot().clone();
    let projects = snapshot.index(&index).map_or_else(Vec::new, |index| index.projects());
    let wanted = |project: &&&std::sync::Arc<Project>| {
        patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, project.name.normalized()))
    };
    let mut rows = Vec::new();
    for project in projects.iter().filter(wanted) {
        let dropped = dropped(&versions(project), rules, now());
        let files = project.files.iter().filter(|file| dropped.contains(&key(&file.version)));
        rows.extend(files.map(|file| {
            let row = Row {
                project: project.name.normalized().to_owned(),
                version: file.version.to_string(),
                filename: file.filename.clone(),
                size: file.size,
            };
            (Selection::File(project.name.clone(), file.filename.clone()), row)
        }));
    }
    if !dry_run {
        let bar = progress::count(rows.len());
        for (selection, _) in &rows {
            work.changes.remove(&index, selection, &work.by()).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
    }
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    show(&rows, dry_run, json, out)?;
    Ok(ExitCode::SUCCESS)
}

fn show(rows: &[Row], dry_run: bool, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        return listing::json(out, &rows);
    }
    let (count, bytes) = (rows.len(), rows.iter().map(|row| row.size).sum::<u64>());
    let row = |row: &Row| [row.project.clone(), row.version.clone(), row.filename.to_string(), row.size.to_string()];
    let table: Vec<_> = rows.iter().map(row).collect();
    listing::table(out, ["PROJECT", "VERSION", "FILE", "BYTES"], &table)?;
    let done = if dry_run { "would be removed" } else { "removed" };
    Ok(writeln!(out, "{count} files, {bytes} bytes {done}")?)
}

/// A version, in whatever spelling; what is none is one of its own.
fn key(text: &str) -> Option<Version> {
    Version::legacy(text).ok()
}

/// The versions, and when the last file of each came.
fn versions(project: &Project) -> BTreeMap<Option<Version>, i64> {
    let mut versions = BTreeMap::new();
    for file in &project.files {
        let last = versions.entry(key(&file.version)).or_insert(file.first_seen);
        *last = file.first_seen.max(*last);
    }
    versions
}

/// Those that go. What is no version stays.
fn dropped(versions: &BTreeMap<Option<Version>, i64>, rules: Rules, now: i64) -> Vec<Option<Version>> {
    let known: Vec<(&Version, i64)> =
        versions.iter().filter_map(|(version, last)| Some((version.as_ref()?, *last))).collect();
    let newest = rules.keep.map(|keep| known.len().saturating_sub(keep as usize));
    let last_final = known.iter().rposition(|(version, _)| !version.is_prerelease());
    let goes = |at: usize, version: &Version, last: i64| {
        let older = |age: Option<i64>| age.is_some_and(|age| now.saturating_sub(last) > age);
        let too_many = newest.is_some_and(|first| at < first && Some(at) != last_final);
        too_many || version.is_dev() && older(rules.dev) || version.is_prerelease() && older(rules.pre)
    };
    let gone = known.iter().enumerate().filter(|(at, (version, last))| goes(*at, version, *last));
    gone.map(|(_, (version, _))| Some((*version).clone())).collect()
}

/// Whether a name is as the pattern says: `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => opsctl_dist::normalize(pattern) == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches_rest(rest, &name[at..]))
        }),
    }
}

fn matches_rest(pattern: &str, name: &str) -> bool {
    if pattern.contains('*') { matches(pattern, name) } else { pattern == name }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    /// `versions` are `version@day`, and it is day 100.
    fn check(versions: &str, rules: Rules, gone: &str) {
        let parsed = versions.split(' ').map(|version| {
            let (version, day) = version.split_once('@').unwrap_or((version, "0"));
            (key(version), day.parse::<i64>().unwrap() * DAY)
        });
        let dropped = dropped(&parsed.collect(), rules, 100 * DAY);
        let texts: Vec<_> = dropped.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(texts.join(" "), gone, "{versions}");
    }

    #[test]
    fn what_goes() {
        let keep = |count| Rules { keep: Some(count), ..Rules::default() };
        check("1.0 1.10 1.9 2.0", keep(2), "1.0 1.9");
        check("1.0 1.1", keep(5), "");
        check("1.0 1.1 2.0a1 2.0a2", keep(2), "1.0");
        let pre = Rules { pre: Some(30 * DAY), ..Rules::default() };
        check("1.0 2.0a1@1 2.0.dev3@1 2.0b1@90", pre, "2.0.dev3 2.0a1");
        let dev = Rules { dev: Some(30 * DAY), ..Rules::default() };
        check("1.0 2.0a1@1 2.0.dev3@1 2.0.dev4@99", dev, "2.0.dev3");
        check("1.0", Rules::default(), "");
    }

    #[test]
    fn patterns() {
        let check = |pattern, name, is| assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        check("acme-*", "acme-x", true);
        check("acme-*", "acmex", false);
        check("Acme.X", "acme-x", true);
        check("*-x-*", "acme-x-y", true);
        check("*-x", "acme-x-y", false);
        check("*", "a", true);
    }
}
