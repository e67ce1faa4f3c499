//! How much an upload may ask for, in size, memory and time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::refusal::Refusal;

/// Bounds of one job. What is over them is refused, or the worker is ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Pixels of a frame: 8192 x 4320.
    pub pixels: u64,
    /// Seconds of an upload.
    pub duration: u64,
    /// Streams in a container: a disc with all its languages has some thirty.
    pub streams: u32,
    /// Bytes of memory that a worker may ask for: 4K at 60 frames a second takes half a GiB, a frame of the largest
    /// size some hundred MiB, and several are in work.
    pub memory: u64,
    /// Bytes of one result.
    pub file_size: u64,
    /// Threads of one encoder or decoder.
    pub threads: u32,
    /// Seconds for anything, before the length is known.
    pub time_base: u64,
    /// Seconds more for each second of the upload.
    pub time_factor: f64,
    /// Seconds without any word from the worker.
    pub silence: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pixels: 8192 * 4320,
            duration: 12 * 3600,
            streams: 64,
            memory: 3 << 30,
            file_size: 64 << 30,
            threads: std::thread::available_parallelism().map_or(2, |count| count.get().min(16) as u32),
            time_base: 120,
            time_factor: 30.0,
            silence: 300,
        }
    }
}

impl Limits {
    /// Whether an upload of this kind is within the bounds.
    ///
    /// # Errors
    /// The bound that it is not within.
    pub fn check(&self, facts: &Facts) -> Result<(), Refusal> {
        if facts.streams > self.streams {
            return Err(Refusal::TooManyStreams { count: facts.streams });
        }
        if let Some(video) = &facts.video {
            for size in [video.stored, video.shown] {
                if size.pixels() > self.pixels {
                    return Err(Refusal::TooLarge { width: size.width, height: size.height, most: self.pixels });
                }
            }
        }
        if facts.duration.is_some_and(|duration| duration > self.duration as f64) {
            return Err(Refusal::TooLong { most: self.duration });
        }
        Ok(())
    }

    /// How long a job may take by the clock, given how long its upload is, as far as that is known and believable.
    #[must_use]
    pub fn time(&self, duration: Option<f64>) -> Duration {
        let said = duration.filter(|duration| !duration.is_nan()).unwrap_or(0.0);
        let believable = said.clamp(0.0, self.duration as f64);
        Duration::from_secs_f64(self.time_base as f64 + believable * self.time_factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::facts;

    #[test]
    fn what_is_over_a_bound_is_refused() {
        let limits = Limits::default();
        limits.check(&facts(8192, 4320)).unwrap();
        assert!(matches!(limits.check(&facts(16000, 16000)), Err(Refusal::TooLarge { width: 16000, .. })));
        let long = Facts { duration: Some(1e9), ..facts(640, 360) };
        assert!(matches!(limits.check(&long), Err(Refusal::TooLong { .. })));
        let many = Facts { streams: 65, ..facts(640, 360) };
        assert!(matches!(limits.check(&many), Err(Refusal::TooManyStreams { count: 65 })));
    }

    #[test]
    fn time_is_bounded_whatever_the_upload_says() {
        let limits = Limits { time_base: 10, time_factor: 2.0, duration: 100, ..Limits::default() };
        let check = |duration, expected| assert_eq!(limits.time(duration), Duration::from_secs(expected));
        check(None, 10);
        check(Some(5.0), 20);
        check(Some(f64::INFINITY), 210);
        check(Some(-1.0), 10);
        check(Some(f64::NAN), 10);
    }
}
