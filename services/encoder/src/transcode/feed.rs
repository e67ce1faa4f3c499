//! Reads an upload from its beginning to its end and hands its frames to those who encode them.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use ffmpeg_next as ffmpeg;

use ffmpeg::{Packet, Rational, Rescale, frame};

use super::Emit;
use super::av;
use super::clock::Clock;
use super::codecs::TICKS;
use super::copy::Copy;
use super::decode::{Decoded, Decoder};
use super::error::{Doing, Error};
use super::front::Front;
use super::join::Join;
use super::open::{FAULTS, Source, microseconds};
use super::pictures::{Schedule, Shot};
use crate::event::{Event, Progress, Warning};
use crate::facts::{AudioFacts, VideoFacts};
use crate::limits::Limits;
use crate::part::Part;
use crate::refusal::Refusal;

/// How often it is said how far it is.
const PROGRESS: Duration = Duration::from_millis(400);
/// Frames after the end of a part that are decoded for it: more than all filters together keep back.
const AFTER: u32 = 8;

/// The reader of one upload.
pub(super) struct Feed<'a> {
    source: Source,
    limits: &'a Limits,
    emit: Emit<'a>,
    copies: Vec<Copy>,
    joins: Vec<Join>,
    video: Option<Video>,
    audio: Option<Audio>,
    began: Instant,
    told: Instant,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Fed {
    /// Frames of the picture that came out of the decoder, if there was one.
    pub frames: Option<u64>,
    /// The same for sound.
    pub sounds: Option<u64>,
    pub warnings: Vec<Warning>,
    /// Packets of the picture that were put together from parts.
    pub joined: u64,
}

struct Video {
    stream: usize,
    decoder: Decoder,
    clock: Clock,
    /// Microseconds of a frame that does not say.
    usual: i64,
    front: Front,
    out: Out,
    part: Option<Wanted>,
}

/// The part of the picture that is wanted.
struct Wanted {
    part: Part,
    /// The key frame that decoding begins with, until it is there.
    key: Option<i64>,
    /// Whether frames of the part came.
    begun: bool,
    /// Frames that came after its end, which filters need to be done with it.
    after: u32,
}

/// Where finished pictures go.
struct Out {
    branches: Vec<SyncSender<frame::Video>>,
    album: Option<SyncSender<Shot>>,
    schedules: Vec<Schedule>,
    last: Option<frame::Video>,
    /// Seconds.
    position: f64,
    frames: u64,
}

struct Audio {
    stream: usize,
    decoder: Decoder,
    clock: Clock,
    out: Option<SyncSender<frame::Audio>>,
    /// Seconds.
    position: f64,
}

impl<'a> Feed<'a> {
    pub(super) fn new(source: Source, limits: &'a Limits, copies: Vec<Copy>, emit: Emit<'a>) -> Self {
        let now = Instant::now();
        Self { source, limits, emit, copies, joins: Vec::new(), video: None, audio: None, began: now, told: now }
    }

    /// The picture is wanted, by way of `front`.
    pub(super) fn show(&mut self, facts: &VideoFacts, front: Front, schedules: Vec<Schedule>) -> Result<(), Error> {
        let (stream, decoder) = self.decoder(facts.stream)?;
        let out = Out { branches: Vec::new(), album: None, schedules, last: None, position: 0.0, frames: 0 };
        let usual = (1e6 / facts.rate.clamp(0.1, 1000.0)) as i64;
        self.video = Some(Video { stream, decoder, clock: self.clock(), usual, front, out, part: None });
        Ok(())
    }

    /// The sound is wanted.
    pub(super) fn sound(&mut self, facts: &AudioFacts) -> Result<(), Error> {
        let (stream, decoder) = self.decoder(facts.stream)?;
        self.audio = Some(Audio { stream, decoder, clock: self.clock(), out: None, position: 0.0 });
        Ok(())
    }

    /// Only this part of the picture is wanted.
    pub(super) fn limit_to(&mut self, part: Part) {
        if let Some(video) = &mut self.video {
            video.part = Some(Wanted { part, key: part.key, begun: false, after: 0 });
        }
    }

    /// The picture is there, in parts.
    pub(super) fn add_join(&mut self, join: Join) {
        self.joins.push(join);
    }

    pub(super) fn has_sound(&self) -> bool {
        self.audio.is_some()
    }

    pub(super) fn add_branch(&mut self, frames: SyncSender<frame::Video>) {
        if let Some(video) = &mut self.video {
            video.out.branches.push(frames);
        }
    }

    pub(super) fn add_voices(&mut self, frames: SyncSender<frame::Audio>) {
        if let Some(audio) = &mut self.audio {
            audio.out = Some(frames);
        }
    }

    pub(super) fn add_album(&mut self, shots: SyncSender<Shot>) {
        if let Some(video) = &mut self.video {
            video.out.album = Some(shots);
        }
    }

    fn clock(&self) -> Clock {
        Clock::new(self.source.start, &self.source.facts.container, self.limits.duration)
    }

    fn decoder(&self, stream: u32) -> Result<(usize, Decoder), Error> {
        let index = usize::try_from(stream).unwrap_or(usize::MAX);
        let found = self.source.input.stream(index).ok_or(ffmpeg::Error::StreamNotFound);
        let stream = found.doing(|| "find the stream again".to_owned())?;
        Ok((index, Decoder::open(&stream, self.limits)?))
    }

    /// Reads to the end.
    pub(super) fn run(mut self) -> Result<Fed, Error> {
        let mut packet = Packet::empty();
        let (mut faults, mut torn) = (0, false);
        loop {
            match packet.read(&mut self.source.input) {
                Ok(()) => faults = 0,
                Err(ffmpeg::Error::Eof) => break,
                Err(ffmpeg::Error::InvalidData | ffmpeg::Error::Other { errno: libc::EAGAIN }) if faults < FAULTS => {
                    faults += 1;
                    continue;
                }
                // what is there is made, and that there is no more is said
                Err(_) => {
                    torn = true;
                    break;
                }
            }
            if av::is_encrypted_packet(&packet) {
                return Err(Refusal::Encrypted.into());
            }
            self.copies.iter_mut().try_for_each(|copy| copy.offer(&packet))?;
            self.join(&packet)?;
            self.decode(Some(&packet))?;
            self.tell();
            if self.video.as_ref().is_some_and(Video::is_done) {
                break;
            }
        }
        self.copies.iter_mut().try_for_each(Copy::finish)?;
        self.joins.iter_mut().try_for_each(Join::finish)?;
        self.decode(None)?;
        if let Some(video) = &mut self.video {
            let Video { front, out, .. } = video;
            front.finish(&mut |frame| out.send(frame))?;
            out.finish()?;
        }
        Ok(self.fed(torn))
    }

    /// Writes what is there of the picture already, as far as this packet.
    fn join(&mut self, packet: &Packet) -> Result<(), Error> {
        let base = self.source.input.stream(packet.stream()).map(|stream| stream.time_base());
        let (Some(base), Some(time)) = (base, packet.dts().or(packet.pts())) else { return Ok(()) };
        let now = microseconds(time, base).saturating_sub(self.source.start);
        self.joins.iter_mut().try_for_each(|join| join.until(now))
    }

    /// Decodes a packet, or what is left in all decoders.
    fn decode(&mut self, packet: Option<&Packet>) -> Result<(), Error> {
        let is_of = |stream: usize| packet.is_none_or(|packet| packet.stream() == stream);
        if let Some(video) = self.video.as_mut().filter(|video| is_of(video.stream)) {
            video.decode(packet)?;
        }
        if let Some(audio) = self.audio.as_mut().filter(|audio| is_of(audio.stream)) {
            audio.decode(packet)?;
        }
        Ok(())
    }

    /// Seconds that are done.
    fn position(&self) -> f64 {
        let video = self.video.as_ref().map(|video| video.out.position);
        let audio = self.audio.as_ref().map(|audio| audio.position);
        let copied = self.copies.iter().map(|copy| copy.position);
        video.into_iter().chain(audio).chain(copied).fold(0.0, f64::max)
    }

    fn tell(&mut self) {
        if self.told.elapsed() < PROGRESS {
            return;
        }
        let position = self.position();
        self.told = Instant::now();
        let wanted = self.video.as_ref().and_then(|video| video.part.as_ref()).map(|wanted| wanted.part);
        let begin = wanted.map_or(0.0, |part| part.begin());
        let end = wanted.and_then(|part| part.end()).or(self.source.facts.duration);
        let part = end.filter(|end| *end > begin).map(|end| ((position - begin) / (end - begin)).clamp(0.0, 1.0));
        let eta = part.filter(|part| *part > 0.01).map(|part| self.began.elapsed().as_secs_f64() * (1.0 - part) / part);
        let frames = self.video.as_ref().map_or(0, |video| video.out.frames);
        (self.emit)(Event::Progress(Progress { percent: part.map(|part| part * 100.0), position, frames, eta }));
    }

    fn fed(&self, torn: bool) -> Fed {
        let decoders = [self.video.as_ref().map(|v| &v.decoder), self.audio.as_ref().map(|a| &a.decoder)];
        let mut warnings: Vec<_> = decoders.iter().flatten().flat_map(|decoder| decoder.warnings()).collect();
        if self.video.as_ref().is_some_and(|video| video.front.changes > 0) {
            warnings.push(Warning::SizeChanges);
        }
        let clocks = [self.video.as_ref().map(|v| &v.clock), self.audio.as_ref().map(|a| &a.clock)];
        if clocks.iter().flatten().any(|clock| clock.jumps > 0) {
            warnings.push(Warning::TimesJump);
        }
        let (found, expected) = (self.position(), self.source.facts.duration.unwrap_or(0.0));
        let is_whole = self.video.as_ref().is_none_or(|video| video.part.is_none());
        if is_whole && (torn || (expected - found > 2.0 && found < expected * 0.9)) {
            warnings.push(Warning::EndsEarly { found, expected });
        }
        let [frames, sounds] = decoders.map(|decoder| decoder.map(|decoder| decoder.frames));
        let joined = self.joins.iter().map(|join| join.packets).max().unwrap_or(0);
        Fed { frames, sounds, warnings, joined }
    }
}

impl Video {
    fn decode(&mut self, packet: Option<&Packet>) -> Result<(), Error> {
        if let (Some(packet), Some(wanted)) = (packet, &mut self.part)
            && let Some(key) = wanted.key
        {
            if !packet.is_key() || packet.pts() != Some(key) {
                return Ok(());
            }
            wanted.key = None;
        }
        self.decoder.send(packet);
        let mut frame = frame::Video::empty();
        while let Some(Decoded { time, duration }) = self.decoder.receive(&mut frame) {
            let at = self.clock.place(time, if duration > 0 { duration } else { self.usual })?;
            if let Some(wanted) = &mut self.part
                && !wanted.sees(at)
            {
                // frames before that may lack those that they are made from
                self.decoder.forgive();
            }
            let Self { front, out, .. } = self;
            // before the beginning of what is shown
            if at >= 0 {
                front.push(&mut frame, at, &mut |frame| out.send(frame))?;
            }
        }
        Ok(())
    }
}

impl Video {
    /// Whether there is nothing more to come for the part that is wanted.
    fn is_done(&self) -> bool {
        self.part.as_ref().is_some_and(|wanted| wanted.after >= AFTER)
    }
}

impl Wanted {
    /// Takes note of a frame at `time`, in microseconds; whether the part has begun.
    fn sees(&mut self, time: i64) -> bool {
        let ticks = time.rescale(Rational(1, 1_000_000), Rational(1, TICKS));
        self.begun |= ticks >= self.part.from;
        self.after += u32::from(self.part.is_before(ticks));
        self.begun
    }
}

impl Out {
    fn send(&mut self, frame: frame::Video) -> Result<(), Error> {
        self.frames += 1;
        self.position = frame.pts().unwrap_or(0) as f64 / f64::from(TICKS);
        for branch in &self.branches {
            branch.send(share(&frame)?).map_err(|_| Error::Stopped)?;
        }
        self.shoot(&frame, self.position)?;
        self.last = Some(frame);
        Ok(())
    }

    fn shoot(&mut self, frame: &frame::Video, time: f64) -> Result<(), Error> {
        let Some(album) = &self.album else { return Ok(()) };
        let due: Vec<_> = self.schedules.iter_mut().map(|schedule| schedule.due(time)).collect();
        if due.iter().all(std::ops::Range::is_empty) {
            return Ok(());
        }
        album.send(Shot { frame: share(frame)?, due }).map_err(|_| Error::Stopped)
    }

    /// The last frame is seen until the end.
    fn finish(&mut self) -> Result<(), Error> {
        match self.last.take() {
            Some(frame) => self.shoot(&frame, f64::INFINITY),
            None => Ok(()),
        }
    }
}

fn share(frame: &frame::Video) -> Result<frame::Video, Error> {
    av::share(frame).doing(|| "share a frame".to_owned())
}

impl Audio {
    fn decode(&mut self, packet: Option<&Packet>) -> Result<(), Error> {
        self.decoder.send(packet);
        loop {
            let mut frame = frame::Audio::empty();
            let Some(Decoded { time, .. }) = self.decoder.receive(&mut frame) else { return Ok(()) };
            let rate = i64::from(frame.rate().max(1));
            let duration = i64::try_from(frame.samples()).unwrap_or(0).saturating_mul(1_000_000) / rate;
            let at = self.clock.place(time, duration)?;
            frame.set_pts(Some(at));
            self.position = at.saturating_add(duration) as f64 / 1e6;
            if let Some(out) = &self.out {
                out.send(frame).map_err(|_| Error::Stopped)?;
            }
        }
    }
}
