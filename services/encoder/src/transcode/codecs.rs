//! Opening encoders. What is not said here is left to the encoder's own judgement.

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{Context, encoder};
use ffmpeg::util::color;
use ffmpeg::{ChannelLayout, Dictionary, Rational, format};

use super::error::{Doing, Error};
use crate::colours::Tags;
use crate::facts::Size;
use crate::plan::{AudioCodec, AudioEncode, VideoCodec, VideoEncode};

/// The unit of time of pictures: all usual rates are whole numbers of it, and it is fine enough for any other.
pub(super) const TICKS: i32 = 90_000;
/// libav's FF_QP2LAMBDA.
const QUALITY_UNIT: u32 = 118;

/// The form of samples that both encoders of sound take.
pub(super) const SAMPLE: format::Sample = format::Sample::F32(format::sample::Type::Planar);

/// What encoders of pictures share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    /// Frames a second.
    pub rate: (u32, u32),
    /// Seconds between key frames.
    pub keyframes: f64,
    pub tags: Tags,
    pub threads: u32,
}

impl Common {
    fn per_second(&self) -> f64 {
        f64::from(self.rate.0) / f64::from(self.rate.1)
    }

    /// The rate as libav has it.
    pub(super) fn rational(&self) -> Rational {
        let part = |number: u32| i32::try_from(number).unwrap_or(1);
        Rational(part(self.rate.0), part(self.rate.1))
    }
}

fn find(name: &str) -> Result<ffmpeg::Codec, Error> {
    encoder::find_by_name(name).ok_or(ffmpeg::Error::EncoderNotFound).doing(|| format!("find the encoder `{name}`"))
}

/// An encoder of pictures and its unit of time.
pub(super) fn video(encode: &VideoEncode, common: &Common) -> Result<(encoder::Video, Rational), Error> {
    let mut options = Dictionary::new();
    let (name, base) = match &encode.codec {
        VideoCodec::H264 { crf, preset, max_bit_rate } => {
            options.set("preset", preset.name());
            options.set("profile", "high");
            options.set("crf", &crf.to_string());
            // key frames are asked for by time; this is for encoders that get no frames for long
            options.set("g", &format!("{:.0}", (common.keyframes * common.per_second() * 2.0).clamp(1.0, 9999.0)));
            options.set("forced-idr", "1");
            if *max_bit_rate > 0 {
                options.set("maxrate", &max_bit_rate.to_string());
                options.set("bufsize", &(u64::from(*max_bit_rate) * 2).min(i32::MAX as u64).to_string());
            }
            ("libx264", Rational(1, TICKS))
        }
        VideoCodec::Flv1 { bit_rate } => {
            options.set("b", &bit_rate.to_string());
            options.set("g", &format!("{:.0}", (common.keyframes * common.per_second()).clamp(1.0, 600.0)));
            // its rate control knows a fixed rate only
            ("flv", common.rational().invert())
        }
    };
    // half as many more, as x264 itself does it: some wait for others
    options.set("threads", &(common.threads + common.threads / 2).to_string());
    let codec = find(name)?;
    let mut context = Context::new_with_codec(codec).encoder().video().doing(|| format!("make `{name}`"))?;
    context.set_width(encode.size.width);
    context.set_height(encode.size.height);
    context.set_format(format::Pixel::YUV420P);
    context.set_aspect_ratio(Rational(1, 1));
    context.set_time_base(base);
    context.set_frame_rate(Some(common.rational()));
    context.set_color_range(color::Range::MPEG);
    options.set("colorspace", common.tags.matrix);
    options.set("color_primaries", common.tags.primaries);
    options.set("color_trc", common.tags.transfer);
    // all containers that are written want the header apart
    options.set("flags", "+global_header");
    let opened = context.open_as_with(codec, options);
    Ok((opened.doing(|| format!("open `{name}` for {}", encode.size))?, base))
}

/// An encoder of sound.
pub(super) fn audio(encode: &AudioEncode) -> Result<encoder::Audio, Error> {
    let name = match encode.codec {
        AudioCodec::Aac => "aac",
        AudioCodec::Mp3 => "libmp3lame",
    };
    let codec = find(name)?;
    let mut context = Context::new_with_codec(codec).encoder().audio().doing(|| format!("make `{name}`"))?;
    let rate = i32::try_from(encode.rate).unwrap_or(44_100);
    context.set_rate(rate);
    context.set_channel_layout(layout(encode.channels));
    context.set_channels(i32::try_from(encode.channels).unwrap_or(2));
    context.set_format(SAMPLE);
    context.set_bit_rate(encode.bit_rate as usize);
    context.set_time_base(Rational(1, rate));
    let mut options = Dictionary::new();
    options.set("flags", "+global_header");
    context.open_as_with(codec, options).doing(|| format!("open `{name}` for {encode:?}"))
}

pub(super) fn layout(channels: u32) -> ChannelLayout {
    if channels == 1 { ChannelLayout::MONO } else { ChannelLayout::STEREO }
}

/// An encoder of JPEG pictures.
pub(super) fn jpeg(size: Size, quality: u32) -> Result<encoder::Video, Error> {
    let codec = find("mjpeg")?;
    let mut context = Context::new_with_codec(codec).encoder().video().doing(|| "make `mjpeg`".to_owned())?;
    context.set_width(size.width);
    context.set_height(size.height);
    context.set_format(format::Pixel::YUVJ420P);
    context.set_color_range(color::Range::JPEG);
    context.set_time_base(Rational(1, 25));
    context.set_global_quality(lambda(quality));
    let mut options = Dictionary::new();
    options.set("flags", "+qscale");
    // one picture in, one out
    options.set("threads", "1");
    context.open_as_with(codec, options).doing(|| format!("open `mjpeg` for {size}"))
}

/// A quantiser as libav measures it.
pub(super) fn lambda(quality: u32) -> i32 {
    i32::try_from(quality * QUALITY_UNIT).unwrap_or(i32::MAX)
}
