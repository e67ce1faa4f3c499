//! The sound: each different encode of it, in one thread for all.
//!
//! Its times are kept by libav's resampler, which fills gaps with silence and leaves out what overlaps, so that sound
//! stays with the picture; what is off by less than is heard stays as it is.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::encoder;
use ffmpeg::{ChannelLayout, Packet, Rational, Rescale, format, frame};

use super::av;
use super::branch::{Place, spread};
use super::codecs;
use super::error::{Doing, Error};
use super::graph::Graph;
use super::mux::Mux;
use crate::plan::AudioEncode;

/// Seconds that sound may be off before it is moved.
const DRIFT: &str = "0.04";

/// What the filters depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    rate: u32,
    format: format::Sample,
    layout: ChannelLayout,
}

/// One encode of the sound.
pub(super) struct Voice {
    encode: AudioEncode,
    encoder: encoder::Audio,
    graph: Option<Graph>,
    places: Vec<Place>,
    /// The end of what was encoded, in samples.
    end: i64,
}

impl Voice {
    pub(super) fn open(encode: &AudioEncode) -> Result<Self, Error> {
        let encoder = codecs::audio(encode)?;
        Ok(Self { encode: *encode, encoder, graph: None, places: Vec::new(), end: 0 })
    }

    /// What comes out goes into `mux` as well.
    pub(super) fn add(&mut self, mux: &Arc<Mux>) -> Result<(), Error> {
        let stream = mux.add_encoder(&self.encoder, self.base(), None)?;
        self.places.push(Place { mux: Arc::clone(mux), stream });
        Ok(())
    }

    fn base(&self) -> Rational {
        Rational(1, i32::try_from(self.encode.rate).unwrap_or(44_100))
    }

    /// Filters for sound of this shape, going on where the last ones ended.
    fn build(&self, shape: Shape) -> Result<Graph, Error> {
        let Shape { rate, format, layout } = shape;
        let arguments = format!(
            "time_base=1/{rate}:sample_rate={rate}:sample_fmt={}:channel_layout=0x{:x}",
            format.name(),
            layout.bits()
        );
        let AudioEncode { rate, channels, .. } = self.encode;
        let chain = format!(
            "aresample={rate}:async=1:min_hard_comp={DRIFT}:first_pts={},\
             aformat=sample_fmts={}:channel_layouts=0x{:x}:sample_rates={rate}",
            self.end,
            codecs::SAMPLE.name(),
            codecs::layout(channels).bits()
        );
        Graph::audio(&arguments, &chain, self.encoder.frame_size())
    }

    fn push(&mut self, frame: &frame::Audio, shape: Shape) -> Result<(), Error> {
        let mut graph = match self.graph.take() {
            Some(graph) => graph,
            None => self.build(shape)?,
        };
        let mut shared = av::share_sound(frame).doing(|| "share sound".to_owned())?;
        graph.push(&mut shared)?;
        self.drain(&mut graph)?;
        self.graph = Some(graph);
        Ok(())
    }

    /// Encodes what is in the filters, which are gone then.
    fn close(&mut self) -> Result<(), Error> {
        if let Some(mut graph) = self.graph.take() {
            graph.close()?;
            self.drain(&mut graph)?;
        }
        Ok(())
    }

    fn drain(&mut self, graph: &mut Graph) -> Result<(), Error> {
        let mut frame = frame::Audio::empty();
        while graph.pull(&mut frame)? {
            let said = frame.pts().map(|time| time.rescale(graph.time_base(), self.base()));
            let time = said.unwrap_or(self.end).max(self.end);
            self.end = time + i64::try_from(frame.samples()).unwrap_or(0);
            frame.set_pts(Some(time));
            self.encoder.send_frame(&frame).doing(|| "encode sound".to_owned())?;
            self.write()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.close()?;
        if self.end == 0 {
            self.silence()?;
        }
        self.encoder.send_eof().doing(|| "encode the last of the sound".to_owned())?;
        self.write()
    }

    /// A moment of nothing: a stream without a packet is none to some players.
    fn silence(&mut self) -> Result<(), Error> {
        let samples = usize::try_from(self.encoder.frame_size()).unwrap_or(0).max(1);
        let mut frame = frame::Audio::new(codecs::SAMPLE, samples, codecs::layout(self.encode.channels));
        for plane in 0..frame.planes() {
            frame.data_mut(plane).fill(0);
        }
        frame.set_rate(self.encode.rate);
        frame.set_pts(Some(0));
        self.encoder.send_frame(&frame).doing(|| "encode silence".to_owned())
    }

    fn write(&mut self) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => spread(&packet, &self.places)?,
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(()),
                Err(source) => return Err(Error::Libav { doing: "encode sound".to_owned(), source }),
            }
        }
    }
}

/// Encodes frames, each with its beginning in microseconds as its time, until there are no more.
pub(super) fn run(mut voices: Vec<Voice>, frames: &Receiver<frame::Audio>) -> Result<(), Error> {
    let mut shape = None;
    for mut frame in frames.iter() {
        let Some(now) = prepare(&mut frame) else { continue };
        if shape.replace(now).is_some_and(|before| before != now) {
            voices.iter_mut().try_for_each(Voice::close)?;
        }
        voices.iter_mut().try_for_each(|voice| voice.push(&frame, now))?;
    }
    voices.iter_mut().try_for_each(Voice::finish)
}

/// The frame's shape, if it has one; its time becomes one in samples.
fn prepare(frame: &mut frame::Audio) -> Option<Shape> {
    let (rate, format, channels) = (frame.rate(), frame.format(), frame.channels());
    if rate == 0 || channels == 0 || format == format::Sample::None || frame.samples() == 0 {
        return None;
    }
    if frame.channel_layout().channels() != i32::from(channels) {
        frame.set_channel_layout(ChannelLayout::default(i32::from(channels)));
    }
    let layout = frame.channel_layout();
    let base = Rational(1, i32::try_from(rate).ok()?);
    let time = frame.pts().map(|time| time.rescale(Rational(1, 1_000_000), base));
    frame.set_pts(time);
    (!layout.is_empty()).then_some(Shape { rate, format, layout })
}
