//! Files from elsewhere on this machine become files of an index, in the way that uploads do.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use opsctl_dist::{Hasher, Level, Wanted};

use super::work::Work;
use crate::catalog::Digest;
use crate::upload::{Error, Outcome, Sender, Store, check_file};

/// Takes a file in, with what came with it to prove where it was built. One that is there already, the very same, is not
/// copied.
///
/// # Errors
/// It is refused as an upload would be, or cannot be read.
pub(super) async fn take(
    work: &Work,
    store: &Store,
    path: &Path,
    attestations: Option<String>,
) -> anyhow::Result<Outcome> {
    let filename = path.file_name().and_then(|name| name.to_str()).context("the name of the file is no UTF-8")?;
    if let Some(there) = there(work, store, filename)
        && digest(path)? == there
    {
        return Ok(Outcome::Same);
    }
    let (spool, level) = (store.spool.clone(), if store.strict { Level::Strict } else { Level::Legacy });
    let (source, called, max_file): (PathBuf, _, _) = (path.to_owned(), filename.to_owned(), work.max_file);
    let copied = tokio::task::spawn_blocking(move || {
        let spooled = spool.copy(&source, max_file)?;
        let (filename, facts) = check_file(&called, &spooled, level)?;
        Ok::<_, Error>((filename, facts, spooled))
    });
    let (filename, facts, spooled) = copied.await??;
    let name = facts.name.normalized();
    if !work.opened.origins.takes_uploads(name) {
        return Err(Error::Elsewhere(name.to_owned()).into());
    }
    let sender = Sender { actor: work.by().actor.into(), address: String::new(), attestations };
    Ok(store.store(&filename, facts, spooled, sender).await?)
}

/// The digest of the file of that name, if there is one.
pub(super) fn there(work: &Work, store: &Store, filename: &str) -> Option<Digest> {
    let snapshot = work.opened.catalog.snapshot();
    let files = snapshot.index(&store.index)?.files();
    files.iter().find(|file| *file.filename == *filename).map(|file| file.sha256)
}

/// The SHA-256 of a file.
pub(super) fn digest(path: &Path) -> anyhow::Result<Digest> {
    let read = || {
        let mut hasher = Hasher::new(Wanted::Sha256);
        io::copy(&mut File::open(path)?, &mut hasher)?;
        Ok::<_, io::Error>(hasher.finish().sha256)
    };
    read().with_context(|| format!("failed to read `{}`", path.display()))
}

/// All files below a folder that may be distributions, by path; what is hidden is passed over, links to folders are not
/// followed.
///
/// # Errors
/// A folder cannot be listed.
pub(super) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("failed to list `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to list `{}`", folder.display()))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if opsctl_dist::FileName::kind_of(&name).is_some() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
