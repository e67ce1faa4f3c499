//! One encode's parts, put together: their packets, one after the other, into the files that want them.
//!
//! It is in no hurry: packets are written as far as the upload has been read, so that sound stands beside its picture in
//! the files. When a packet is shown is what its encoder said; when it is decoded is said anew, since an encoder that
//! begins with a part does not know what came before: the same number of frames ahead as in the first part.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ffmpeg_next as ffmpeg;

use ffmpeg::packet::Flags;
use ffmpeg::{Packet, Rational, Rescale};

use super::branch::{Place, spread};
use super::error::{Doing, Error};
use super::open::MICROSECOND;
use super::parcel::{self, Reader, Record};
use crate::part::Part;

/// The parts of one encode.
pub(super) struct Join {
    files: std::vec::IntoIter<PathBuf>,
    reader: Option<Reader<BufReader<File>>>,
    base: Rational,
    header: Vec<u8>,
    places: Vec<Place>,
    next: Option<Record>,
    order: Order,
    /// Packets that were written.
    pub packets: u64,
}

impl Join {
    /// The encode with this number among the plan's, in `parts` parts below `folder`.
    pub(super) fn new(
        folder: &Path,
        parts: u32,
        encode: usize,
        base: Rational,
        header: Vec<u8>,
        places: Vec<Place>,
    ) -> Self {
        let files: Vec<_> = (0..parts).map(|number| folder.join(file(number, encode))).collect();
        let files = files.into_iter();
        Self { files, reader: None, base, header, places, next: None, order: Order::default(), packets: 0 }
    }

    /// Writes what is decoded until `time`, in microseconds.
    pub(super) fn until(&mut self, time: i64) -> Result<(), Error> {
        let base = self.base;
        while self.peek()?.is_some_and(|record| record.decoded.rescale(base, MICROSECOND) <= time) {
            self.write()?;
        }
        Ok(())
    }

    /// Writes all that is left.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        while self.peek()?.is_some() {
            self.write()?;
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<&Record>, Error> {
        while self.next.is_none() {
            if let Some(reader) = &mut self.reader {
                self.next = reader.read().doing(|| "read a part".to_owned())?;
                if self.next.is_some() {
                    break;
                }
            }
            self.reader = None;
            let Some(path) = self.files.next() else { return Ok(None) };
            self.reader = Some(parcel::open(&path, self.base, &self.header)?);
        }
        Ok(self.next.as_ref())
    }

    fn write(&mut self) -> Result<(), Error> {
        let Some(record) = self.next.take() else { return Ok(()) };
        self.packets += 1;
        let mut packet = Packet::copy(&record.data);
        packet.set_dts(Some(self.order.place(record.decoded, record.shown)));
        packet.set_pts(Some(record.shown));
        packet.set_duration(record.duration);
        packet.set_flags(if record.key { Flags::KEY } else { Flags::empty() });
        spread(&packet, &self.places)
    }
}

/// The file of one encode in one part.
pub(super) fn file(number: u32, encode: usize) -> String {
    format!("{}/{encode}.packets", Part::name(number))
}

/// When packets are decoded: when a frame is shown that is as many frames earlier as there are waiting.
#[derive(Debug, Default)]
struct Order {
    first: Option<i64>,
    waiting: BinaryHeap<Reverse<i64>>,
    last: Option<i64>,
}

impl Order {
    fn place(&mut self, decoded: i64, shown: i64) -> i64 {
        let first = *self.first.get_or_insert(shown);
        self.waiting.push(Reverse(shown));
        // until the first frame is shown nothing is, and the encoder says when these are decoded
        let is_ahead = self.last.is_none_or(|last| last < first) && decoded < first;
        let at = if is_ahead { decoded } else { self.waiting.pop().map_or(decoded, |Reverse(time)| time) };
        let least = self.last.map_or(i64::MIN, |last| last.saturating_add(1));
        let at = at.max(least).min(shown.max(least));
        self.last = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(packets: &[(i64, i64)], expected: &[i64]) {
        let mut order = Order::default();
        let found: Vec<_> = packets.iter().map(|(decoded, shown)| order.place(*decoded, *shown)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_join_is_no_gap() {
        // as x264 gives them: two frames ahead, in both parts
        check(
            &[(-20, 0), (-10, 30), (0, 10), (10, 20), (20, 40), (30, 70), (40, 50), (50, 60)],
            &[-20, -10, 0, 10, 20, 30, 40, 50],
        );
        // the second part's rate is lower: its encoder would have been earlier than the end of the first
        check(&[(-20, 0), (-10, 20), (0, 10), (-10, 30), (10, 70), (30, 50)], &[-20, -10, 0, 10, 20, 30]);
    }

    #[test]
    fn without_frames_ahead_times_are_those_of_showing() {
        check(&[(0, 0), (1, 1), (2, 2), (5, 5)], &[0, 1, 2, 5]);
    }
}
