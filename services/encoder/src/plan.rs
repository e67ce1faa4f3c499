//! What is done with one upload: the profile applied to the facts. Pure, so that every rule is tested without a video.
//!
//! Rules: nothing is made larger; the shorter side is what is bounded, so that upright video is not made huge; sides are
//! even and at least 2, as H.264 with its halved colours wants; equal encodes are done once and written to several
//! files; a stream that already fits is copied.

use crate::asset::Kind;
use crate::facts::{AudioFacts, Facts, Orientation, Size, VideoFacts};
use crate::profile::{Flv, FlvCodec, Output, Picture, Preset, Profile, Remux, Rendition};
use crate::refusal::Refusal;

/// No side is longer than this, whatever the shorter one is: what decoders in telephones can take.
const LONGEST: u32 = 8192;
/// A rung of the ladder is at least this much smaller than the one above, of 100, or it is not worth its bytes.
const RUNG: u32 = 85;
/// What stands for a size where there is no picture.
pub(crate) const SMALLEST: Size = Size { width: 2, height: 2 };
/// Sheets of a storyboard, at most.
const SHEETS: u32 = 4;
/// Containers whose times and headers are good enough to copy from.
const COPIED_FROM: &[&str] = &["mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"];

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    /// What every picture is made from: the frames of the largest result.
    pub base: Option<Size>,
    /// Frames a second, if there are to be fewer than the upload has.
    pub thinned: Option<u32>,
    /// Frames a second of the base, at most 60 for what needs a fixed rate: as a fraction.
    pub rate: (u32, u32),
    /// Different encodes of the picture.
    pub video: Vec<VideoEncode>,
    /// Different encodes of the sound.
    pub audio: Vec<AudioEncode>,
    /// Files with streams in them.
    pub files: Vec<FilePlan>,
    /// Files with pictures in them.
    pub pictures: Vec<PicturePlan>,
    /// Adaptive streams, of the files.
    pub hls: Vec<HlsPlan>,
}

/// One encode of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VideoEncode {
    pub size: Size,
    pub codec: VideoCodec,
}

/// How a picture is encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VideoCodec {
    H264 { crf: f32, preset: Preset, max_bit_rate: u32 },
    Flv1 { bit_rate: u32 },
}

/// One encode of the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AudioEncode {
    pub codec: AudioCodec,
    pub rate: u32,
    pub channels: u32,
    pub bit_rate: u32,
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AudioCodec {
    Aac,
    Mp3,
}

/// One file with streams.
#[derive(Debug, PartialEq)]
pub(crate) struct FilePlan {
    pub name: String,
    pub kind: Kind,
    pub path: String,
    pub size: Option<Size>,
    pub video: Option<Track>,
    pub audio: Option<Track>,
}

/// Where a stream of a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// From the encode with this index.
    Encode(usize),
    /// From the upload.
    Copy,
}

/// Pictures of one kind.
#[derive(Debug, PartialEq)]
pub(crate) struct PicturePlan {
    pub name: String,
    pub size: Size,
    pub quality: u32,
    pub what: Pictures,
}

/// Kinds of pictures.
#[derive(Debug, PartialEq)]
pub(crate) enum Pictures {
    Poster,
    Thumbs { count: u32 },
    Storyboard { columns: u32, rows: u32, interval: f64 },
}

/// One adaptive stream.
#[derive(Debug, PartialEq)]
pub(crate) struct HlsPlan {
    pub name: String,
    pub segment: f64,
    /// Indexes of its renditions among the files.
    pub of: Vec<usize>,
}

impl Plan {
    /// What `profile` makes of an upload.
    ///
    /// # Errors
    /// [`Refusal::NothingToDo`] if that is nothing.
    pub(crate) fn new(facts: &Facts, profile: &Profile) -> Result<Self, Refusal> {
        let rate = facts.video.as_ref().map_or(25.0, |video| video.rate);
        let thinned = (rate > f64::from(profile.max_rate) * 1.01).then_some(profile.max_rate);
        let rate = fraction(thinned.map_or(rate, f64::from));
        let mut plan = Self {
            base: None,
            thinned,
            rate,
            video: Vec::new(),
            audio: Vec::new(),
            files: Vec::new(),
            pictures: Vec::new(),
            hls: Vec::new(),
        };
        plan.ladder(facts, profile);
        for (name, output) in &profile.output {
            match (output, &facts.video) {
                (Output::Flv(flv), _) => plan.flv(name, flv, facts),
                (Output::M4a { bit_rate }, _) => plan.m4a(name, *bit_rate, facts, profile.remux),
                (Output::Poster(picture), Some(video)) => plan.picture(name, *picture, video, Pictures::Poster),
                (Output::Thumbs { count, picture }, Some(video)) => {
                    plan.picture(name, *picture, video, Pictures::Thumbs { count: *count });
                }
                (Output::Storyboard { columns, rows, interval, picture }, Some(video)) => {
                    let most = f64::from(columns * rows * SHEETS);
                    let interval = interval.max(facts.duration.unwrap_or(0.0) / most);
                    plan.picture(
                        name,
                        *picture,
                        video,
                        Pictures::Storyboard { columns: *columns, rows: *rows, interval },
                    );
                }
                (Output::Hls { segment }, _) => plan.stream(name, *segment),
                (Output::Mp4(_) | Output::Poster(_) | Output::Thumbs { .. } | Output::Storyboard { .. }, _) => {}
            }
        }
        let sizes = plan.video.iter().map(|encode| encode.size).chain(plan.pictures.iter().map(|picture| picture.size));
        plan.base = sizes.max_by_key(|size| size.pixels());
        if plan.files.is_empty() && plan.pictures.is_empty() { Err(Refusal::NothingToDo) } else { Ok(plan) }
    }

    /// Whether frames of the picture are needed at all.
    pub(crate) fn decodes_video(&self) -> bool {
        self.base.is_some()
    }

    /// The MP4 renditions, the largest first.
    fn ladder(&mut self, facts: &Facts, profile: &Profile) {
        let mut rungs: Vec<(&String, &Rendition)> = Vec::new();
        for (name, output) in &profile.output {
            if let Output::Mp4(rendition) = output {
                rungs.push((name, rendition));
            }
        }
        rungs.sort_by_key(|(_, rendition)| std::cmp::Reverse(rendition.short_side));
        let Some(video) = &facts.video else {
            if let Some((name, rendition)) = rungs.first() {
                self.file(name, Kind::Mp4, "mp4", None, None, facts, rendition.audio_bit_rate, false);
            }
            return;
        };
        let mut above: Option<Size> = None;
        for (name, rendition) in rungs {
            let size = fitted(video.shown, rendition.short_side);
            if above.is_some_and(|above| size.short() * 100 > above.short() * RUNG) {
                continue;
            }
            let streams = profile.output.values().any(|output| matches!(output, Output::Hls { .. }));
            let is_only = above.is_none() && self.next_rung(profile, video, size).is_none();
            let copied = above.is_none()
                && profile.remux == Remux::Auto
                // renditions of a stream have their key frames at the same times
                && (!streams || is_only)
                && fits(facts, video, size, rendition.max_bit_rate, profile.max_rate);
            above = Some(size);
            let track = if copied {
                Track::Copy
            } else {
                let Rendition { crf, preset, max_bit_rate, .. } = *rendition;
                self.encode(VideoEncode { size, codec: VideoCodec::H264 { crf, preset, max_bit_rate } })
            };
            self.file(name, Kind::Mp4, "mp4", Some(size), Some(track), facts, rendition.audio_bit_rate, copied);
        }
    }

    /// The size of a rung below `top` that would be there.
    fn next_rung(&self, profile: &Profile, video: &VideoFacts, top: Size) -> Option<Size> {
        let sizes = profile.output.values().filter_map(|output| match output {
            Output::Mp4(rendition) => Some(fitted(video.shown, rendition.short_side)),
            _ => None,
        });
        sizes.filter(|size| size.short() * 100 <= top.short() * RUNG).max_by_key(|size| size.pixels())
    }

    fn flv(&mut self, name: &str, flv: &Flv, facts: &Facts) {
        let size = facts.video.as_ref().map(|video| fitted(video.shown, flv.short_side));
        let track = size.map(|size| {
            let codec = match flv.codec {
                FlvCodec::Flv1 => VideoCodec::Flv1 { bit_rate: flv.bit_rate },
                FlvCodec::H264 => VideoCodec::H264 { crf: flv.crf, preset: flv.preset, max_bit_rate: flv.bit_rate },
            };
            self.encode(VideoEncode { size, codec })
        });
        self.file(name, Kind::Flv, "flv", size, track, facts, flv.audio_bit_rate, false);
    }

    fn m4a(&mut self, name: &str, bit_rate: u32, facts: &Facts, remux: Remux) {
        if facts.audio.is_some() {
            self.file(name, Kind::M4a, "m4a", None, None, facts, bit_rate, remux == Remux::Auto);
        }
    }

    /// Adds a file, with sound if there is any; `copies` says whether that may be the upload's own.
    #[expect(clippy::too_many_arguments, reason = "one column each of a table with four rows")]
    fn file(
        &mut self,
        name: &str,
        kind: Kind,
        ending: &str,
        size: Option<Size>,
        video: Option<Track>,
        facts: &Facts,
        bit_rate: u32,
        copies: bool,
    ) {
        let audio = facts.audio.as_ref().map(|audio| {
            let codec = if kind == Kind::Flv { AudioCodec::Mp3 } else { AudioCodec::Aac };
            if copies && codec == AudioCodec::Aac && sound_fits(&facts.container, audio, bit_rate) {
                Track::Copy
            } else {
                self.encode_sound(codec, audio, bit_rate)
            }
        });
        if video.is_some() || audio.is_some() {
            let path = format!("{name}.{ending}");
            self.files.push(FilePlan { name: name.to_owned(), kind, path, size, video, audio });
        }
    }

    fn encode(&mut self, encode: VideoEncode) -> Track {
        Track::Encode(self.video.iter().position(|there| *there == encode).unwrap_or_else(|| {
            self.video.push(encode);
            self.video.len() - 1
        }))
    }

    fn encode_sound(&mut self, codec: AudioCodec, audio: &AudioFacts, bit_rate: u32) -> Track {
        let rate = match codec {
            // the only rate that FLV's header can say besides its half and its quarter
            AudioCodec::Mp3 => 44_100,
            AudioCodec::Aac if audio.rate.is_multiple_of(11_025) => 44_100,
            AudioCodec::Aac => 48_000,
        };
        let channels = audio.channels.clamp(1, 2);
        let bit_rate = if channels == 1 { (bit_rate / 2).max(32_000) } else { bit_rate };
        let encode = AudioEncode { codec, rate, channels, bit_rate };
        Track::Encode(self.audio.iter().position(|there| *there == encode).unwrap_or_else(|| {
            self.audio.push(encode);
            self.audio.len() - 1
        }))
    }

    fn picture(&mut self, name: &str, picture: Picture, video: &VideoFacts, what: Pictures) {
        let size = fitted(video.shown, picture.short_side);
        self.pictures.push(PicturePlan { name: name.to_owned(), size, quality: picture.quality, what });
    }

    fn stream(&mut self, name: &str, segment: f64) {
        let of: Vec<_> = (0..self.files.len()).filter(|at| self.files[*at].kind == Kind::Mp4).collect();
        if !of.is_empty() {
            self.hls.push(HlsPlan { name: name.to_owned(), segment, of });
        }
    }
}

/// Whether the upload's picture can be in the result as it is.
fn fits(facts: &Facts, video: &VideoFacts, size: Size, max_bit_rate: u32, max_rate: u32) -> bool {
    let whole = facts.duration.filter(|duration| *duration > 0.0).map(|duration| facts.size as f64 * 8.0 / duration);
    let bit_rate = video.bit_rate.map(|rate| rate as f64).or(whole);
    COPIED_FROM.contains(&facts.container.as_str())
        && video.codec == "h264"
        && video.pixels == "yuv420p"
        && video
            .profile
            .as_deref()
            .is_some_and(|name| ["Constrained Baseline", "Baseline", "Main", "High"].contains(&name))
        && video.orientation == Orientation::Upright
        && video.stored == size
        && video.shown == size
        && !video.hdr
        && !video.interlaced
        && video.rate <= f64::from(max_rate) * 1.01
        && (max_bit_rate == 0 || bit_rate.is_some_and(|rate| rate <= f64::from(max_bit_rate)))
}

fn sound_fits(container: &str, audio: &AudioFacts, bit_rate: u32) -> bool {
    COPIED_FROM.contains(&container)
        && audio.codec == "aac"
        && (1..=2).contains(&audio.channels)
        && (32_000..=48_000).contains(&audio.rate)
        && audio.bit_rate.is_some_and(|rate| rate <= u64::from(bit_rate) * 3 / 2)
}

/// The size of something that shows `shown` with a shorter side of at most `short` pixels.
pub(crate) fn fitted(shown: Size, short: u32) -> Size {
    let (width, height) = (f64::from(shown.width.max(1)), f64::from(shown.height.max(1)));
    let by_short = f64::from(short) / width.min(height);
    let by_long = f64::from(LONGEST) / width.max(height);
    let scale = by_short.min(by_long).min(1.0);
    let side = |length: f64, most: u32| {
        let even = ((length * scale / 2.0).round() as u32).saturating_mul(2);
        even.min(most & !1).max(2)
    };
    Size { width: side(width, shown.width), height: side(height, shown.height) }
}

/// A rate as the fraction that it is meant to be.
fn fraction(rate: f64) -> (u32, u32) {
    let rate = if rate.is_finite() { rate.clamp(1.0, 240.0) } else { 25.0 };
    let whole = rate.round();
    let near = |other: f64| (rate - other).abs() < 0.002 * rate.max(1.0) / 4.0;
    if near(whole) {
        (whole as u32, 1)
    } else if near((rate * 1.001).round() / 1.001) {
        ((rate * 1.001).round() as u32 * 1000, 1001)
    } else {
        ((rate * 1000.0).round() as u32, 1000)
    }
}

#[cfg(test)]
pub(crate) mod tests;
