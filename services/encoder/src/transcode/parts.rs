//! Parts of a picture: where it can be cut, and the encode of one of them. How they come together again is `join`'s.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread::scope;

use ffmpeg_next as ffmpeg;

use ffmpeg::{Packet, Rational, Rescale};

use super::Emit;
use super::branch::Branch;
use super::codecs::TICKS;
use super::error::{Doing, Error};
use super::feed::Feed;
use super::front::Front;
use super::open::{FAULTS, MICROSECOND, Source, microseconds};
use super::pipeline::{FRAMES, Handle, common, join, spawn};
use crate::event::Event;
use crate::limits::Limits;
use crate::part::{Key, Part, Piece, parts};
use crate::plan::Plan;
use crate::profile::Profile;

/// Seconds that times may jump: from there on they are put in order by what came before, which a part does not see.
const JUMP: i64 = 10 * TICKS as i64;

/// Where the picture of an upload can be cut, to parts of about so many seconds; nothing if it is to stay whole.
pub(super) fn find(mut source: Source, plan: &Plan, profile: &Profile, seconds: f64) -> Result<Vec<Part>, Error> {
    let video = source.facts.video.as_ref().filter(|_| !plan.video.is_empty()).map(|video| video.stream);
    let index = video.and_then(|stream| usize::try_from(stream).ok());
    let base = index.and_then(|index| source.input.stream(index)).map(|stream| stream.time_base());
    let (Some(index), Some(base)) = (index, base) else { return Ok(Vec::new()) };
    let (mut keys, mut end, mut packet, mut faults) = (Vec::new(), 0, Packet::empty(), 0);
    loop {
        match packet.read(&mut source.input) {
            Ok(()) => faults = 0,
            Err(ffmpeg::Error::InvalidData | ffmpeg::Error::Other { errno: libc::EAGAIN }) if faults < FAULTS => {
                faults += 1;
                continue;
            }
            Err(_) => break,
        }
        if packet.stream() != index {
            continue;
        }
        // without a time of its own a frame follows the one before, which may be in another part
        let Some(said) = packet.pts() else { return Ok(Vec::new()) };
        let at = microseconds(said, base).saturating_sub(source.start);
        let time = at.rescale(MICROSECOND, Rational(1, TICKS));
        if time.saturating_sub(end) > JUMP || end.saturating_sub(time) > JUMP {
            return Ok(Vec::new());
        }
        end = end.max(time);
        if packet.is_key() {
            keys.push(Key { time, said });
        }
    }
    keys.sort_by_key(|key| key.time);
    Ok(parts(&keys, end, seconds, profile.keyframes))
}

/// Encodes one part of the picture, as often as is planned.
pub(super) fn encode(
    source: Source,
    plan: &Plan,
    profile: &Profile,
    folder: &Path,
    part: Part,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let facts = source.facts.clone();
    let (common, base) = (common(&facts, plan, profile, limits), plan.base.unwrap_or(crate::plan::SMALLEST));
    let place = folder.join(Part::name(part.number));
    std::fs::create_dir_all(&place).doing(|| format!("make `{}`", place.display()))?;
    let mut feed = Feed::new(source, limits, Vec::new(), emit);
    if let Some(video) = facts.video.as_ref().filter(|_| !plan.video.is_empty()) {
        feed.show(video, Front::new(video, base, common.tags, plan.thinned, profile.keyframes), Vec::new())?;
        feed.limit_to(part);
    }
    let written = scope(|scope| {
        let mut encoders: Vec<Handle<'_, _>> = Vec::new();
        for (number, encode) in plan.video.iter().enumerate() {
            let mut branch = Branch::open(encode, base, &common)?;
            branch.limit_to(part, folder, number)?;
            let (sender, frames) = sync_channel(FRAMES);
            encoders.push(spawn(scope, "picture", move || branch.run(&frames))?);
            feed.add_branch(sender);
        }
        let fed = feed.run();
        // a thread that failed knows why the feed could not go on
        let written = encoders.into_iter().map(join).collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
        fed?.warnings.into_iter().for_each(|warning| emit(Event::Warning(warning)));
        Ok::<_, Error>(written)
    })?;
    let files = (0..plan.video.len()).map(|number| super::join::file(part.number, number)).collect();
    let sizes: Vec<_> = written.into_iter().flatten().collect();
    emit(Event::Piece(Piece {
        number: part.number,
        files,
        bytes: sizes.iter().map(|(_, bytes)| bytes).sum(),
        frames: sizes.first().map_or(0, |(packets, _)| *packets),
    }));
    Ok(())
}
