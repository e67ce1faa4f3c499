//! From stage to stage: the files of a release are copied from one index into another, and become visible there together.

use std::io;
use std::sync::Arc;

use opsctl_dist::{Level, Version};

use super::shelf::copy;
use super::{Error, Pending, Sender, Spooled, Store, check_file};
use crate::catalog::File;
use crate::changes::By;

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
        copies.push(copied(from, to, file, by).await?);
    }
    // cut off, they are all there or none
    let batch = copies.first().map(|(pending, _)| pending.spool.clone());
    for (pending, _) in &mut copies {
        pending.batch.clone_from(&batch);
    }
    to.land(copies).await
}

/// A copy of a file in the spool of `to`, looked into as an upload is.
async fn copied(from: &Store, to: &Store, file: &File, by: &By) -> Result<(Pending, Spooled), Error> {
    let spooled = copy(file, &to.spool).await?;
    let (level, filename) = (if to.strict { Level::Strict } else { Level::Legacy }, file.filename.clone());
    let checked = move || Ok::<_, Error>((check_file(&filename, &spooled, level)?.1, spooled));
    let (facts, spooled) = tokio::task::spawn_blocking(checked).await.map_err(io::Error::other)??;
    let attestations = from.catalog().records().attestations(&from.index, &file.filename).await?;
    let (actor, address) = (by.actor.to_string(), by.address.to_string());
    let sender = Sender { actor, address, attestations: attestations.map(Into::into) };
    let source = Some((*from.index).into());
    let pending = Pending { source, ..to.pending(&file.filename, facts, &spooled, sender) };
    if to.strict {
        to.only_sdist(&pending)?;
    }
    Ok((pending, spooled))
}
