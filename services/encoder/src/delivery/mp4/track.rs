//! A track: its tables, and how its own time goes with the movie's.

use super::boxes::{Unfit, entries, find, need, u32_at, u64_at};
use super::tables::{Chunks, Places, Runs, Sizes, Sync, Ticks};

/// Nanoseconds of the movie.
pub(super) type Nanos = i128;

pub(super) const SECOND: Nanos = 1_000_000_000;

/// A track.
#[derive(Debug)]
pub(super) struct Track<'a> {
    /// Ticks a second.
    pub(super) scale: u32,
    edit: Edit,
    pub(super) times: Runs<'a>,
    /// What is to be added to times of decoding for those of showing; whether they may be negative.
    pub(super) offsets: Option<(Runs<'a>, bool)>,
    pub(super) sync: Option<Sync<'a>>,
    pub(super) sizes: Sizes<'a>,
    pub(super) chunks: Chunks<'a>,
    pub(super) places: Places<'a>,
}

/// What an edit list says.
#[derive(Debug, Clone, Copy, Default)]
struct Edit {
    /// How long nothing is shown at first.
    delay: Nanos,
    /// The track's own time at which it begins.
    from: Ticks,
}

impl<'a> Track<'a> {
    /// The track in the body of a `trak` box, of a movie with so many ticks a second.
    pub(super) fn read(trak: &'a [u8], movie_scale: u32) -> Result<Track<'a>, Unfit> {
        need(trak, *b"tkhd")?;
        let mdia = need(trak, *b"mdia")?;
        let stbl = need(need(mdia, *b"minf")?, *b"stbl")?;
        let scale = scale(need(mdia, *b"mdhd")?)?;
        let edit = match find(trak, *b"edts")?.map(|edts| find(edts, *b"elst")).transpose()?.flatten() {
            Some(elst) => Edit::read(elst, movie_scale)?,
            None => Edit::default(),
        };
        let places = Places::new(find(stbl, *b"stco")?, find(stbl, *b"co64")?)?;
        let offsets = match find(stbl, *b"ctts")? {
            Some(body) => Some((Runs::new(body)?, body.first() != Some(&0))),
            None => None,
        };
        let track = Track {
            scale,
            edit,
            times: Runs::new(need(stbl, *b"stts")?)?,
            offsets,
            sync: find(stbl, *b"stss")?.map(Sync::new).transpose()?,
            sizes: Sizes::new(need(stbl, *b"stsz")?)?,
            chunks: Chunks::new(need(stbl, *b"stsc")?, places.count())?,
            places,
        };
        match track.sizes.count() > 0 && track.times.count() == track.sizes.count() {
            true => Ok(track),
            false => Err(Unfit::Malformed("tables of different lengths")),
        }
    }

    /// What is added to the time of a sample's decoding to give that of its showing.
    pub(super) fn offset(&self, sample: u64) -> Ticks {
        match self.offsets.and_then(|(runs, signed)| Some((runs.value(sample)?, signed))) {
            Some((value, true)) => Ticks::from(value.cast_signed()),
            Some((value, false)) => value.into(),
            None => 0,
        }
    }

    /// The track's time at a time of the movie; when it begins, if it has not then.
    pub(super) fn ticks(&self, at: Nanos) -> Ticks {
        let since = (at - self.edit.delay).max(0);
        self.edit.from + since * Ticks::from(self.scale) / SECOND
    }

    /// The other way.
    pub(super) fn nanos(&self, ticks: Ticks) -> Nanos {
        self.edit.delay + (ticks - self.edit.from).max(0) * SECOND / Ticks::from(self.scale)
    }

    /// How long nothing is shown of it from a time of the movie on.
    pub(super) fn delay(&self, at: Nanos) -> Nanos {
        (self.edit.delay - at).max(0)
    }

    /// The last sample at or before a track's time that decoding can begin at. None if the track has ended then.
    pub(super) fn begin(&self, at: Ticks) -> Option<u64> {
        let sample = self.times.sample_at(at)?;
        let Some(sync) = self.sync else {
            // a frame of sound needs the one before it to sound right
            return Some(sample.saturating_sub(1));
        };
        let mut found = sync.before(sample).unwrap_or(0);
        // decoded by then, but shown later
        for _ in 0..4 {
            if found == 0 || self.times.sum_to(found) + self.offset(found) <= at {
                break;
            }
            found = sync.before(found - 1).unwrap_or(0);
        }
        Some(found)
    }
}

/// Ticks a second, of an `mvhd` or `mdhd` box.
pub(super) fn scale(body: &[u8]) -> Result<u32, Unfit> {
    let at = if body.first() == Some(&1) { 20 } else { 12 };
    u32_at(body, at).filter(|scale| *scale > 0).ok_or(Unfit::Malformed("no time scale"))
}

impl Edit {
    fn read(elst: &[u8], movie_scale: u32) -> Result<Edit, Unfit> {
        let wide = elst.first() == Some(&1);
        let width = if wide { 20 } else { 12 };
        let mut edit = None;
        let mut delay: Nanos = 0;
        for entry in entries(elst, width)?.chunks_exact(width) {
            let (duration, from) = match wide {
                true => (u64_at(entry, 0), u64_at(entry, 8).map(|from| i128::from(from.cast_signed()))),
                false => (u32_at(entry, 0).map(u64::from), u32_at(entry, 4).map(|from| i128::from(from.cast_signed()))),
            };
            let rate = u32_at(entry, width - 4);
            match (edit, duration, from) {
                (None, Some(duration), Some(-1)) => {
                    delay += Nanos::from(duration) * SECOND / Nanos::from(movie_scale);
                }
                (None, Some(_), Some(from)) if from >= 0 && rate == Some(0x1_0000) => edit = Some(from),
                _ => return Err(Unfit::Unsupported("edit lists of more than one edit")),
            }
        }
        Ok(Edit { delay, from: edit.unwrap_or(0) })
    }
}
