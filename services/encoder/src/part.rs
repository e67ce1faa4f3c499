//! A long video in parts: where it is cut, so that several machines encode it at the same time.
//!
//! ```text
//! Order::Cut  { profile, seconds }   -> Outcome.parts: Vec<Part>; empty if it is to be encoded as a whole
//! Order::Part { profile, part }      -> Outcome.piece: Piece, its files below the job's folder; one job for each part
//! Order::Join { profile, parts: n }  -> Outcome.assets; needs all files of all pieces in its folder, by their names
//! Order::Encode(profile.pictures())  -> Outcome.assets: the pictures, at the same time as the parts
//! ```
//! All orders get the same upload and the same profile. What is joined has the frames, times and key frames of an encode
//! of the whole: parts begin where the profile wants a key frame anyway; each frame belongs to one part, by its time;
//! decoding begins some key frames earlier, for frames that need others before them; sound is encoded in the
//! end, in one go, and copies of the upload's own streams are made then. Only the encoder does not see across a cut.

use serde::{Deserialize, Serialize};

/// The unit of time of a part, of a second.
pub(crate) const TICKS: i64 = 90_000;
/// Parts of one video, at most.
pub(crate) const MOST: usize = 4096;

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its place, from 0.
    pub number: u32,
    /// It has what is seen from here on: 90,000ths of a second from the beginning.
    pub from: i64,
    /// And before this; the last part has no end.
    pub to: Option<i64>,
    /// The key frame that decoding begins with, in the unit of time of the upload's stream; `None` for its beginning.
    pub key: Option<i64>,
}

/// A part that is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Which part.
    pub number: u32,
    /// A file for each different encode of the picture, from the job's folder.
    pub files: Vec<String>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Frames of the first of them.
    pub frames: u64,
}

impl Part {
    /// Its folder in those of the jobs that make and join it.
    #[must_use]
    pub fn name(number: u32) -> String {
        format!("part-{number:04}")
    }

    /// Whether what is seen from `time` on, in 90,000ths of a second, belongs to it.
    pub(crate) fn has(&self, time: i64) -> bool {
        self.from <= time && !self.is_before(time)
    }

    /// Whether it has ended by `time`.
    pub(crate) fn is_before(&self, time: i64) -> bool {
        self.to.is_some_and(|to| to <= time)
    }

    /// Seconds of its beginning.
    pub(crate) fn begin(&self) -> f64 {
        self.from as f64 / TICKS as f64
    }

    /// Seconds of its end.
    pub(crate) fn end(&self) -> Option<f64> {
        self.to.map(|to| to as f64 / TICKS as f64)
    }
}

/// A key frame of the upload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// When it is seen, in 90,000ths of a second from the beginning.
    pub time: i64,
    /// The same as the stream says it.
    pub said: i64,
}

/// Parts of about `seconds` each, of a picture with these key frames in the order of their times that ends at `end`, cut
/// at whole multiples of `keyframes` seconds; none if there are not at least two.
pub(crate) fn parts(keys: &[Key], end: i64, seconds: f64, keyframes: f64) -> Vec<Part> {
    let grid = ((keyframes * TICKS as f64) as i64).clamp(1, 1 << 32);
    let wanted = (seconds.clamp(1.0, 1e6) * TICKS as f64) as i64;
    let step = ((wanted + grid - 1) / grid).saturating_mul(grid);
    let mut parts = vec![Part { number: 0, from: 0, to: None, key: None }];
    let mut cut = step;
    // what is left at the end is not worth a machine of its own if it is less than half a part
    while cut < end - step / 2 && parts.len() < MOST {
        let before = keys.partition_point(|key| key.time < cut);
        // a picture that is refreshed bit by bit is whole two of its key frames later
        let key = keys.get(before.saturating_sub(3)).filter(|_| before > 1);
        // where key frames are far apart, more would be decoded twice than is saved
        if let (Some(key), Some(last)) = (key.filter(|key| cut - key.time <= step), parts.last_mut()) {
            last.to = Some(cut);
            let number = last.number + 1;
            parts.push(Part { number, from: cut, to: None, key: Some(key.said) });
        }
        cut += step;
    }
    if parts.len() > 1 { parts } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(every: i64, until: i64) -> Vec<Key> {
        (0..until / every).map(|at| Key { time: at * every * TICKS, said: at * every * 1000 }).collect()
    }

    /// Beginnings in seconds, with the beginning of decoding in the stream's milliseconds.
    fn check(keys: &[Key], end: i64, seconds: f64, expected: &[(i64, Option<i64>)]) {
        let parts = parts(keys, end * TICKS, seconds, 4.0);
        let found: Vec<_> = parts.iter().map(|part| (part.from / TICKS, part.key)).collect();
        assert_eq!(found, expected);
        assert!(parts.windows(2).all(|pair| pair[0].to == Some(pair[1].from) && pair[0].number + 1 == pair[1].number));
        assert!(parts.last().is_none_or(|last| last.to.is_none()));
    }

    #[test]
    fn cuts_stand_where_key_frames_are_wanted() {
        check(&keys(2, 100), 100, 30.0, &[(0, None), (32, Some(26_000)), (64, Some(58_000))]);
        check(&keys(10, 110), 110, 40.0, &[(0, None), (40, Some(10_000)), (80, Some(50_000))]);
    }

    #[test]
    fn what_cannot_be_cut_is_whole() {
        check(&keys(2, 30), 30, 30.0, &[]);
        check(&[Key { time: 0, said: 0 }], 1000, 30.0, &[]);
        check(&[], 1000, 30.0, &[]);
        // one of two marks has no key frame before it
        let far: Vec<_> = keys(2, 100).into_iter().filter(|key| !(0..60).contains(&(key.time / TICKS))).collect();
        check(&far, 100, 30.0, &[(0, None), (64, Some(60_000))]);
    }

    #[test]
    fn each_moment_has_one_part() {
        let parts = parts(&keys(2, 100), 100 * TICKS, 10.0, 4.0);
        for time in (0..100 * TICKS).step_by(777) {
            assert_eq!(parts.iter().filter(|part| part.has(time)).count(), 1);
        }
    }
}
