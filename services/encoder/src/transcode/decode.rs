//! One stream's decoder, and a count of what it could not decode.
//!
//! Damaged packets are left out, one by one: a file with many of them may still be worth watching.

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{Context, decoder};
use ffmpeg::{Dictionary, Frame, Packet, Rational, Stream, media};

use super::error::{Doing, Error};
use super::open::microseconds;
use crate::event::Warning;
use crate::limits::Limits;

/// A decoder.
pub(super) struct Decoder {
    inner: decoder::Opened,
    medium: &'static str,
    base: Rational,
    packets: u64,
    failed: u64,
    /// Frames that came out.
    pub frames: u64,
    damaged: u64,
}

/// A frame and what its stream says of its time, in microseconds.
pub(super) struct Decoded {
    pub time: Option<i64>,
    /// 0 if nothing is said.
    pub duration: i64,
}

impl Decoder {
    pub(super) fn open(stream: &Stream<'_>, limits: &Limits) -> Result<Self, Error> {
        let parameters = stream.parameters();
        let medium = if parameters.medium() == media::Type::Video { "video" } else { "audio" };
        let name = parameters.id().name();
        let doing = || format!("open the decoder for `{name}`");
        let codec = decoder::find(parameters.id()).ok_or(ffmpeg::Error::DecoderNotFound).doing(doing)?;
        let mut context = Context::from_parameters(parameters).doing(doing)?.decoder();
        context.set_packet_time_base(stream.time_base());
        let mut options = Dictionary::new();
        options.set("threads", &limits.threads.to_string());
        options.set("max_pixels", &limits.pixels.to_string());
        let inner = context.open_as_with(codec, options).doing(doing)?;
        Ok(Self { inner, medium, base: stream.time_base(), packets: 0, failed: 0, frames: 0, damaged: 0 })
    }

    /// Takes a packet in, `None` for the end; whatever comes out must be received before the next one.
    pub(super) fn send(&mut self, packet: Option<&Packet>) {
        let sent = match packet {
            Some(packet) => {
                self.packets += 1;
                self.inner.send_packet(packet)
            }
            None => self.inner.send_eof(),
        };
        if sent.is_err() && packet.is_some() {
            self.failed += 1;
        }
    }

    /// Whether a frame was put into `frame`.
    pub(super) fn receive(&mut self, frame: &mut Frame) -> Option<Decoded> {
        // one packet may hold a damaged frame and, after it, a good one
        for _ in 0..16 {
            match self.inner.receive_frame(frame) {
                Ok(()) => {
                    self.frames += 1;
                    self.damaged += u64::from(frame.is_corrupt() || frame.has_decode_errors());
                    let duration = microseconds(frame.packet().duration.max(0), self.base);
                    return Some(Decoded {
                        time: frame.timestamp().map(|time| microseconds(time, self.base)),
                        duration,
                    });
                }
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return None,
                Err(_) => self.failed += 1,
            }
        }
        None
    }

    /// What was damaged until now is no matter.
    pub(super) fn forgive(&mut self) {
        (self.failed, self.damaged) = (0, 0);
    }

    /// What is to be known of the stream at its end.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.failed > 0 {
            let (failed, packets) = (self.failed.min(self.packets), self.packets);
            warnings.push(Warning::DamagedPackets { medium: self.medium.to_owned(), failed, packets });
        }
        if self.damaged > 0 {
            warnings.push(Warning::DamagedFrames { frames: self.damaged });
        }
        warnings
    }
}
