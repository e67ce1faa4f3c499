//! A stream whose packets are written as they are, from its first key frame on, in a new file's time.
//!
//! MP4 wants to know when each packet is to be decoded; Matroska does not say, and libav guesses it for all but the
//! first few, which wait here until the guess is there. No packet is left out because of its time alone, unless that
//! is far behind: a frame less is seen.

use std::sync::Arc;

use ffmpeg_next as ffmpeg;

use ffmpeg::packet::Flags;
use ffmpeg::{Packet, Rational, Rescale};

use super::branch::Place;
use super::error::Error;
use super::mux::Mux;
use super::open::Source;

/// Packets that may wait: H.264 has at most 16 frames that are decoded before they are shown.
const WAITING: usize = 32;

/// The copy of one stream.
pub(super) struct Copy {
    stream: usize,
    place: Place,
    /// The beginning of all results in the stream's own unit of time.
    start: i64,
    begun: bool,
    row: Row<Packet>,
    base: Rational,
    /// The end of what was written, in seconds.
    pub position: f64,
}

impl Copy {
    pub(super) fn open(
        source: &Source,
        stream: Option<u32>,
        is_video: bool,
        mux: &Arc<Mux>,
    ) -> Result<Option<Self>, Error> {
        let index = stream.and_then(|stream| usize::try_from(stream).ok());
        let Some(stream) = index.and_then(|index| source.input.stream(index)) else { return Ok(None) };
        let base = stream.time_base();
        let start = source.start.rescale(Rational(1, 1_000_000), base);
        let place = Place { mux: Arc::clone(mux), stream: mux.add_copy(stream.parameters(), base)? };
        // sound that overlaps is heard twice; of a picture each packet is needed by those that follow
        let behind = if is_video { 1_i64.rescale(Rational(1, 1), base) } else { 0 };
        let (stream, begun) = (stream.index(), !is_video);
        Ok(Some(Self { stream, place, start, begun, row: Row::new(behind), base, position: 0.0 }))
    }

    /// Writes the packet if it is of this stream.
    pub(super) fn offer(&mut self, packet: &Packet) -> Result<(), Error> {
        self.begun |= packet.stream() == self.stream && packet.is_key();
        if packet.stream() != self.stream || !self.begun || packet.flags().contains(Flags::CORRUPT) {
            return Ok(());
        }
        let here = |time: Option<i64>| time.map(|time| time.saturating_sub(self.start));
        let times = Times { decoded: here(packet.dts()), shown: here(packet.pts()) };
        let ready = self.row.put(times, packet.duration(), packet.clone());
        self.write(ready)
    }

    /// Writes what still waits.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let rest = self.row.rest();
        self.write(rest)
    }

    fn write(&mut self, packets: Vec<(i64, i64, Packet)>) -> Result<(), Error> {
        packets.into_iter().try_for_each(|(decoded, shown, mut packet)| {
            let end = shown.saturating_add(packet.duration()) as f64 * f64::from(self.base);
            self.position = self.position.max(end);
            packet.set_dts(Some(decoded));
            packet.set_pts(Some(shown));
            self.place.mux.write(packet, self.place.stream)
        })
    }
}

/// What is said of a packet.
#[derive(Debug, Clone, Copy)]
struct Times {
    decoded: Option<i64>,
    shown: Option<i64>,
}

/// Packets on their way to a file, in the order in which they are decoded.
struct Row<T> {
    waiting: Vec<(Option<i64>, T)>,
    last: Option<i64>,
    /// How far behind the last one a packet may be and is written all the same, as soon as can be.
    behind: i64,
}

impl<T> Row<T> {
    fn new(behind: i64) -> Self {
        Self { waiting: Vec::new(), last: None, behind }
    }

    /// Takes a packet that lasts for `duration`, and returns those whose times are known now: when each is decoded and
    /// shown.
    fn put(&mut self, times: Times, duration: i64, packet: T) -> Vec<(i64, i64, T)> {
        let Some(decoded) = times.decoded.or(times.shown.filter(|_| self.last.is_some())) else {
            self.waiting.push((times.shown, packet));
            return if self.waiting.len() < WAITING { Vec::new() } else { self.rest() };
        };
        let mut ready = self.release(decoded, duration.max(1));
        ready.extend(self.place(decoded, times.shown, packet));
        ready
    }

    /// Those that wait, when nothing more comes that they could be measured by.
    fn rest(&mut self) -> Vec<(i64, i64, T)> {
        let first = self.waiting.iter().filter_map(|(shown, _)| *shown).min().unwrap_or(0);
        self.release(first, 1)
    }

    /// Those that wait are decoded one after the other, the last one before `next`.
    fn release(&mut self, next: i64, step: i64) -> Vec<(i64, i64, T)> {
        let waiting = std::mem::take(&mut self.waiting);
        let count = i64::try_from(waiting.len()).unwrap_or(0);
        let times = (0..count).map(|at| next.saturating_sub((count - at).saturating_mul(step)));
        times.zip(waiting).filter_map(|(decoded, (shown, packet))| self.place(decoded, shown, packet)).collect()
    }

    fn place(&mut self, decoded: i64, shown: Option<i64>, packet: T) -> Option<(i64, i64, T)> {
        let decoded = decoded.min(shown.unwrap_or(decoded));
        // containers cannot say that a packet comes before the one in front of it
        let at = match self.last {
            Some(last) if decoded <= last && last.saturating_sub(decoded) >= self.behind => return None,
            Some(last) => decoded.max(last.saturating_add(1)),
            None => decoded,
        };
        self.last = Some(at);
        Some((at, shown.unwrap_or(at).max(at), packet))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Times in, with a duration of 40 each, and times out.
    fn check(behind: i64, times: &[(Option<i64>, i64)], expected: &[(i64, i64)]) {
        let mut row = Row::new(behind);
        let mut found = Vec::new();
        for (decoded, shown) in times {
            found.extend(row.put(Times { decoded: *decoded, shown: Some(*shown) }, 40, ()));
        }
        found.extend(row.rest());
        assert_eq!(found.into_iter().map(|(decoded, shown, ())| (decoded, shown)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_packets_of_matroska_get_their_times() {
        check(
            1000,
            &[(None, 0), (None, 120), (Some(0), 40), (Some(40), 80)],
            &[(-80, 0), (-40, 120), (0, 40), (40, 80)],
        );
    }

    #[test]
    fn a_stream_without_any_word_keeps_its_packets() {
        check(1000, &[(None, 0), (None, 80), (None, 40)], &[(-3, 0), (-2, 80), (-1, 40)]);
    }

    #[test]
    fn what_is_behind_is_written_as_soon_as_can_be() {
        check(1000, &[(Some(0), 0), (Some(0), 40), (Some(80), 80)], &[(0, 0), (1, 40), (80, 80)]);
        check(1000, &[(Some(5000), 5000), (Some(0), 0), (Some(5040), 5040)], &[(5000, 5000), (5040, 5040)]);
        // sound is not said twice
        check(0, &[(Some(0), 0), (Some(0), 0), (Some(40), 40)], &[(0, 0), (40, 40)]);
    }

    proptest! {
        #[test]
        fn times_rise_and_nothing_is_shown_before_it_is_decoded(
            times in prop::collection::vec(any::<(Option<i64>, Option<i64>, i64)>(), 0..80), behind in 0..1000_i64,
        ) {
            let mut row = Row::new(behind);
            let mut found = Vec::new();
            for (decoded, shown, duration) in times {
                found.extend(row.put(Times { decoded, shown }, duration, ()));
            }
            found.extend(row.rest());
            prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(found.iter().all(|(decoded, shown, ())| decoded <= shown));
        }
    }
}
