//! The tables of samples of a track (ISO/IEC 14496-12, section 8.6 and 8.7). Samples are counted from 0 here, chunks too.
//! What is said in runs stays in runs.

use std::ops::Range;

use super::boxes::{Unfit, Writer, entries, u32_at, u64_at};

/// A length of time, or a time, in a track's own unit. Wide enough for whatever a file can say.
pub(super) type Ticks = i128;

fn words(entry: &[u8]) -> impl Iterator<Item = u32> {
    entry.as_chunks().0.iter().map(|four| u32::from_be_bytes(*four))
}

fn pair(entry: &[u8; 8]) -> (u64, u32) {
    let [a, b, c, d, e, f, g, h] = *entry;
    (u32::from_be_bytes([a, b, c, d]).into(), u32::from_be_bytes([e, f, g, h]))
}

/// `stts` and `ctts`: a value for so many samples, and so on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runs<'a>(&'a [[u8; 8]]);

impl<'a> Runs<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Runs<'a>, Unfit> {
        Ok(Runs(entries(body, 8)?.as_chunks().0))
    }

    fn iter(self) -> impl Iterator<Item = (u64, u32)> {
        self.0.iter().map(pair)
    }

    /// Samples.
    pub(super) fn count(self) -> u64 {
        self.iter().map(|(count, _)| count).sum()
    }

    /// All values of the samples before this one.
    pub(super) fn sum_to(self, sample: u64) -> Ticks {
        self.slice(0..sample).map(|(count, value)| Ticks::from(count) * Ticks::from(value)).sum()
    }

    pub(super) fn value(self, sample: u64) -> Option<u32> {
        self.slice(sample..sample.saturating_add(1)).next().map(|(_, value)| value)
    }

    /// The last sample that begins at or before a time. None if the last has ended then.
    pub(super) fn sample_at(self, time: Ticks) -> Option<u64> {
        let (mut sample, mut begin) = (0, 0);
        for (count, value) in self.iter() {
            let end = begin + Ticks::from(count) * Ticks::from(value);
            if time < end {
                // `value` is not 0, or nothing would end here
                let passed = (time - begin).max(0) / Ticks::from(value.max(1));
                return Some(sample + u64::try_from(passed).unwrap_or(0).min(count.saturating_sub(1)));
            }
            (sample, begin) = (sample + count, end);
        }
        None
    }

    /// The runs of some samples.
    fn slice(self, range: Range<u64>) -> impl Iterator<Item = (u32, u32)> {
        let mut first = 0;
        let clipped = move |(count, value): (u64, u32)| {
            let begin = first;
            first += count;
            let kept = range.end.min(first).saturating_sub(range.start.max(begin));
            // never more than `count`, which has 32 bits
            (u32::try_from(kept).unwrap_or(u32::MAX), value)
        };
        self.iter().map(clipped).filter(|(count, _)| *count > 0)
    }

    pub(super) fn write(self, out: &mut Writer, samples: Range<u64>) -> u32 {
        let mut count = 0;
        for (length, value) in self.slice(samples) {
            out.u32(length);
            out.u32(value);
            count += 1;
        }
        count
    }
}

/// `stss`: the samples that decoding can begin at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync<'a>(&'a [[u8; 4]]);

impl<'a> Sync<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Sync<'a>, Unfit> {
        let table = Sync(entries(body, 4)?.as_chunks().0);
        match table.0.iter().is_sorted() && !table.0.is_empty() {
            true => Ok(table),
            false => Err(Unfit::Malformed("key frames in disorder")),
        }
    }

    /// The last one at or before a sample.
    pub(super) fn before(self, sample: u64) -> Option<u64> {
        let after = self.0.partition_point(|one| u64::from(u32::from_be_bytes(*one)) <= sample.saturating_add(1));
        let found = self.0.get(after.checked_sub(1)?)?;
        u64::from(u32::from_be_bytes(*found)).checked_sub(1)
    }

    pub(super) fn write(self, out: &mut Writer, samples: &Range<u64>) -> u32 {
        let mut count = 0;
        for one in self.0.iter().map(|one| u64::from(u32::from_be_bytes(*one))) {
            if one > samples.start && one <= samples.end {
                // not larger than it was
                out.u32(u32::try_from(one - samples.start).unwrap_or(u32::MAX));
                count += 1;
            }
        }
        count
    }
}

/// `stsz`: bytes of samples.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sizes<'a> {
    Same { size: u32, count: u32 },
    Each(&'a [[u8; 4]]),
}

impl<'a> Sizes<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Sizes<'a>, Unfit> {
        let short = Unfit::Malformed("no sizes");
        let (size, count) = (u32_at(body, 4).ok_or(short)?, u32_at(body, 8).ok_or(short)?);
        match size {
            // the number of entries stands four bytes further on
            0 => Ok(Sizes::Each(entries(body.get(4..).ok_or(short)?, 4)?.as_chunks().0)),
            size => Ok(Sizes::Same { size, count }),
        }
    }

    pub(super) fn count(self) -> u64 {
        match self {
            Sizes::Same { count, .. } => count.into(),
            Sizes::Each(table) => table.len() as u64,
        }
    }

    fn table(table: &[[u8; 4]], samples: Range<u64>) -> &[[u8; 4]] {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(table.len());
        table.get(place(samples.start)..place(samples.end)).unwrap_or_default()
    }

    /// Bytes of some samples.
    pub(super) fn sum(self, samples: Range<u64>) -> u64 {
        match self {
            Sizes::Same { size, .. } => u64::from(size).saturating_mul(samples.end.saturating_sub(samples.start)),
            Sizes::Each(table) => {
                Sizes::table(table, samples).iter().map(|one| u64::from(u32::from_be_bytes(*one))).sum()
            }
        }
    }

    /// The rest of a box after its version.
    pub(super) fn write(self, out: &mut Writer, samples: Range<u64>) {
        let count = u32::try_from(samples.end - samples.start).unwrap_or(u32::MAX);
        match self {
            Sizes::Same { size, .. } => {
                out.u32(size);
                out.u32(count);
            }
            Sizes::Each(table) => {
                out.u32(0);
                out.u32(count);
                out.bytes(Sizes::table(table, samples).as_flattened());
            }
        }
    }
}

/// `stco` or `co64`: where chunks begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Places<'a> {
    Narrow(&'a [[u8; 4]]),
    Wide(&'a [[u8; 8]]),
}

impl<'a> Places<'a> {
    pub(super) fn new(narrow: Option<&'a [u8]>, wide: Option<&'a [u8]>) -> Result<Places<'a>, Unfit> {
        match (narrow, wide) {
            (Some(body), None) => Ok(Places::Narrow(entries(body, 4)?.as_chunks().0)),
            (None, Some(body)) => Ok(Places::Wide(entries(body, 8)?.as_chunks().0)),
            _ => Err(Unfit::Malformed("no places of chunks, or two")),
        }
    }

    pub(super) fn count(self) -> u64 {
        match self {
            Places::Narrow(table) => table.len() as u64,
            Places::Wide(table) => table.len() as u64,
        }
    }

    pub(super) fn get(self, chunk: u64) -> Option<u64> {
        let chunk = usize::try_from(chunk).ok()?;
        match self {
            Places::Narrow(table) => u32_at(table.get(chunk)?, 0).map(u64::from),
            Places::Wide(table) => u64_at(table.get(chunk)?, 0),
        }
    }
}

/// `stsc`: how many samples are in each chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks<'a> {
    runs: &'a [[u8; 12]],
    /// Of all.
    count: u64,
}

/// Chunks that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alike {
    pub(super) chunks: Range<u64>,
    /// In each.
    pub(super) samples: u64,
    pub(super) description: u32,
}

/// Where a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chunk: u64,
    /// Samples before it in the chunk.
    pub(super) before: u64,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(body: &'a [u8], count: u64) -> Result<Chunks<'a>, Unfit> {
        let table = Chunks { runs: entries(body, 12)?.as_chunks().0, count };
        let mut next = 0;
        for alike in table.iter() {
            if alike.chunks.start != next || alike.chunks.is_empty() || alike.samples == 0 {
                return Err(Unfit::Malformed("chunks in disorder"));
            }
            next = alike.chunks.end;
        }
        Ok(table)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Alike> {
        let ends = self.runs.iter().skip(1).map(first).chain([self.count]);
        self.runs.iter().zip(ends).map(|(run, end)| {
            let mut words = words(run).skip(1);
            let samples = words.next().unwrap_or(0).into();
            Alike { chunks: first(run)..end, samples, description: words.next().unwrap_or(0) }
        })
    }

    pub(super) fn place(self, sample: u64) -> Option<Place> {
        let mut left = sample;
        for alike in self.iter() {
            let holds = (alike.chunks.end - alike.chunks.start).saturating_mul(alike.samples);
            if left < holds {
                let chunk = alike.chunks.start + left / alike.samples;
                return Some(Place { chunk, before: left % alike.samples });
            }
            left -= holds;
        }
        None
    }
}

/// The first chunk of a run; far behind all others if the run says that it is number 0.
fn first(run: &[u8; 12]) -> u64 {
    words(run).next().and_then(|first| u64::from(first).checked_sub(1)).unwrap_or(u64::MAX)
}
