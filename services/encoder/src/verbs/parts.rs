//! A long video in parts on this machine: several workers at once, where one encoder cannot keep all processors busy.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use anyhow::{Context, Result, anyhow};

use super::run::run;
use crate::event::Event;
use crate::job::{End, Outcome};
use crate::part::Part;
use crate::profile::Profile;
use crate::task::Order;

/// Processors that one encoder keeps busy.
const BUSY: usize = 4;

/// Makes what `profile` says of `source` in `folder`, from parts of about so many seconds if it can be cut.
pub(super) fn encode(
    source: &Path,
    folder: &Path,
    profile: &Profile,
    seconds: f64,
    mut each: impl FnMut(&Event) + Send + Clone + 'static,
) -> Result<Outcome> {
    let cut = run(source, &inside(folder, "cut")?, Order::Cut { profile: profile.clone(), seconds }, |_| {})?;
    if cut.end != End::Done {
        return Ok(cut);
    }
    if cut.parts.is_empty() {
        return run(source, folder, Order::Encode(profile.clone()), each);
    }
    if let Some(failed) = all(source, folder, profile, &cut.parts)? {
        return Ok(failed);
    }
    let parts = u32::try_from(cut.parts.len())?;
    let mut joined = run(source, folder, Order::Join { profile: profile.clone(), parts }, each.clone())?;
    let Some(pictures) = profile.pictures().filter(|_| joined.end == End::Done) else { return Ok(joined) };
    let place = inside(folder, "pictures")?;
    // one end is enough for both
    let quiet = move |event: &Event| {
        if *event != Event::Done {
            each(event);
        }
    };
    let made = run(source, &place, Order::Encode(pictures), quiet)?;
    for asset in &made.assets {
        asset.files.iter().try_for_each(|file| bring(file, &place, folder))?;
    }
    joined.assets.extend(made.assets);
    joined.warnings.extend(made.warnings);
    (joined.end, joined.log) = (made.end, made.log);
    Ok(joined)
}

/// Encodes all parts, a few at a time; returns how the first one ended that did not end well.
fn all(source: &Path, folder: &Path, profile: &Profile, parts: &[Part]) -> Result<Option<Outcome>> {
    let left = Mutex::new(parts.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(part) = next() {
            let place = inside(folder, &format!("work-{}", part.number))?;
            let outcome = run(source, &place, Order::Part { profile: profile.clone(), part: *part }, |_| {})?;
            let (End::Done, Some(piece)) = (&outcome.end, &outcome.piece) else {
                // nobody needs the others
                while next().is_some() {}
                return Ok(Some(outcome));
            };
            piece.files.iter().try_for_each(|file| bring(file, &place, folder))?;
        }
        Ok(None)
    };
    let workers = (available_parallelism().map_or(1, usize::from) / BUSY).max(1);
    scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let end = |thread: std::thread::ScopedJoinHandle<'_, Result<Option<Outcome>>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        };
        let ends: Vec<_> = threads.into_iter().map(end).collect();
        ends.into_iter().find_map(Result::transpose).transpose()
    })
}

fn inside(folder: &Path, name: &str) -> Result<PathBuf> {
    let place = folder.join(name);
    fs::create_dir(&place).with_context(|| format!("failed to make `{}`", place.display()))?;
    Ok(place)
}

/// Moves a file to the same name in another folder.
fn bring(file: &str, from: &Path, to: &Path) -> Result<()> {
    let target = to.join(file);
    let moved = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::rename(from.join(file), &target));
    moved.with_context(|| format!("failed to write `{}`", target.display()))
}
