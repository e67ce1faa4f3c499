//! Reads new files, as many at a time as there are processors.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use opsctl_dist::{Digests, Distribution, Kind, Wanted};

use super::stamp::Stamp;
use super::walk::Seen;
use super::{Facts, Found, Refused};

/// Characters of a summary that are kept.
const SUMMARY_MAX: usize = 512;

/// Reads these files; the results are in their order. Blocks on the disk.
pub(super) fn read(root: &Path, files: Vec<Seen>) -> Vec<Result<Found, Refused>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(files.len().div_ceil(8)).max(1);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(seen) = files.get(at)
        {
            done.push((at, one(root, seen)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        // a thread that panicked has read nothing: its files are read again with the next look
        others.into_iter().for_each(|other| done.extend(other.join().unwrap_or_default()));
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, read)| read).collect()
}

fn one(root: &Path, seen: &Seen) -> Result<Found, Refused> {
    let path = root.join(&*seen.path);
    let refused = |reason: String| Refused { path: seen.path.clone(), stamp: seen.stamp, reason: reason.into() };
    let read = Distribution::read(&path).map_err(|error| refused(format!("{:#}", anyhow::Error::from(error))))?;
    match fs::metadata(&path).map(|metadata| Stamp::from(&metadata)) {
        Ok(stamp) if stamp == seen.stamp => {}
        // it will be looked at again: its stamp is another one
        _ => return Err(refused("it was changed while it was read".to_owned())),
    }
    let metadata = read.metadata.as_ref();
    let facts = Facts {
        requires_python: metadata.and_then(|metadata| metadata.requires_python.as_deref()).map(Box::from),
        summary: metadata.and_then(|metadata| metadata.summary.as_deref()).map(|summary| cut(summary).into()),
        metadata: read.metadata_bytes.as_deref().filter(|_| servable(&read)).map(digest),
        version: read.version.text().into(),
        sha256: read.digests.sha256,
        name: read.project,
    };
    Ok(Found {
        path: seen.path.clone(),
        filename: read.file_name.text().into(),
        stamp: seen.stamp,
        first_seen: 0,
        facts,
    })
}

/// Whether the metadata are those of what will be installed: always a wheel's; a source distribution's if nothing that
/// matters to a resolver may come out otherwise when it is built (PEP 643).
fn servable(read: &Distribution) -> bool {
    let fixed = |metadata: &opsctl_dist::Metadata| {
        let matters = ["requires-dist", "requires-python", "provides-extra"];
        let version = metadata.metadata_version.split_once('.');
        let version = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
        version >= Some((2, 2)) && !metadata.dynamic.iter().any(|field| matters.contains(&&**field))
    };
    match read.file_name.kind() {
        Kind::Wheel => true,
        Kind::Sdist => read.metadata.as_ref().is_some_and(fixed),
        _ => false,
    }
}

fn digest(bytes: &[u8]) -> crate::catalog::Digest {
    Digests::of(bytes, Wanted::Sha256).sha256
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(SUMMARY_MAX).map_or(text, |(end, _)| &text[..end])
}
