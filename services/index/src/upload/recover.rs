//! What a start does about uploads that were cut off.

use std::fs::File;
use std::io;

use opsctl_dist::{Hasher, Wanted};

use super::spool::lock;
use super::{Error, Pending, Store};
use crate::catalog::Digest;
use crate::folder::Stamp;

/// How an upload was found.
enum Found {
    /// Somebody is at it, in this process or in another.
    AtWork,
    /// It has its name and is complete: only the database did not know yet.
    Named(Stamp),
    /// It never got its name.
    Lost,
}

/// Finishes or undoes every upload that nobody works on, and clears the spool. Returns how many files were finished.
///
/// # Errors
/// Disk or database.
pub(crate) async fn recover(store: &Store) -> Result<usize, Error> {
    let mut finished = 0;
    for pending in store.catalog().records().pending(&store.index).await? {
        let (root, spool, wanted) = (store.root.clone(), store.spool.clone(), pending.clone());
        let found = move || look(&root.join(&*wanted.path), &spool.path(&wanted.spool), wanted.facts.sha256);
        let found = tokio::task::spawn_blocking(found).await.map_err(|error| Error::Io(io::Error::other(error)))??;
        let Pending { index, filename, .. } = &pending;
        match found {
            Found::AtWork => {}
            Found::Named(stamp) => {
                store.finish(&pending, stamp).await?;
                finished += 1;
            }
            Found::Lost => {
                store.catalog().records().undo(index, filename).await?;
                tracing::warn!(index = &**index, file = &**filename, "an upload was cut off, and is undone");
            }
        }
    }
    let spool = store.spool.clone();
    let cleaned = tokio::task::spawn_blocking(move || spool.clean()).await;
    let cleaned = cleaned.map_err(|error| Error::Io(io::Error::other(error)))??;
    if cleaned > 0 {
        tracing::info!(index = &*store.index, files = cleaned, "removed what uploads that were cut off left behind");
    }
    Ok(finished)
}

/// Looks where the file should be, and where it was before.
fn look(target: &std::path::Path, spool: &std::path::Path, sha256: Digest) -> io::Result<Found> {
    if spool.exists() {
        return Ok(if lock(spool)?.is_some() { Found::Lost } else { Found::AtWork });
    }
    if !target.exists() {
        return Ok(Found::Lost);
    }
    match lock(target)? {
        None => Ok(Found::AtWork),
        Some(file) if digest(&file)? == sha256 => Ok(Found::Named(Stamp::from(&file.metadata()?))),
        // somebody else's file: the name was given, and replaced since
        Some(_) => Ok(Found::Lost),
    }
}

fn digest(mut file: &File) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Wanted::Sha256);
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finish().sha256)
}
