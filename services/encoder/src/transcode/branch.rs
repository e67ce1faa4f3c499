//! One encode of the picture, in a thread of its own, from the common frames to the files that want it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{Parameters, encoder};
use ffmpeg::{Frame, Packet, Rational, Rescale, frame};

use super::av;
use super::codecs::{self, Common, TICKS};
use super::error::{Doing, Error};
use super::graph::Graph;
use super::join::{self, Join};
use super::mux::Mux;
use super::parcel;
use crate::facts::Size;
use crate::part::Part;
use crate::plan::{VideoCodec, VideoEncode};

/// A stream of a file.
pub(super) struct Place {
    pub mux: Arc<Mux>,
    pub stream: usize,
}

/// An encode that has not begun.
pub(super) struct Branch {
    encoder: encoder::Video,
    base: Rational,
    rate: Rational,
    graph: Option<Graph>,
    places: Vec<Place>,
    /// The part of it that is wanted, and where its packets go.
    part: Option<(Part, parcel::Writer)>,
    last: i64,
    /// How long a frame is seen, usually, in the encoder's unit.
    usual: i64,
}

impl Branch {
    /// Opens the encoder for frames of the size `base`.
    pub(super) fn open(encode: &VideoEncode, base: Size, common: &Common) -> Result<Self, Error> {
        let (encoder, unit) = codecs::video(encode, common)?;
        let mut filters = Vec::new();
        if matches!(encode.codec, VideoCodec::Flv1 { .. }) {
            filters.push(format!("fps={}/{}", common.rate.0, common.rate.1));
        }
        if encode.size != base {
            filters.push(format!("scale={}:{}:flags=bicubic", encode.size.width, encode.size.height));
        }
        let arguments = format!("video_size={base}:pix_fmt=yuv420p:time_base=1/{TICKS}:pixel_aspect=1/1");
        let graph = (!filters.is_empty()).then(|| Graph::video(&arguments, &filters.join(","))).transpose()?;
        let usual = 1_i64.rescale(common.rational().invert(), unit).max(1);
        let (rate, places) = (common.rational(), Vec::new());
        Ok(Self { encoder, base: unit, rate, graph, places, part: None, last: i64::MIN, usual })
    }

    /// What comes out goes into `mux` as well.
    pub(super) fn add(&mut self, mux: &Arc<Mux>) -> Result<(), Error> {
        let stream = mux.add_encoder(&self.encoder, self.base, Some(self.rate))?;
        self.places.push(Place { mux: Arc::clone(mux), stream });
        Ok(())
    }

    /// Only this part is wanted: its packets go into a file below `folder`, `number` being that of this encode.
    pub(super) fn limit_to(&mut self, part: Part, folder: &Path, number: usize) -> Result<(), Error> {
        let path = folder.join(join::file(part.number, number));
        self.part = Some((part, parcel::Writer::create(path, self.base, &self.header())?));
        Ok(())
    }

    /// The same encode, already done in so many parts.
    pub(super) fn join(self, folder: &Path, parts: u32, number: usize) -> Join {
        let header = self.header();
        Join::new(folder, parts, number, self.base, header, self.places)
    }

    /// What the encoder says before its first packet.
    fn header(&self) -> Vec<u8> {
        av::extradata(&Parameters::from(&self.encoder))
    }

    /// Encodes frames until there are no more. Returns packets and bytes of the file if only a part is wanted.
    pub(super) fn run(mut self, frames: &Receiver<frame::Video>) -> Result<Option<(u64, u64)>, Error> {
        let mut graph = self.graph.take();
        for mut frame in frames.iter() {
            let Some(graph) = &mut graph else {
                self.encode(&mut frame, Rational(1, TICKS))?;
                continue;
            };
            graph.push(&mut frame)?;
            self.drain(graph)?;
        }
        if let Some(graph) = &mut graph {
            graph.close()?;
            self.drain(graph)?;
        }
        self.encoder.send_eof().doing(|| "encode the last frames".to_owned())?;
        self.write()?;
        self.part.map(|(_, parcel)| parcel.finish()).transpose()
    }

    fn drain(&mut self, graph: &mut Graph) -> Result<(), Error> {
        let mut frame = frame::Video::empty();
        while graph.pull(&mut frame)? {
            self.encode(&mut frame, graph.time_base())?;
        }
        Ok(())
    }

    fn encode(&mut self, frame: &mut Frame, unit: Rational) -> Result<(), Error> {
        let time = frame.pts().unwrap_or(0).rescale(unit, self.base);
        if time <= self.last {
            return Ok(());
        }
        self.last = time;
        let ticks = time.rescale(self.base, Rational(1, TICKS));
        // what is only there for the filters belongs to another part
        if self.part.as_ref().is_some_and(|(part, _)| !part.has(ticks)) {
            return Ok(());
        }
        frame.set_pts(Some(time));
        self.encoder.send_frame(frame).doing(|| "encode a frame".to_owned())?;
        self.write()
    }

    fn write(&mut self) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {
                    // x264's packets have none, and a file without one ends with the beginning of its last frame
                    packet.set_duration(self.usual);
                    spread(&packet, &self.places)?;
                    if let Some((_, parcel)) = &mut self.part {
                        parcel.write(&packet)?;
                    }
                }
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(()),
                Err(source) => return Err(Error::Libav { doing: "encode a frame".to_owned(), source }),
            }
        }
    }
}

/// Writes the packet to all places.
pub(super) fn spread(packet: &Packet, places: &[Place]) -> Result<(), Error> {
    places.iter().try_for_each(|place| place.mux.write(packet.clone(), place.stream))
}
