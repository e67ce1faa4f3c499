//! From stage to stage: the files of a release are copied from one index into another, and become visible there together.

use std::io;
use std::sync::Arc;

use opsctl_dist::{Level, Version};

use super::store::{name, refusal};
use super::{Error, Pending, Spooled, Store, check_file};
use crate::catalog::{File, Place};
use crate::changes::By;
use crate::clock::now;
use crate::records::Claimed;

/// Copies the files of a version of a project, by its normalised name. Those that are in `to` already stay as they are.
/// Returns the names of the files that are new there.
///
/// # Errors
/// Those of an upload: nothing is visible then that was not before.
pub(crate) async fn promote(
    from: &Store,
    to: &Store,
    project: &str,
    version: &Version,
    by: &By,
) -> Result<Vec<Box<str>>, Error> {
    let snapshot = Arc::clone(&from.catalog().snapshot());
    let files = snapshot.index(&from.index).and_then(|index| index.project(project));
    let files = files.into_iter().flat_map(|project| &project.files);
    let mut copies = Vec::new();
    for file in files.filter(|file| Version::legacy(&file.version).ok().as_ref() == Some(version)) {
        copies.push(copy(from, to, file, by).await?);
    }
    let pending: Vec<Pending> = copies.iter().map(|(pending, _)| pending.clone()).collect();
    let records = to.catalog().records();
    let claimed = records.claim_all(&pending, to.volatile).await?;
    for (pending, claimed) in pending.iter().zip(&claimed) {
        refusal(pending, *claimed)?;
    }
    copies = copies.into_iter().zip(claimed).filter(|(_, is)| *is == Claimed::Taken).map(|(copy, _)| copy).collect();
    let root = Arc::clone(&to.root);
    let volatile = to.volatile;
    let named = tokio::task::spawn_blocking(move || {
        let stamps: Result<Vec<_>, Error> =
            copies.iter_mut().map(|(pending, spooled)| name(&root, &pending.path, spooled, volatile)).collect();
        // the locks are held until the journal is written
        (stamps, copies)
    });
    let (stamps, copies) = named.await.map_err(|error| Error::Io(io::Error::other(error)))?;
    let pending: Vec<Pending> = copies.iter().map(|(pending, _)| pending.clone()).collect();
    match stamps {
        Ok(stamps) => {
            let names = pending.iter().map(|pending| pending.filename.clone()).collect();
            let named: Vec<_> = pending.into_iter().zip(stamps).collect();
            to.finish_copies(&named, &from.index).await?;
            Ok(names)
        }
        Err(error) => {
            take_back(to, copies).await?;
            for pending in &pending {
                records.undo(&pending.index, &pending.filename).await?;
            }
            Err(error)
        }
    }
}

/// Removes those that have got their names. Nobody has seen them.
async fn take_back(to: &Store, copies: Vec<(Pending, Spooled)>) -> Result<(), Error> {
    let root = Arc::clone(&to.root);
    let removed = tokio::task::spawn_blocking(move || {
        for (pending, spooled) in &copies {
            if spooled.has_name() {
                std::fs::remove_file(root.join(&*pending.path))?;
            }
        }
        Ok::<_, io::Error>(())
    });
    Ok(removed.await.map_err(io::Error::other)??)
}

/// A copy of a file in the spool of `to`, looked into as an upload is.
async fn copy(from: &Store, to: &Store, file: &File, by: &By) -> Result<(Pending, Spooled), Error> {
    let Place::Folder { root, path, .. } = &file.place;
    let (source, spool, filename) = (root.join(&**path), to.spool.clone(), file.filename.clone());
    let level = if to.strict { Level::Strict } else { Level::Legacy };
    let wanted = file.sha256;
    let copied = tokio::task::spawn_blocking(move || {
        let spooled = spool.copy(&source, u64::MAX)?;
        if spooled.digests.sha256 != wanted {
            return Err(Error::Changed(filename.to_string()));
        }
        let (_, facts) = check_file(&filename, &spooled, level)?;
        Ok((facts, spooled))
    });
    let (facts, spooled) = copied.await.map_err(|error| Error::Io(io::Error::other(error)))??;
    let attestations = from.catalog().records().attestations(&from.index, &file.filename).await?;
    let pending = Pending {
        index: (*to.index).into(),
        filename: file.filename.clone(),
        path: format!("{}/{}", facts.name.normalized(), file.filename).into(),
        spool: spooled.name().into(),
        size: spooled.size,
        facts,
        attestations,
        actor: by.actor.clone(),
        address: by.address.clone(),
        at: now(),
    };
    if to.strict {
        to.only_sdist(&pending)?;
    }
    Ok((pending, spooled))
}
