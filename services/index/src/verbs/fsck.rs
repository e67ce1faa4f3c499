//! `opsctl index fsck`: is everything that is served there, and is it what it is said to be? Is there anything besides?
//!
//! It reads every byte and changes nothing, unless it is told to repair. Servers may be running: what is only on its way is
//! no fault, nor what went away while it was read. What it finds in the journal or in the spool is one if nobody works on
//! it: the next start of a server clears it away.

mod bucket;
mod check;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use self::check::{Wrong, check};
use super::work::Work;
use super::{listing, progress};
use crate::catalog::{File, Place};
use crate::clock::now;
use crate::upload::{Recovered, Shelf, Store, cut_off, lock, recover};

/// What to do about what is found.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended without loss: uploads that were cut off, what is known of files that were changed, and what
    /// is in the bucket and unknown
    #[arg(long)]
    repair: bool,
    /// Show JSON
    #[arg(long)]
    json: bool,
}

/// What was found, and done.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    files: usize,
    faults: Vec<Fault>,
    mended: Vec<Mended>,
}

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
struct Fault {
    index: String,
    /// The file that is served and should not be, or should be and cannot.
    filename: Option<String>,
    fault: String,
}

/// Something that was mended before that.
#[derive(Debug, Serialize)]
struct Mended {
    index: String,
    mended: String,
}

impl Report {
    pub(super) fn fault(&mut self, store: &Store, filename: Option<&str>, fault: impl Into<String>) {
        let filename = filename.map(ToOwned::to_owned);
        self.faults.push(Fault { index: store.index.to_string(), filename, fault: fault.into() });
    }

    pub(super) fn mended(&mut self, store: &Store, mended: impl Into<String>) {
        self.mended.push(Mended { index: store.index.to_string(), mended: mended.into() });
    }
}

/// Checks all indexes, and mends them before if that is wanted.
///
/// # Errors
/// The database, the bucket, or writing.
pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { repair, json } = args;
    let mut report = Report::default();
    if repair {
        for store in work.opened.stores.values() {
            mend(work, store, &mut report).await?;
        }
        work.look().await?;
    }
    for store in work.opened.stores.values() {
        look(store, &mut report).await?;
    }
    if json {
        listing::json(out, &report)?;
    } else {
        show(&report, out)?;
    }
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    for Mended { index, mended } in &report.mended {
        writeln!(out, "{index}: {mended}")?;
    }
    for Fault { index, filename, fault } in &report.faults {
        match filename {
            Some(filename) => writeln!(out, "{index}: {filename}: {fault}")?,
            None => writeln!(out, "{index}: {fault}")?,
        }
    }
    Ok(writeln!(out, "{} files, {} faults", report.files, report.faults.len())?)
}

/// Finishes or undoes uploads that nobody works on, and takes out what is not what is said of it: what lies in a folder is
/// read again after that.
async fn mend(work: &Work, store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let Recovered { finished, undone, removed } = recover(store).await?;
    let done = [(finished, "finished"), (undone, "undone")].into_iter().filter(|(count, _)| *count > 0);
    for (count, what) in done {
        report.mended(store, format!("{count} uploads {what}"));
    }
    if removed > 0 {
        report.mended(store, format!("{removed} files removed that still had to go"));
    }
    let mut wrong: Vec<Box<str>> = Vec::new();
    for file in files(store) {
        match (check(&file).await?, &file.place) {
            (None, _) => {}
            (Some(Wrong::Metadata(_)), Place::Bucket { .. }) => {
                bucket::mend_metadata(store, &file).await?;
                report.mended(store, format!("the metadata of `{}` is stored again", file.filename));
            }
            (Some(_), Place::Folder { path, .. }) => {
                report.mended(store, format!("`{path}` is read again"));
                wrong.push(path.clone());
            }
            (Some(wrong_one), Place::Bucket { key, .. }) => {
                let why = wrong_one.text();
                report.mended(store, format!("`{}` is not served any more until it comes again: {why}", file.filename));
                wrong.push(key.clone());
            }
        }
    }
    let catalog = store.catalog();
    let touched = catalog.records().gone(&store.index, &wrong, now()).await?;
    catalog.refresh(&store.index, &touched).await?;
    if let Shelf::Bucket(of) = &store.shelf {
        bucket::mend(work, store, of, report).await?;
    }
    Ok(())
}

async fn look(store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let records = store.catalog().records();
    let had_to_go: BTreeSet<_> =
        records.removals(&store.index).await?.into_iter().map(|removal| removal.path).collect();
    let all = files(store);
    let bar = progress::bytes(all.iter().map(|file| file.size).sum());
    for file in &all {
        report.files += 1;
        if let Some(wrong) = check(file).await?
            && is_served(store, file).await?
        {
            report.fault(store, Some(&file.filename), wrong.text());
        }
        bar.inc(file.size);
    }
    bar.finish_and_clear();
    for pending in cut_off(store).await? {
        let fault = "the upload of it was cut off; the next start of the server sees to it";
        report.fault(store, Some(&pending.filename), fault);
    }
    left_in_spool(store, report).await?;
    if let Shelf::Bucket(of) = &store.shelf {
        bucket::look(store, of, report).await?;
    }
    for removal in records.removals(&store.index).await?.iter().filter(|removal| had_to_go.contains(&removal.path)) {
        report.fault(
            store,
            None,
            format!("`{}` still has to go; the next start of the server sees to it", removal.path),
        );
    }
    Ok(())
}

/// All that is served.
fn files(store: &Store) -> Vec<std::sync::Arc<File>> {
    let snapshot = store.catalog().snapshot();
    snapshot.index(&store.index).map_or_else(Vec::new, |index| index.files().into_iter().cloned().collect())
}

/// Whether a file is still served as it was when this began.
async fn is_served(store: &Store, file: &File) -> anyhow::Result<bool> {
    let catalog = store.catalog();
    let Some(project) = catalog.records().project_of(&store.index, &file.filename, &file.sha256).await? else {
        return Ok(false);
    };
    catalog.refresh(&store.index, &BTreeSet::from([project])).await?;
    let snapshot = catalog.snapshot();
    let now = snapshot.index(&store.index).and_then(|index| index.served(&file.sha256, &file.filename));
    Ok(now.is_some_and(|now| now.place == file.place))
}

/// What uploads that were cut off before the journal knew of them left behind.
async fn left_in_spool(store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let files = store.spool.files()?;
    if files.is_empty() {
        return Ok(());
    }
    let pending = store.catalog().records().pending(&store.index).await?;
    for path in files {
        let known = pending.iter().any(|pending| store.spool.path(&pending.spool) == path);
        // none: somebody works on it, or it is gone
        if !known && lock(&path)?.is_some() {
            let fault =
                format!("`{}` was left behind; a server that runs removes it, or the next that starts", path.display());
            report.fault(store, None, fault);
        }
    }
    Ok(())
}
