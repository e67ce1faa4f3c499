//! What is in a bucket and nowhere in the tables: what an upload left behind that was cut off at a bad moment, or a file of
//! which the tables have lost what they knew.

use std::collections::{BTreeMap, HashSet};

use opsctl_dist::{Distribution, Level};

use super::super::work::Work;
use super::Report;
use crate::bucket::{Bucket, named};
use crate::catalog::{File, Place};
use crate::upload::{Error, Sender, Store, check_file};

/// What one upload has in the bucket.
#[derive(Debug, Default)]
struct Left {
    /// The key of the file, if there is one.
    file: Option<String>,
}

/// Reports what nothing is known of.
pub(super) async fn look(store: &Store, bucket: &Bucket, report: &mut Report) -> anyhow::Result<()> {
    for (folder, left) in unknown(store, bucket).await? {
        let key = left.file.unwrap_or(folder);
        // removed while this was looking
        if bucket.look(&key).await?.is_none() && bucket.metadata(&key).await?.is_none() {
            continue;
        }
        report.fault(store, None, format!("`{key}` is in the bucket, and nothing is known of it"));
    }
    Ok(())
}

/// Takes files in again of which nothing is known, and removes what can be of no use: what belongs to no file, and what has
/// a name that belongs to another one.
pub(super) async fn mend(work: &Work, store: &Store, bucket: &Bucket, report: &mut Report) -> anyhow::Result<()> {
    for (folder, left) in unknown(store, bucket).await? {
        match left.file {
            None => {
                bucket.remove(&format!("{folder}/file")).await?;
                report.mended(store, format!("`{folder}` is removed: there is no file in it"));
            }
            Some(key) => match take_in(work, store, bucket, &key).await {
                Ok(()) => {
                    bucket.remove(&key).await?;
                    report.mended(store, format!("`{key}` is taken in again"));
                }
                Err(error @ (Error::Exists { .. } | Error::Removed { .. })) => {
                    bucket.remove(&key).await?;
                    report.mended(store, format!("`{key}` is removed: {error}"));
                }
                // it stays, and is reported
                Err(Error::File(_) | Error::Closed { .. } | Error::Elsewhere(_) | Error::SecondSdist(_)) => {}
                Err(error) => return Err(error.into()),
            },
        }
    }
    Ok(())
}

/// Stores the metadata of a file again.
pub(super) async fn mend_metadata(store: &Store, file: &File) -> anyhow::Result<()> {
    let Place::Bucket { bucket, key, .. } = &file.place else { return Ok(()) };
    if let Some(spooled) = bucket.fetch(key, &store.spool, u64::MAX).await?
        && let Some(metadata) = Distribution::metadata_of(&spooled.file, &file.filename)?
    {
        bucket.put_metadata(key, metadata).await?;
    }
    Ok(())
}

/// What is in the bucket and unknown, by what stands before the last `/` of the keys.
async fn unknown(store: &Store, bucket: &Bucket) -> anyhow::Result<BTreeMap<String, Left>> {
    // first what is there: whatever is stored is known before it is
    let mut all: BTreeMap<String, Left> = BTreeMap::new();
    for key in bucket.keys(&store.index).await? {
        let folder = key.rsplit_once('/').map_or(&*key, |(folder, _)| folder).to_owned();
        let left = all.entry(folder).or_default();
        if named(&key).is_some() {
            left.file = Some(key);
        }
    }
    let known: HashSet<Box<str>> = store.catalog().records().paths(&store.index).await?;
    let folders: HashSet<&str> = known.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
    all.retain(|folder, _| !folders.contains(&**folder));
    Ok(all)
}

/// The same as an upload of the file.
async fn take_in(work: &Work, store: &Store, bucket: &Bucket, key: &str) -> Result<(), Error> {
    let Some(named) = named(key) else { return Ok(()) };
    let Some(spooled) = bucket.fetch(key, &store.spool, u64::MAX).await? else { return Ok(()) };
    let bound = store.catalog().records().bound(&store.index, &named.filename).await?;
    if let Some(sha256) = bound.filter(|bound| *bound != spooled.digests.sha256 && !store.volatile) {
        return Err(Error::Exists { filename: named.filename, sha256: sha256.to_string() });
    }
    let (filename, facts) = check_file(&named.filename, &spooled, Level::Legacy)?;
    let sender = Sender { actor: work.by().actor.into(), address: String::new(), attestations: None };
    store.store(&filename, facts, spooled, sender).await.map(drop)
}
