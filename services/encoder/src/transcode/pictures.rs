//! Pictures as results: poster, thumbnails and storyboard, in one thread for all.
//!
//! Each has its moments, known before anything is decoded; the frame that is seen then is the picture.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use ffmpeg_next as ffmpeg;

use ffmpeg::frame;

use super::error::{Doing, Error};
use super::jpeg::{Jpeg, Shrink};
use super::storyboard::Storyboard;
use crate::asset::{Asset, Kind};
use crate::facts::Size;
use crate::plan::{PicturePlan, Pictures};

/// Moments from which a poster is chosen.
const CANDIDATES: u32 = 8;
/// Pixels of a JPEG's side, at most: 16 bits, rounded down to whole blocks.
const SIDE: u32 = 65_000;

/// When the pictures of one result are to be taken.
#[derive(Debug)]
pub(super) struct Schedule {
    times: Vec<f64>,
    next: usize,
}

impl Schedule {
    pub(super) fn new(plan: &PicturePlan, duration: Option<f64>) -> Self {
        let duration = duration.unwrap_or(0.0);
        let spread = |count: u32| (0..count).map(|at| (f64::from(at) + 0.5) / f64::from(count) * duration).collect();
        let times = match plan.what {
            Pictures::Poster => spread(CANDIDATES),
            Pictures::Thumbs { count } => spread(count),
            Pictures::Storyboard { interval, .. } => {
                let count = (duration / interval).ceil().clamp(1.0, 100_000.0) as u32;
                (0..count).map(|at| f64::from(at) * interval).collect()
            }
        };
        Self { times, next: 0 }
    }

    /// Which of them are to be taken when a frame is seen from `time` on; all that are left at infinity.
    pub(super) fn due(&mut self, time: f64) -> Range<usize> {
        let begin = self.next;
        self.next = begin + self.times[begin..].iter().take_while(|due| **due <= time).count();
        begin..self.next
    }
}

/// A frame that is wanted, and for which moments of each result.
pub(super) struct Shot {
    pub frame: frame::Video,
    pub due: Vec<Range<usize>>,
}

/// One result in work.
struct Work {
    name: String,
    size: Size,
    shrink: Shrink,
    times: Vec<f64>,
    files: Vec<String>,
    bytes: u64,
    maker: Maker,
}

enum Maker {
    Poster { path: PathBuf, jpeg: Jpeg, best: Option<(f64, frame::Video)> },
    Thumbs { folder: PathBuf, jpeg: Jpeg },
    Storyboard { board: Storyboard },
}

/// All results that are pictures.
pub(super) struct Album {
    works: Vec<Work>,
    duration: f64,
}

impl Album {
    /// Makes the folders.
    pub(super) fn open(
        plans: &[PicturePlan],
        schedules: &[Schedule],
        base: Size,
        folder: &Path,
        duration: Option<f64>,
    ) -> Result<Self, Error> {
        let works = plans.iter().zip(schedules).map(|(plan, schedule)| Work::open(plan, schedule, base, folder));
        Ok(Self { works: works.collect::<Result<_, _>>()?, duration: duration.unwrap_or(0.0) })
    }

    /// Takes pictures until there are no more frames.
    pub(super) fn run(mut self, shots: &Receiver<Shot>) -> Result<Vec<Asset>, Error> {
        for Shot { frame, due } in shots.iter() {
            for (work, due) in self.works.iter_mut().zip(due) {
                work.take(&frame, due)?;
            }
        }
        let duration = self.duration;
        self.works.into_iter().map(|work| work.finish(duration)).collect()
    }
}

impl Work {
    fn open(plan: &PicturePlan, schedule: &Schedule, base: Size, folder: &Path) -> Result<Self, Error> {
        let PicturePlan { name, size, quality, what } = plan;
        let own = folder.join(name);
        let make = || fs::create_dir_all(&own).doing(|| format!("make `{}`", own.display()));
        let maker = match what {
            Pictures::Poster => {
                let (path, jpeg) = (folder.join(format!("{name}.jpg")), Jpeg::open(*size, *quality)?);
                Maker::Poster { path, jpeg, best: None }
            }
            Pictures::Thumbs { .. } => {
                make()?;
                Maker::Thumbs { folder: own, jpeg: Jpeg::open(*size, *quality)? }
            }
            Pictures::Storyboard { columns, rows, .. } => {
                make()?;
                let fitting = |cells: u32, side: u32| cells.min(SIDE / side.max(1)).max(1);
                let (columns, rows) = (fitting(*columns, size.width), fitting(*rows, size.height));
                Maker::Storyboard { board: Storyboard::new(own, *size, columns, rows, *quality)? }
            }
        };
        let (shrink, times) = (Shrink::new(base, *size)?, schedule.times.clone());
        Ok(Self { name: name.clone(), size: *size, shrink, times, files: Vec::new(), bytes: 0, maker })
    }

    fn take(&mut self, frame: &frame::Video, due: Range<usize>) -> Result<(), Error> {
        if due.is_empty() {
            return Ok(());
        }
        let mut small = self.shrink.shrink(frame)?;
        match &mut self.maker {
            Maker::Poster { best, .. } => {
                let clear = contrast(&small);
                if best.as_ref().is_none_or(|(before, _)| clear > *before) {
                    *best = Some((clear, small));
                }
            }
            Maker::Thumbs { folder, jpeg } => {
                for index in due {
                    let file = format!("{}.jpg", index + 1);
                    self.bytes += jpeg.write(&mut small, &folder.join(&file))?;
                    self.files.push(format!("{}/{file}", self.name));
                }
            }
            Maker::Storyboard { board } => {
                for time in due.filter_map(|index| self.times.get(index)) {
                    board.add(&small, *time)?;
                }
            }
        }
        Ok(())
    }

    fn finish(self, duration: f64) -> Result<Asset, Error> {
        let Self { name, size, shrink: _, times: _, files, bytes, maker } = self;
        let (kind, files, bytes) = match maker {
            Maker::Poster { path, mut jpeg, best } => match best {
                Some((_, mut frame)) => {
                    let bytes = jpeg.write(&mut frame, &path)?;
                    (Kind::Poster, vec![format!("{name}.jpg")], bytes)
                }
                None => (Kind::Poster, Vec::new(), 0),
            },
            Maker::Thumbs { .. } => (Kind::Thumbs, files, bytes),
            Maker::Storyboard { board } => {
                let (files, bytes) = board.finish(duration)?;
                (Kind::Storyboard, files.into_iter().map(|file| format!("{name}/{file}")).collect(), bytes)
            }
        };
        Ok(Asset { name, kind, files, bytes, size: Some(size), duration: None, copied: false })
    }
}

/// How much there is to see: the variance of brightness. A black frame has none.
fn contrast(frame: &frame::Video) -> f64 {
    let (width, height) = (frame.plane_width(0) as usize, frame.plane_height(0) as usize);
    let lines = frame.data(0).chunks(frame.stride(0).max(1)).take(height).step_by(4);
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for pixel in lines.flat_map(|line| line.iter().take(width).step_by(4)) {
        let value = u64::from(*pixel);
        (count, sum, squares) = (count + 1, sum + value, squares + value * value);
    }
    let count = count.max(1) as f64;
    squares as f64 / count - (sum as f64 / count).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: Pictures, duration: Option<f64>, frames: &[f64], expected: &[Range<usize>]) {
        let size = Size { width: 2, height: 2 };
        let mut schedule = Schedule::new(&PicturePlan { name: "a".to_owned(), size, quality: 4, what }, duration);
        let due: Vec<_> = frames.iter().map(|time| schedule.due(*time)).collect();
        assert_eq!(due, expected);
    }

    #[test]
    fn thumbs_are_in_the_middle_of_their_share() {
        let frames = [0.0, 1.0, 2.0, 3.0, 9.0];
        check(Pictures::Thumbs { count: 4 }, Some(8.0), &frames, &[0..0, 0..1, 1..1, 1..2, 2..4]);
    }

    #[test]
    fn there_are_as_many_as_were_asked_for() {
        check(Pictures::Thumbs { count: 3 }, Some(9.0), &[0.0, f64::INFINITY], &[0..0, 0..3]);
        check(Pictures::Thumbs { count: 3 }, None, &[0.0, 1.0], &[0..3, 3..3]);
    }

    #[test]
    fn a_storyboard_begins_at_the_beginning() {
        let what = || Pictures::Storyboard { columns: 2, rows: 2, interval: 2.0 };
        check(what(), Some(5.0), &[0.0, 1.0, 2.5, f64::INFINITY], &[0..1, 1..1, 1..2, 2..3]);
        check(what(), Some(f64::MAX), &[0.0, 1.0], &[0..1, 1..1]);
    }

    #[test]
    fn black_has_no_contrast() {
        let mut frame = frame::Video::new(ffmpeg::format::Pixel::YUVJ420P, 64, 64);
        frame.data_mut(0).fill(16);
        assert!(contrast(&frame).abs() < 1e-6);
        let half = frame.data(0).len() / 2;
        frame.data_mut(0)[..half].fill(200);
        assert!(contrast(&frame) > 1000.0);
    }
}
