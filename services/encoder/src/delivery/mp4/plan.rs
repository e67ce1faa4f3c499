//! What of each track is in a part.

use std::ops::Range;

use super::Span;
use super::boxes::{Boxes, Unfit, need};
use super::tables::{Place, Ticks};
use super::track::{Nanos, SECOND, Track, scale};

/// Tracks of a file.
const MOST_TRACKS: usize = 32;
const MILLISECOND: Nanos = SECOND / 1000;

/// What of each track is in a part.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Ticks a second of the movie.
    pub(super) scale: u32,
    /// In their order; `None` is one that has ended before.
    pub(super) tracks: Vec<Option<Share<'a>>>,
    /// The media in the file.
    pub(super) media: Range<u64>,
}

/// What of a track is in a part.
#[derive(Debug)]
pub(super) struct Share<'a> {
    pub(super) track: Track<'a>,
    pub(super) samples: Range<u64>,
    pub(super) first: Place,
    pub(super) last: Place,
    /// Where the first sample is in the file.
    pub(super) begin: u64,
    /// How long nothing is shown at first.
    pub(super) delay: Nanos,
    /// What is passed over at the beginning.
    pub(super) skip: Ticks,
    /// What is shown.
    pub(super) length: Nanos,
}

impl Share<'_> {
    /// The length of its samples.
    pub(super) fn ticks(&self) -> Ticks {
        self.track.times.sum_to(self.samples.end) - self.track.times.sum_to(self.samples.start)
    }
}

/// # Errors
/// The file cannot be cut.
pub(super) fn plan(moov: &[u8], span: Span) -> Result<Plan<'_>, Unfit> {
    let scale = scale(need(moov, *b"mvhd")?)?;
    let mut tracks = Vec::new();
    for found in Boxes::new(moov) {
        let found = found?;
        match &found.kind {
            b"mvex" => return Err(Unfit::Unsupported("fragments")),
            b"trak" if tracks.len() >= MOST_TRACKS => return Err(Unfit::Unsupported("so many tracks")),
            b"trak" => tracks.push(Track::read(found.body, scale)?),
            _ => {}
        }
    }
    let start = begin(&tracks, Nanos::from(span.start) * MILLISECOND)?;
    let end = span.end.map(|end| Nanos::from(end) * MILLISECOND);
    let tracks: Vec<_> = tracks.into_iter().map(|track| share(track, start, end)).collect::<Result<_, _>>()?;
    let begin = tracks.iter().flatten().map(|share| share.begin).min().ok_or(Unfit::PastTheEnd)?;
    let end = tracks.iter().flatten().map(media_end).try_fold(0, |most, end| end.map(|end| most.max(end)));
    Ok(Plan { scale, tracks, media: begin..end.ok_or(Unfit::Malformed("a chunk is nowhere"))? })
}

/// When the part begins: with a key frame of the first track that has such.
fn begin(tracks: &[Track<'_>], start: Nanos) -> Result<Nanos, Unfit> {
    let leads = tracks.iter().find(|track| track.sync.is_some()).or(tracks.first());
    let leads = leads.ok_or(Unfit::Malformed("no tracks"))?;
    let first = leads.begin(leads.ticks(start)).ok_or(Unfit::PastTheEnd)?;
    Ok(match leads.sync {
        Some(_) => leads.nanos(leads.times.sum_to(first) + leads.offset(first)).min(start),
        None => start,
    })
}

/// `None` if nothing of it is left.
fn share(track: Track<'_>, start: Nanos, end: Option<Nanos>) -> Result<Option<Share<'_>>, Unfit> {
    let nowhere = Unfit::Malformed("a sample is in no chunk");
    let delay = track.delay(start);
    let at = track.ticks(start);
    let Some(first) = track.begin(at) else { return Ok(None) };
    let count = track.sizes.count();
    let end_of = |end: Nanos| track.times.sample_at(track.ticks(end) - 1).map_or(count, |sample| sample + 1);
    let samples = first..end.map_or(count, end_of).clamp(first + 1, count);
    let before = track.times.sum_to(first);
    let skip = (at - before).max(0);
    let shown = track.times.sum_to(samples.end) - before + track.offset(first) - skip;
    let length = shown.max(0) * SECOND / Ticks::from(track.scale);
    let length = end.map_or(length, |end| length.min(end - start - delay)).max(0);
    let place = |sample| track.chunks.place(sample).ok_or(nowhere);
    let (first, last) = (place(samples.start)?, place(samples.end - 1)?);
    let skipped = track.sizes.sum(samples.start - first.before..samples.start);
    let begin = track.places.get(first.chunk).and_then(|place| place.checked_add(skipped)).ok_or(nowhere)?;
    Ok(Some(Share { track, samples, first, last, begin, delay, skip, length }))
}

/// Where the last sample ends in the file.
fn media_end(share: &Share<'_>) -> Option<u64> {
    let Share { track, samples, last, .. } = share;
    let of_chunk = samples.end.checked_sub(last.before + 1)?..samples.end;
    track.places.get(last.chunk)?.checked_add(track.sizes.sum(of_chunk))
}
