//! Everything that a job writes, opened before anything is decoded: a disk that is full or an encoder that refuses shows
//! at once.

use std::path::Path;
use std::sync::Arc;

use ffmpeg_next as ffmpeg;

use ffmpeg::packet::Flags;
use ffmpeg::{Packet, Rational, Rescale};

use super::branch::{Branch, Place};
use super::codecs::Common;
use super::error::Error;
use super::mux::Mux;
use super::open::Source;
use super::sound::Voice;
use crate::plan::{Plan, Track};

/// Files, and what fills them.
pub(super) struct Outputs {
    pub files: Vec<Arc<Mux>>,
    pub branches: Vec<Branch>,
    pub voices: Vec<Voice>,
    pub copies: Vec<Copy>,
}

impl Outputs {
    pub(super) fn open(source: &Source, plan: &Plan, common: &Common, folder: &Path) -> Result<Self, Error> {
        let branch = |encode| Branch::open(encode, plan.base.unwrap_or(crate::plan::SMALLEST), common);
        let mut outputs = Self {
            files: Vec::new(),
            branches: plan.video.iter().map(branch).collect::<Result<_, _>>()?,
            voices: plan.audio.iter().map(Voice::open).collect::<Result<_, _>>()?,
            copies: Vec::new(),
        };
        for file in &plan.files {
            let mux = Arc::new(Mux::create(&folder.join(&file.path), file.kind)?);
            match file.video {
                Some(Track::Encode(index)) => outputs.branches[index].add(&mux)?,
                Some(Track::Copy) => {
                    let stream = source.facts.video.as_ref().map(|video| video.stream);
                    outputs.copies.extend(Copy::open(source, stream, true, &mux)?);
                }
                None => {}
            }
            match file.audio {
                Some(Track::Encode(index)) => outputs.voices[index].add(&mux)?,
                Some(Track::Copy) => {
                    let stream = source.facts.audio.as_ref().map(|audio| audio.stream);
                    outputs.copies.extend(Copy::open(source, stream, false, &mux)?);
                }
                None => {}
            }
            mux.begin(file.kind)?;
            outputs.files.push(mux);
        }
        Ok(outputs)
    }
}

/// A stream whose packets are written as they are, from its first key frame on.
pub(super) struct Copy {
    stream: usize,
    place: Place,
    /// The beginning of all results in the stream's own unit of time.
    start: i64,
    begun: bool,
    last: i64,
}

impl Copy {
    fn open(source: &Source, stream: Option<u32>, is_video: bool, mux: &Arc<Mux>) -> Result<Option<Self>, Error> {
        let index = stream.and_then(|stream| usize::try_from(stream).ok());
        let Some(stream) = index.and_then(|index| source.input.stream(index)) else { return Ok(None) };
        let base = stream.time_base();
        let start = source.start.rescale(Rational(1, 1_000_000), base);
        let place = Place { mux: Arc::clone(mux), stream: mux.add_copy(stream.parameters(), base)? };
        Ok(Some(Self { stream: stream.index(), place, start, begun: !is_video, last: i64::MIN }))
    }

    /// Writes the packet if it is of this stream.
    pub(super) fn offer(&mut self, packet: &Packet) -> Result<(), Error> {
        self.begun |= packet.stream() == self.stream && packet.is_key();
        if packet.stream() != self.stream || !self.begun || packet.flags().contains(Flags::CORRUPT) {
            return Ok(());
        }
        // containers cannot say that a packet comes before the one in front of it
        let Some(order) = packet.dts().or(packet.pts()).map(|time| time.saturating_sub(self.start)) else {
            return Ok(());
        };
        if order <= self.last {
            return Ok(());
        }
        self.last = order;
        let mut packet = packet.clone();
        let shown = packet.pts().map(|time| time.saturating_sub(self.start));
        packet.set_dts(Some(order));
        packet.set_pts(Some(shown.unwrap_or(order).max(order)));
        self.place.mux.write(packet, self.place.stream)
    }
}
