//! When a frame is to be seen or heard: from what the upload says, as far as that makes sense.
//!
//! Times are microseconds from the beginning of the upload's first stream, so that sound and picture stay together.

use crate::refusal::Refusal;

/// Recordings of broadcasts are cut together, and their times jump; a jump of more than this is none of the picture's.
const JUMP: i64 = 10_000_000;

/// The clock of one stream.
#[derive(Debug)]
pub(super) struct Clock {
    start: i64,
    /// Nothing may be later.
    most: i64,
    /// Whether jumps are taken out, as in containers in which they are usual; elsewhere a long gap is one.
    joins: bool,
    shift: i64,
    end: i64,
    begun: bool,
    /// How often times jumped.
    pub jumps: u64,
}

impl Clock {
    /// The clock of a stream in `container`, libav's name for it, that may last for `most` seconds.
    pub(super) fn new(start: i64, container: &str, most: u64) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let joins = matches!(container, "mpegts" | "mpeg" | "mpegvideo" | "rm" | "dv");
        Self { start, most, joins, shift: 0, end: 0, begun: false, jumps: 0 }
    }

    /// When a frame begins that says `time` of itself, and lasts for `duration`. Without a word it follows the last one.
    ///
    /// # Errors
    /// When that is later than anything may be: hours of silence must not be made for a few bytes.
    pub(super) fn place(&mut self, time: Option<i64>, duration: i64) -> Result<i64, Refusal> {
        let said = time.map(|time| time.saturating_sub(self.start).saturating_add(self.shift));
        let mut at = said.unwrap_or(self.end);
        if self.joins && self.begun && at.abs_diff(self.end) > JUMP.unsigned_abs() {
            self.jumps += 1;
            self.shift = self.shift.saturating_add(self.end.saturating_sub(at));
            at = self.end;
        }
        self.begun = true;
        self.end = at.saturating_add(duration.clamp(0, JUMP));
        if at > self.most { Err(Refusal::TooLong { most: self.most.unsigned_abs() / 1_000_000 }) } else { Ok(at) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(container: &str, times: &[Option<i64>], expected: &[i64], jumps: u64) {
        let mut clock = Clock::new(1_000_000, container, 100_000);
        let placed: Vec<_> = times.iter().map(|time| clock.place(*time, 40_000).unwrap()).collect();
        assert_eq!((placed.as_slice(), clock.jumps), (expected, jumps));
    }

    #[test]
    fn the_first_stream_begins_at_nothing() {
        check("matroska,webm", &[Some(1_000_000), Some(1_040_000)], &[0, 40_000], 0);
    }

    #[test]
    fn frames_without_a_time_follow() {
        check("avi", &[None, None, Some(1_100_000), None], &[0, 40_000, 100_000, 140_000], 0);
    }

    #[test]
    fn jumps_are_joins_where_they_are_usual() {
        let times = [Some(1_000_000), Some(90_000_000_000), Some(90_000_040_000), Some(2_000_000)];
        check("mpegts", &times, &[0, 40_000, 80_000, 120_000], 2);
        check("mov", &times[..2], &[0, 89_999_000_000], 0);
    }

    #[test]
    fn there_is_a_latest_time() {
        let mut clock = Clock::new(0, "mov", 60);
        clock.place(Some(60_000_000), 0).unwrap();
        assert_eq!(clock.place(Some(60_000_001), 0), Err(Refusal::TooLong { most: 60 }));
    }

    proptest! {
        #[test]
        fn no_time_is_too_strange(times: Vec<Option<i64>>, start: i64, duration: i64) {
            let mut clock = Clock::new(start, "mpegts", 60);
            for time in times {
                let _ = clock.place(time, duration);
            }
        }
    }
}
