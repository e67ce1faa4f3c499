//! What is made of an upload, as data: the configuration gives profiles, a job names one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The profiles that come with the program, as one would write them.
pub const DEFAULTS: &str = include_str!("../profiles.toml");

/// Profiles by name.
pub type Profiles = BTreeMap<String, Profile>;

/// What is made of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Whether streams that already fit are copied instead of encoded.
    #[serde(default)]
    pub remux: Remux,
    /// Frames a second, at most; more are thinned out.
    #[serde(default = "default_rate")]
    pub max_rate: u32,
    /// Seconds between key frames of H.264, the same in all renditions so that players can change over.
    #[serde(default = "default_keyframes")]
    pub keyframes: f64,
    /// What to make, by name. Names are parts of paths: letters, digits, `-` and `_`.
    pub output: BTreeMap<String, Output>,
}

/// Whether streams that already fit are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remux {
    /// Where it fits the rendition: codec, size, rate, colours.
    #[default]
    Auto,
    /// Everything is encoded.
    Never,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Output {
    /// H.264 and AAC in MP4, index first. A rung of the ladder: one that would not be smaller than the next is left out.
    Mp4(Rendition),
    /// H.264 or FLV1 and MP3 in FLV, with an index of key frames.
    Flv(Flv),
    /// AAC alone in MP4.
    M4a {
        /// Bits a second.
        bit_rate: u32,
    },
    /// HTTP live streaming, RFC 8216: the MP4 renditions once more, cut into segments.
    Hls {
        /// Seconds of a segment.
        segment: f64,
    },
    /// The clearest of the thumbnails' moments, as JPEG.
    Poster(Picture),
    /// Pictures at equal distances, as JPEG.
    Thumbs {
        /// How many.
        count: u32,
        /// How large and how good.
        #[serde(flatten)]
        picture: Picture,
    },
    /// Sheets of small pictures for the seek bar, as JPEG, with WebVTT.
    Storyboard {
        /// Cells from left to right on a sheet.
        columns: u32,
        /// Cells from top to bottom.
        rows: u32,
        /// Seconds between two, at least.
        interval: f64,
        /// How large and how good a cell is.
        #[serde(flatten)]
        picture: Picture,
    },
}

/// Settings of an H.264 encode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rendition {
    /// Pixels of the shorter side, at most.
    pub short_side: u32,
    /// Constant rate factor: 0 to 51, smaller is better and larger.
    #[serde(default = "default_crf")]
    pub crf: f32,
    /// x264's name for how hard it tries.
    #[serde(default = "default_preset")]
    pub preset: Preset,
    /// Bits a second of the picture, at most; 0 for no bound.
    #[serde(default)]
    pub max_bit_rate: u32,
    /// Bits a second of the sound.
    #[serde(default = "default_sound")]
    pub audio_bit_rate: u32,
}

/// Settings of an FLV file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flv {
    /// Pixels of the shorter side, at most.
    pub short_side: u32,
    /// Which codec.
    pub codec: FlvCodec,
    /// Bits a second of the picture; with H.264, at most.
    pub bit_rate: u32,
    /// With H.264: constant rate factor.
    #[serde(default = "default_crf")]
    pub crf: f32,
    /// With H.264: how hard x264 tries.
    #[serde(default = "default_preset")]
    pub preset: Preset,
    /// Bits a second of the sound.
    #[serde(default = "default_sound")]
    pub audio_bit_rate: u32,
}

/// Codecs of pictures in FLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlvCodec {
    /// Sorenson's H.263, which the oldest players know.
    Flv1,
    /// H.264.
    H264,
}

/// x264's presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "x264's own names, from the quickest to the smallest result")]
pub enum Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl Preset {
    /// As x264 calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

/// Settings of a JPEG picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// Pixels of the shorter side, at most.
    pub short_side: u32,
    /// Quantiser: 2 to 31, smaller is better and larger.
    #[serde(default = "default_quality")]
    pub quality: u32,
}

fn default_rate() -> u32 {
    60
}

fn default_keyframes() -> f64 {
    4.0
}

fn default_crf() -> f32 {
    23.0
}

fn default_preset() -> Preset {
    Preset::Veryfast
}

fn default_sound() -> u32 {
    128_000
}

fn default_quality() -> u32 {
    4
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not TOML, or of another shape.
    #[error("failed to read profiles")]
    Syntax(#[source] toml::de::Error),
    /// A number out of bounds, or a name that is no name.
    #[error("profile `{profile}`, output `{output}`: {what}")]
    Value {
        /// The profile's name.
        profile: String,
        /// The output's name; empty for the profile itself.
        output: String,
        /// What is wrong, and what was expected.
        what: &'static str,
    },
}

/// Reads profiles from TOML.
///
/// # Errors
/// The first [`Fault`].
pub fn parse(text: &str) -> Result<Profiles, Fault> {
    let profiles: Profiles = toml::from_str(text).map_err(Fault::Syntax)?;
    for (name, profile) in &profiles {
        profile.check(name)?;
    }
    Ok(profiles)
}

impl Profile {
    /// Only the pictures of it, which are made beside a video that is encoded in parts; `None` if there are none.
    #[must_use]
    pub fn pictures(&self) -> Option<Self> {
        let mut profile = self.clone();
        profile.output.retain(|_, output| {
            matches!(output, Output::Poster(_) | Output::Thumbs { .. } | Output::Storyboard { .. })
        });
        (!profile.output.is_empty()).then_some(profile)
    }

    /// Whether all numbers are within their bounds; `name` is for the message.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, name: &str) -> Result<(), Fault> {
        let fault = |output: &str, what| Fault::Value { profile: name.to_owned(), output: output.to_owned(), what };
        if !(1..=240).contains(&self.max_rate) {
            return Err(fault("", "`max_rate` is to be 1 to 240"));
        }
        if !(0.5..=60.0).contains(&self.keyframes) {
            return Err(fault("", "`keyframes` is to be 0.5 to 60"));
        }
        for (name, output) in &self.output {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
                return Err(fault(name, "a name is 1 to 32 letters, digits, `-` and `_`"));
            }
            if name == crate::delivery::CAPTIONS {
                return Err(fault(name, "this name is taken by what comes beside uploads"));
            }
            output.check().map_err(|what| fault(name, what))?;
        }
        Ok(())
    }
}

impl Output {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Mp4(Rendition { short_side, crf, preset: _, max_bit_rate, audio_bit_rate }) => {
                side(*short_side, 4320)?;
                h264(*crf, *max_bit_rate)?;
                sound(*audio_bit_rate)
            }
            Self::Flv(Flv { short_side, codec: _, bit_rate, crf, preset: _, audio_bit_rate }) => {
                side(*short_side, 4320)?;
                h264(*crf, *bit_rate)?;
                if *bit_rate < 10_000 {
                    return Err("`bit_rate` is to be 10000 to 200000000");
                }
                sound(*audio_bit_rate)
            }
            Self::M4a { bit_rate } => sound(*bit_rate),
            Self::Hls { segment } if !(1.0..=60.0).contains(segment) => Err("`segment` is to be 1 to 60"),
            Self::Hls { .. } => Ok(()),
            Self::Poster(picture) => picture.check(),
            Self::Thumbs { count, picture } => {
                if !(1..=1000).contains(count) {
                    return Err("`count` is to be 1 to 1000");
                }
                picture.check()
            }
            Self::Storyboard { columns, rows, interval, picture } => {
                if !(1..=20).contains(columns) || !(1..=20).contains(rows) {
                    return Err("`columns` and `rows` are to be 1 to 20");
                }
                if !(0.1..=3600.0).contains(interval) {
                    return Err("`interval` is to be 0.1 to 3600");
                }
                // a sheet is one JPEG: 65535 pixels a side, and memory
                side(picture.short_side, 360).map_err(|_| "`short_side` is to be 2 to 360")?;
                picture.check()
            }
        }
    }
}

impl Picture {
    fn check(self) -> Result<(), &'static str> {
        side(self.short_side, 4320)?;
        if (2..=31).contains(&self.quality) { Ok(()) } else { Err("`quality` is to be 2 to 31") }
    }
}

fn side(short: u32, most: u32) -> Result<(), &'static str> {
    if (2..=most).contains(&short) { Ok(()) } else { Err("`short_side` is to be 2 to 4320") }
}

fn h264(crf: f32, bit_rate: u32) -> Result<(), &'static str> {
    if !(0.0..=51.0).contains(&crf) {
        return Err("`crf` is to be 0 to 51");
    }
    if bit_rate > 200_000_000 { Err("bit rates are to be at most 200000000") } else { Ok(()) }
}

fn sound(bit_rate: u32) -> Result<(), &'static str> {
    if (32_000..=320_000).contains(&bit_rate) { Ok(()) } else { Err("bit rates of sound are to be 32000 to 320000") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_profiles() {
        let profiles = parse(DEFAULTS).unwrap();
        assert!(profiles["web"].output.contains_key("h264") && profiles["web"].output.contains_key("flv"));
    }

    /// One output of a profile; `said` is a part of the fault, empty if there is none.
    fn check(output: &str, said: &str) {
        let text = format!("[p.output.\"{}\n", output.replacen(' ', "\"]\n", 1).replace("; ", "\n"));
        match (parse(&text), said) {
            (Ok(_), "") => {}
            (Ok(_), said) => panic!("{text}: no fault, expected `{said}`"),
            (Err(fault), said) => {
                let chain = format!("{:#}", anyhow::Error::from(fault));
                assert!(!said.is_empty() && chain.contains(said), "{text}: {chain}");
            }
        }
    }

    #[test]
    fn numbers_have_bounds() {
        check("a kind = \"mp4\"; short_side = 720", "");
        check("a kind = \"mp4\"; short_side = 0", "`short_side`");
        check("a kind = \"mp4\"; short_side = 720; crf = 52", "`crf`");
        check("a kind = \"mp4\"; short_side = 720; audio_bit_rate = 1", "sound");
        check("a kind = \"flv\"; codec = \"flv1\"; short_side = 240; bit_rate = 1", "`bit_rate`");
        check("a kind = \"thumbs\"; count = 0; short_side = 90", "`count`");
        check("a kind = \"poster\"; short_side = 90; quality = 1", "`quality`");
        check("a kind = \"hls\"; segment = nan", "`segment`");
        check("a kind = \"storyboard\"; columns = 10; rows = 21; interval = 2; short_side = 90", "`rows`");
    }

    #[test]
    fn names_are_parts_of_paths() {
        check("../a kind = \"m4a\"; bit_rate = 96000", "a name is");
        check("a kind = \"avi\"", "unknown variant `avi`");
        check("a kind = \"mp4\"; short_side = 720; sort_side = 1", "unknown field `sort_side`");
    }
}
