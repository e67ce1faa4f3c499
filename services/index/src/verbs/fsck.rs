//! `opsctl index fsck`: is everything that is served there, and is it what it is said to be?
//!
//! It reads every byte and changes nothing, unless it is told to repair. What it finds in the journal or in the spool is only a fault if nobody works on
//! it: the next start of the server clears it away.

use std::fs::{self, File as OsFile};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use opsctl_dist::{Digests, Distribution, Hasher, Wanted};

use super::progress;
use super::work::Work;
use crate::catalog::{Digest, File, Place};
use crate::clock::now;
use crate::config::IndexName;
use crate::folder::Folder;
use crate::open::Opened;
use crate::upload::{Spool, lock, recover};

/// What to do about what is found.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended without loss: uploads that were cut off, and what is known of files that were changed
    #[arg(long)]
    repair: bool,
}

/// Checks all indexes, and mends them before if that is wanted; a line for each fault goes to `out`.
///
/// # Errors
/// The database, or writing.
pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    if args.repair {
        repair(work, out).await?;
    }
    fsck(&work.opened, out).await
}

/// Finishes or undoes uploads that nobody works on, and reads files again of which something else is known.
async fn repair(work: &Work, out: &mut impl Write) -> anyhow::Result<()> {
    let Opened { catalog, stores, .. } = &work.opened;
    for (index, store) in stores.iter() {
        let finished = recover(store).await?;
        if finished > 0 {
            writeln!(out, "{index}: {finished} uploads finished")?;
        }
        let snapshot = catalog.snapshot().clone();
        let all = snapshot.index(index).map_or_else(Vec::new, |index| index.files());
        let mut wrong: Vec<Box<str>> = Vec::new();
        for file in &all {
            let Place::Folder { path, .. } = &file.place;
            if !check(file)?.is_empty() {
                writeln!(out, "{index}: `{path}` is read again")?;
                wrong.push(path.clone());
            }
        }
        let touched = catalog.records().gone(index, &wrong, now()).await?;
        catalog.refresh(index, &touched).await?;
    }
    work.look().await
}

async fn fsck(opened: &Opened, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut faults = 0;
    let mut files = 0;
    for (index, folder) in &opened.folders {
        let snapshot = opened.catalog.snapshot();
        let all: Vec<_> = snapshot.index(index).map_or_else(Vec::new, |index| index.files());
        let bar = progress::bytes(all.iter().map(|file| file.size).sum());
        for file in &all {
            files += 1;
            for fault in check(file)? {
                faults += 1;
                bar.suspend(|| writeln!(out, "{index}: {}: {fault}", file.filename))?;
            }
            bar.inc(file.size);
        }
        bar.finish_and_clear();
        for fault in left_behind(opened, index, folder).await? {
            faults += 1;
            writeln!(out, "{index}: {fault}")?;
        }
    }
    writeln!(out, "{files} files, {faults} faults")?;
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with one file.
fn check(file: &File) -> io::Result<Vec<String>> {
    let Place::Folder { root, path, .. } = &file.place;
    let full = root.join(&**path);
    let digest = match digest(&full) {
        Ok(digest) => digest,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![format!("`{path}` is not there")]),
        Err(error) => return Ok(vec![format!("`{path}` cannot be read: {error}")]),
    };
    if digest != file.sha256 {
        return Ok(vec![format!("`{path}` has the sha256 {digest} instead of {}", file.sha256)]);
    }
    let metadata = Distribution::read(&full).ok();
    let metadata = metadata.as_ref().and_then(Distribution::core_metadata).map(|(_, digest)| digest);
    let differs = metadata != file.metadata;
    Ok(differs.then(|| format!("`{path}` has other metadata than is said")).into_iter().collect())
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Wanted::Sha256);
    io::copy(&mut OsFile::open(path)?, &mut hasher)?;
    let Digests { sha256, .. } = hasher.finish();
    Ok(sha256)
}

/// Uploads that were cut off, and nobody works on.
async fn left_behind(opened: &Opened, index: &IndexName, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let spool = Spool::new(&folder.root);
    let mut faults = Vec::new();
    for pending in opened.catalog.records().pending(index).await? {
        let at_work = [spool.path(&pending.spool), folder.root.join(&*pending.path)].iter().any(|path| is_locked(path));
        if !at_work {
            faults.push(format!(
                "the upload of {} was cut off; the next start of the server sees to it",
                pending.filename
            ));
        }
    }
    for path in spool.files()? {
        if !is_locked(&path) {
            faults.push(format!("`{}` was left behind; the next start of the server removes it", path.display()));
        }
    }
    Ok(faults)
}

/// Whether somebody works on the file.
fn is_locked(path: &Path) -> bool {
    fs::exists(path).unwrap_or(false) && matches!(lock(path), Ok(None))
}
