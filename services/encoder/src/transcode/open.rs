//! Opening an upload: only containers that name no other file, only from a file, and only what is within the limits.
//!
//! A playlist that calls itself a video would otherwise be read like one, with the other account's files that it names.
//! The list of containers is the one that libav is built with, said once more, so that a libav with more opens no more.

use std::fs::File;
use std::path::Path;

use ffmpeg_next as ffmpeg;

use ffmpeg::format::context::Input;
use ffmpeg::format::stream::Disposition;
use ffmpeg::{Dictionary, Packet, Rational, Rescale, Stream, media};

use super::av;
use super::describe::{audio_facts, video_facts};
use super::error::{Doing, Error};
use super::sniff;
use crate::facts::Facts;
use crate::limits::Limits;
use crate::refusal::Refusal;

/// Containers by libav's names.
const CONTAINERS: &str = "aac,ac3,aiff,amr,asf,asf_o,au,avi,caf,dts,dv,eac3,flac,flv,gxf,h263,h264,hevc,ivf,live_flv,\
                          m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,swf,\
                          w64,wav,wtv";
/// libav's unit where there is no stream.
pub(super) const MICROSECOND: Rational = Rational(1, 1_000_000);
/// Packets that are looked at by who only wants the facts.
const FIRST: u32 = 16;
/// Packets in a row that may be damaged.
pub(super) const FAULTS: u32 = 1000;

/// An upload that is open.
pub(super) struct Source {
    pub input: Input,
    pub facts: Facts,
    /// When the first stream begins, in microseconds: what all results begin with.
    pub start: i64,
}

/// Opens the file and finds out what it is.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Source, Error> {
    let size = std::fs::metadata(path).doing(|| format!("look at `{}`", path.display()))?.len();
    if size == 0 {
        return Err(Refusal::Empty.into());
    }
    let mut input = input(path)?;
    let streams = input.nb_streams();
    if streams > limits.streams {
        return Err(Refusal::TooManyStreams { count: streams }.into());
    }
    let (video, audio) = (best(&input, media::Type::Video), best(&input, media::Type::Audio));
    if video.is_none() && audio.is_none() {
        return Err(nothing(&input, path)?.into());
    }
    let start = [video, audio].into_iter().flatten().filter_map(|index| begins(&input, index)).min().unwrap_or(0);
    let mut facts = Facts {
        container: input.format().name().to_owned(),
        duration: None,
        size,
        video: video.and_then(|index| Some(video_facts(&input.stream(index)?))),
        audio: audio.and_then(|index| Some(audio_facts(&input.stream(index)?))),
        streams,
        left_out: left_out(&input),
    };
    limits.check(&facts)?;
    let said = seconds(input.duration()).filter(|_| !av::duration_is_guess(&input));
    facts.duration = match said {
        Some(duration) => Some(duration),
        // live recordings and old containers say nothing: the packets do
        None => {
            let counted = count(&mut input, &[video, audio]);
            input = self::input(path)?;
            counted
        }
    };
    limits.check(&facts)?;
    Ok(Source { input, facts, start })
}

/// Whether the first packets can be decoded without a key.
pub(super) fn check_first(input: &mut Input) -> Result<(), Refusal> {
    let mut packet = Packet::empty();
    for _ in 0..FIRST {
        match packet.read(input) {
            Ok(()) if av::is_encrypted_packet(&packet) => return Err(Refusal::Encrypted),
            Ok(()) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

fn input(path: &Path) -> Result<Input, Error> {
    let Some(name) = path.to_str() else {
        // ours, never the uploader's
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidFilename)).doing(|| "name the upload".to_owned());
    };
    let mut options = Dictionary::new();
    options.set("format_whitelist", CONTAINERS);
    options.set("protocol_whitelist", "file");
    options.set("max_streams", "256");
    // streams that begin late are found as well
    options.set("probesize", "20000000");
    options.set("analyzeduration", "10000000");
    ffmpeg::format::input_with_dictionary(&format!("file:{name}"), options).map_err(|source| match source {
        ffmpeg::Error::Other { errno } if ![libc::EINVAL, libc::EPERM, libc::EIO].contains(&errno) => {
            Error::Libav { doing: "open the upload".to_owned(), source }
        }
        _ => File::open(path).and_then(sniff::why).unwrap_or(Refusal::NotMedia).into(),
    })
}

/// The stream to show or to play: one that can be decoded, the largest of those that are meant for it.
fn best(input: &Input, medium: media::Type) -> Option<usize> {
    let usable = input.streams().filter(|stream| stream.parameters().medium() == medium && is_usable(stream));
    let worth = |stream: &Stream<'_>| {
        let raw = av::raw(&stream.parameters());
        let size = i64::from(raw.width.max(0)) * i64::from(raw.height.max(0)) + i64::from(raw.channels.max(0));
        (stream.disposition().contains(Disposition::DEFAULT), size, std::cmp::Reverse(stream.index()))
    };
    usable.max_by_key(worth).map(|stream| stream.index())
}

fn is_usable(stream: &Stream<'_>) -> bool {
    let parameters = stream.parameters();
    let raw = av::raw(&parameters);
    let is_cover = stream.disposition().contains(Disposition::ATTACHED_PIC);
    let known = match parameters.medium() {
        media::Type::Video => raw.width > 0 && raw.height > 0 && raw.format >= 0,
        _ => raw.rate > 0 && raw.channels > 0 && raw.format >= 0,
    };
    known && !is_cover && !av::is_encrypted(stream) && ffmpeg::decoder::find(parameters.id()).is_some()
}

/// Why there is no usable stream.
fn nothing(input: &Input, path: &Path) -> Result<Refusal, Error> {
    if input.streams().any(|stream| av::is_encrypted(&stream)) {
        return Ok(Refusal::Encrypted);
    }
    if let Some(codec) = left_out(input).into_iter().next() {
        return Ok(Refusal::UnknownCodec { codec });
    }
    let has_streams = input.streams().any(|stream| is_audiovisual(&stream));
    let sniffed = File::open(path).and_then(sniff::why).doing(|| "look at the upload".to_owned())?;
    Ok(match sniffed {
        Refusal::Picture => Refusal::Picture,
        Refusal::Truncated if has_streams => Refusal::Truncated,
        _ if has_streams => Refusal::Damaged,
        _ => Refusal::NoStream,
    })
}

fn is_audiovisual(stream: &Stream<'_>) -> bool {
    let medium = stream.parameters().medium();
    let is_cover = stream.disposition().contains(Disposition::ATTACHED_PIC);
    matches!(medium, media::Type::Video | media::Type::Audio) && !is_cover
}

/// Codecs of streams that no decoder is there for.
fn left_out(input: &Input) -> Vec<String> {
    let unknown = input.streams().filter(|stream| {
        is_audiovisual(stream) && !av::is_encrypted(stream) && ffmpeg::decoder::find(stream.parameters().id()).is_none()
    });
    unknown
        .map(|stream| match stream.parameters().id() {
            ffmpeg::codec::Id::None => av::raw(&stream.parameters()).tag.escape_ascii().to_string(),
            id => id.name().to_owned(),
        })
        .collect()
}

/// When a stream begins, in microseconds.
fn begins(input: &Input, index: usize) -> Option<i64> {
    let stream = input.stream(index)?;
    let start = stream.start_time();
    (start != ffmpeg::ffi::AV_NOPTS_VALUE).then(|| microseconds(start, stream.time_base()))
}

/// `time` of a stream in microseconds.
pub(super) fn microseconds(time: i64, base: Rational) -> i64 {
    time.rescale(base, MICROSECOND)
}

fn seconds(microseconds: i64) -> Option<f64> {
    (microseconds > 0).then(|| microseconds as f64 / 1e6)
}

/// Seconds from the first to the end of the last packet of these streams.
fn count(input: &mut Input, wanted: &[Option<usize>]) -> Option<f64> {
    let bases: Vec<_> = input.streams().map(|stream| stream.time_base()).collect();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut packet = Packet::empty();
    let mut faults = 0;
    loop {
        match packet.read(input) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) if faults < FAULTS => {
                faults += 1;
                continue;
            }
            Err(_) => break,
        }
        let Some(base) = bases.get(packet.stream()).filter(|_| wanted.contains(&Some(packet.stream()))) else {
            continue;
        };
        if let Some(time) = packet.pts().or(packet.dts()) {
            let time = microseconds(time, *base);
            first = first.min(time);
            last = last.max(time.saturating_add(microseconds(packet.duration().max(0), *base)));
        }
    }
    last.checked_sub(first).and_then(seconds)
}
