//! `opsctl index import DIR`: what others have, and what `export` wrote, becomes ours.
//!
//! A folder of packages, which is all that a pypiserver has; the folder of `devpi-server --export`, with its
//! `dataindex.json`; an export of ours. Cut off, it is called again: what is there already is passed over. What is refused is
//! reported, and the rest goes on.

mod devpi;

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, bail};
use opsctl_dist::simple::{ProjectStatus, State};
use opsctl_dist::{FileName, Level};

use super::export::{self, Dump};
use super::files::{below, digest, take};
use super::progress;
use super::work::{Work, name};
use crate::catalog::Digest;
use crate::config::IndexName;
use crate::records::Tombstone;
use crate::upload::Outcome;

/// Where from, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder with packages, in folders or not; of `devpi-server --export`; or of `opsctl index export`
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The index that gets everything. Without it: `main`, and from an export of ours the index that it was in
    #[arg(short, long, value_name = "NAME")]
    index: Option<IndexName>,
    /// From devpi: only this index, such as `team/dev`; may be repeated
    #[arg(long, value_name = "USER/INDEX")]
    only: Vec<String>,
}

/// A file to be taken in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Item {
    path: PathBuf,
    /// `main` if nothing is said.
    index: Option<String>,
    /// What its source says of its bytes.
    sha256: Option<Digest>,
    /// When it came, microseconds since 1970; None for what the file says.
    first_seen: Option<i64>,
    yanked: Option<String>,
    /// What came with it to prove where it was built.
    attestations: Option<String>,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { folder, index, only } = args;
    let (items, dump) = items(&folder, &only)?;
    work.look().await?;
    let (mut stored, mut same, mut refused) = (0, 0, 0);
    let bar = progress::count(items.len());
    for item in &items {
        let target = index.as_deref().or(item.index.as_deref()).unwrap_or("main");
        let taken = one(work, target, item).await;
        bar.inc(1);
        match taken {
            Ok(Outcome::Stored) => stored += 1,
            Ok(Outcome::Same) => same += 1,
            Err(error) => {
                refused += 1;
                bar.suspend(|| writeln!(out, "{}: refused: {error:#}", item.path.display()))?;
            }
        }
    }
    bar.finish_and_clear();
    if let Some(dump) = dump {
        decisions(work, &dump, index.as_ref()).await?;
    }
    writeln!(out, "{stored} files added, {same} were there, {refused} refused")?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is to take in, and what was decided about it.
fn items(folder: &Path, only: &[String]) -> anyhow::Result<(Vec<Item>, Option<Dump>)> {
    let read = |name: &str| match fs::read(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", folder.join(name).display())),
    };
    if let Some(text) = read(export::NAME)? {
        let failed = || format!("`{}` is not what `export` writes", folder.join(export::NAME).display());
        let dump: Dump = serde_json::from_slice(&text).with_context(failed)?;
        if dump.format != export::FORMAT {
            bail!("`{}` was written by another version", folder.join(export::NAME).display());
        }
        return Ok((ours(folder, &dump)?, Some(dump)));
    }
    if let Some(text) = read(devpi::NAME)? {
        let items = devpi::items(folder, &text, only);
        return Ok((items.with_context(|| format!("failed to read `{}`", folder.join(devpi::NAME).display()))?, None));
    }
    let item = |path: PathBuf| Item { path, ..Item::default() };
    Ok((below(folder)?.into_iter().map(item).collect(), None))
}

fn ours(folder: &Path, dump: &Dump) -> anyhow::Result<Vec<Item>> {
    let item = |entry: &export::Entry| {
        Ok(Item {
            path: within(folder, &entry.path)?,
            index: Some(entry.index.clone()),
            sha256: Some(entry.sha256.parse().with_context(|| format!("`{}` has no good digest", entry.path))?),
            first_seen: Some(entry.first_seen),
            yanked: entry.yanked.clone(),
            attestations: entry.attestations.clone(),
        })
    };
    dump.files.iter().map(item).collect()
}

/// A path within the folder: what a file says must not lead out of it.
fn within(folder: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !inside {
        bail!("`{}` is no path within the folder", path.escape_debug());
    }
    Ok(folder.join(path))
}

/// Takes one file in.
async fn one(work: &Work, index: &str, item: &Item) -> anyhow::Result<Outcome> {
    let store = work.store(index)?;
    if let Some(wanted) = item.sha256
        && digest(&item.path)? != wanted
    {
        bail!("it is damaged: its sha256 is not {wanted}");
    }
    let outcome = take(work, store, &item.path, item.attestations.clone()).await?;
    let Some(filename) = item.path.file_name().and_then(|name| name.to_str()) else { return Ok(outcome) };
    if outcome == Outcome::Stored {
        let modified = fs::metadata(&item.path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified = i64::try_from(modified.as_micros()).unwrap_or(i64::MAX);
        let came = item.first_seen.unwrap_or(modified).min(work.by().at);
        work.opened.catalog.records().date(index, filename, came).await?;
    }
    if let Some(reason) = &item.yanked {
        let selection = work.select(&store.index, filename)?;
        work.changes.yank(index, &selection, Some(reason), &work.by()).await?;
    }
    Ok(outcome)
}

/// What was decided where the export was made; what is decided here stays.
async fn decisions(work: &Work, dump: &Dump, index: Option<&IndexName>) -> anyhow::Result<()> {
    for removed in &dump.removed {
        let target = index.map_or(&*removed.index, |index| &**index);
        work.store(target)?;
        work.opened.catalog.records().bury(&tombstone(target, removed)?, &work.by()).await?;
    }
    for export::Status { index: of, project, state, reason } in &dump.statuses {
        let target = index.map_or(&**of, |index| &**index);
        let state = State::from_marker(state).with_context(|| format!("`{state}` is no status"))?;
        if work.opened.catalog.records().status(target, project).await?.is_none() {
            let status = ProjectStatus { state, reason: reason.clone() };
            work.changes.set_status(target, &name(project)?, status, &work.by()).await?;
        }
    }
    let decided = work.opened.catalog.records().origins().await?;
    for export::Decision { project, origin } in &dump.origins {
        if !decided.contains_key(&**project) {
            work.changes.set_origin(&name(project)?, Some(origin.parse()?), &work.by()).await?;
        }
    }
    for names in &dump.reservations {
        work.changes.reserve(&names.parse()?, &work.by()).await?;
    }
    Ok(())
}

fn tombstone(index: &str, removed: &export::Removed) -> anyhow::Result<Tombstone> {
    let export::Removed { index: _, filename, project, version, sha256, size, first_seen } = removed;
    let failed = || format!("`{}` is no file name with a good digest", filename.escape_debug());
    FileName::parse(filename, None, Level::Lenient).with_context(failed)?;
    Ok(Tombstone {
        index: index.into(),
        filename: (&**filename).into(),
        project: name(project)?.normalized().into(),
        version: (&**version).into(),
        sha256: sha256.parse().with_context(failed)?,
        size: *size,
        first_seen: *first_seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within() {
        let check = |path: &str, good: bool| assert_eq!(within(Path::new("/x"), path).is_ok(), good, "{path}");
        check("main/demo/demo-1.0.tar.gz", true);
        check("../demo-1.0.tar.gz", false);
        check("main/../../demo-1.0.tar.gz", false);
        check("/etc/passwd", false);
        check("", false);
    }
}
