//! One job: reading, decoding and handing out frames in this thread, encoding in others, and the end of it all.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use super::codecs::Common;
use super::error::{Doing, Error};
use super::feed::{Fed, Feed};
use super::front::Front;
use super::open::Source;
use super::outputs::Outputs;
use super::pictures::{Album, Schedule};
use super::{Emit, flv, hls, sound};
use crate::asset::{Asset, Kind};
use crate::event::{Event, Warning};
use crate::facts::Facts;
use crate::limits::Limits;
use crate::plan::{Plan, Track};
use crate::profile::Profile;
use crate::refusal::Refusal;

/// Frames on their way to an encoder: enough to even out pictures that take longer, few enough for memory.
pub(super) const FRAMES: usize = 4;
/// Frames of sound on their way.
const SOUNDS: usize = 64;

pub(super) type Handle<'scope, T> = (&'static str, ScopedJoinHandle<'scope, Result<T, Error>>);

/// Makes everything that is planned; the picture from so many `parts`, if it was encoded in parts before.
pub(super) fn run(
    source: Source,
    plan: &Plan,
    profile: &Profile,
    folder: &Path,
    parts: Option<u32>,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let facts = source.facts.clone();
    for codec in &facts.left_out {
        emit(Event::Warning(Warning::LeftOut { codec: codec.clone() }));
    }
    let common = common(&facts, plan, profile, limits);
    let Outputs { files, branches, voices, copies } = Outputs::open(&source, plan, &common, folder)?;
    let schedules: Vec<_> = plan.pictures.iter().map(|picture| Schedule::new(picture, facts.duration)).collect();
    let base = plan.base.unwrap_or(crate::plan::SMALLEST);
    let album = (!plan.pictures.is_empty())
        .then(|| Album::open(&plan.pictures, &schedules, base, folder, facts.duration))
        .transpose()?;
    let mut feed = Feed::new(source, limits, copies, emit);
    if let Some(video) = facts.video.as_ref().filter(|_| plan.decodes_video() && parts.is_none()) {
        feed.show(video, Front::new(video, base, common.tags, plan.thinned, profile.keyframes), schedules)?;
    }
    if let Some(audio) = facts.audio.as_ref().filter(|_| !voices.is_empty()) {
        feed.sound(audio)?;
    }
    let (fed, pictures) = scope(|scope| {
        let mut encoders: Vec<Handle<'_, ()>> = Vec::new();
        for (number, branch) in branches.into_iter().enumerate() {
            if let Some(parts) = parts {
                feed.add_join(branch.join(folder, parts, number));
                continue;
            }
            let (sender, frames) = sync_channel(FRAMES);
            encoders.push(spawn(scope, "picture", move || branch.run(&frames).map(drop))?);
            feed.add_branch(sender);
        }
        if feed.has_sound() {
            let (sender, frames) = sync_channel(SOUNDS);
            encoders.push(spawn(scope, "sound", move || sound::run(voices, &frames))?);
            feed.add_voices(sender);
        }
        let photographer = album.map(|album| {
            let (sender, shots) = sync_channel(FRAMES);
            feed.add_album(sender);
            spawn(scope, "pictures", move || album.run(&shots))
        });
        // the feed's end is the end of its channels, and so of the threads
        let fed = feed.run();
        let encoded = encoders.into_iter().map(join).fold(Ok(()), Result::and);
        let pictures = photographer.transpose()?.map(join).transpose();
        // a thread that failed knows why the feed could not go on
        encoded?;
        let pictures = pictures?.unwrap_or_default();
        Ok::<_, Error>((fed?, pictures))
    })?;
    judge(&fed, plan, parts.is_some())?;
    fed.warnings.into_iter().for_each(|warning| emit(Event::Warning(warning)));
    let lengths = files.iter().map(|file| file.finish()).collect::<Result<Vec<_>, _>>()?;
    // closes them
    drop(files);
    for file in plan.files.iter().filter(|file| file.kind == Kind::Flv && file.video.is_some()) {
        flv::correct(&folder.join(&file.path))?;
    }
    for (file, length) in plan.files.iter().zip(&lengths) {
        let bytes = std::fs::metadata(folder.join(&file.path)).doing(|| format!("look at `{}`", file.path))?.len();
        emit(Event::Asset(Asset {
            name: file.name.clone(),
            kind: file.kind,
            files: vec![file.path.clone()],
            bytes,
            size: file.size,
            duration: Some(*length),
            copied: [file.video, file.audio].contains(&Some(Track::Copy)),
        }));
    }
    pictures.into_iter().filter(|asset| !asset.files.is_empty()).for_each(|asset| emit(Event::Asset(asset)));
    for stream in &plan.hls {
        emit(Event::Asset(hls::make(stream, plan, folder)?));
    }
    Ok(())
}

/// Whether anything came out of what was to be decoded.
fn judge(fed: &Fed, plan: &Plan, joins: bool) -> Result<(), Refusal> {
    let nothing = |wanted: bool, frames: Option<u64>| wanted && frames.unwrap_or(0) == 0;
    let blind = match joins {
        true => nothing(!plan.video.is_empty(), Some(fed.joined)),
        false => nothing(plan.decodes_video(), fed.frames),
    };
    let deaf = nothing(!plan.audio.is_empty(), fed.sounds);
    if blind || (deaf && !plan.decodes_video()) { Err(Refusal::Damaged) } else { Ok(()) }
}

/// What all encodes of the picture share.
pub(super) fn common(facts: &Facts, plan: &Plan, profile: &Profile, limits: &Limits) -> Common {
    let tags = facts.video.as_ref().map_or_else(
        || crate::colours::Colours::default().tags(crate::plan::SMALLEST, true),
        |video| video.colours.tags(video.stored, is_rgb(&video.pixels)),
    );
    Common { rate: plan.rate, keyframes: profile.keyframes, tags, threads: limits.threads }
}

fn is_rgb(pixels: &str) -> bool {
    ["rgb", "bgr", "gbr", "pal8", "0rgb", "0bgr", "argb", "abgr"].iter().any(|prefix| pixels.starts_with(prefix))
}

pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &'static str,
    work: impl FnOnce() -> Result<T, Error> + Send + 'scope,
) -> Result<Handle<'scope, T>, Error> {
    let handle = Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    Ok((name, handle.doing(|| format!("start the thread `{name}`"))?))
}

pub(super) fn join<T>((name, handle): Handle<'_, T>) -> Result<T, Error> {
    handle.join().unwrap_or(Err(Error::Panicked(name)))
}
