//! Reads new files, as many at a time as there are processors.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use opsctl_dist::Distribution;

use super::stamp::Stamp;
use super::walk::Seen;
use super::{Facts, Found, Refused};

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
    let filename = read.file_name.text().into();
    Ok(Found { path: seen.path.clone(), filename, stamp: seen.stamp, first_seen: 0, facts: Facts::of(read) })
}
