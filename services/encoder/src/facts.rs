//! What is known of an upload before anything is done with it: which streams it has, how large, how long, how turned.
//!
//! The worker finds the facts out; everything here is data, so that what is decided from it needs no video to test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::colours::Colours;

/// An upload as the worker sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// libav's name for the container, as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// Seconds from the first to the end of the last frame.
    pub duration: Option<f64>,
    /// Bytes of the file.
    pub size: u64,
    /// The moving picture, if there is one that can be decoded.
    pub video: Option<VideoFacts>,
    /// The sound, if there is one that can be decoded.
    pub audio: Option<AudioFacts>,
    /// Streams in the container, of all kinds.
    pub streams: u32,
    /// Streams that cannot be decoded and are left out, by codec.
    pub left_out: Vec<String>,
}

/// The moving picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VideoFacts {
    /// Which stream of the container.
    pub stream: u32,
    /// libav's name for the codec, as `h264`.
    pub codec: String,
    /// libav's name for the codec's profile, as `High`.
    pub profile: Option<String>,
    /// libav's name for the pixel format, as `yuv420p`.
    pub pixels: String,
    /// Pixels as they are stored.
    pub stored: Size,
    /// Pixels as they are to be seen: square, and turned upright.
    pub shown: Size,
    /// How it is to be turned.
    pub orientation: Orientation,
    /// Frames a second, on average.
    pub rate: f64,
    /// Bits a second, where the container says so.
    pub bit_rate: Option<u64>,
    /// Whether it has more brightness than an ordinary screen: tone mapping is needed.
    pub hdr: bool,
    /// Whether frames consist of two fields.
    pub interlaced: bool,
    /// What its numbers mean.
    pub colours: Colours,
}

/// The sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AudioFacts {
    /// Which stream of the container.
    pub stream: u32,
    /// libav's name for the codec, as `aac`.
    pub codec: String,
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bits a second, where the container says so.
    pub bit_rate: Option<u64>,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Size {
    /// The shorter of the two sides.
    #[must_use]
    pub fn short(self) -> u32 {
        self.width.min(self.height)
    }

    /// How many pixels that are.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The other way round.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// How a stored picture is turned and mirrored to be seen. Cameras write this down instead of turning the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// As it is.
    #[default]
    Upright,
    /// A quarter turn to the right.
    Right,
    /// Upside down.
    Around,
    /// A quarter turn to the left.
    Left,
    /// Left and right exchanged.
    Mirrored,
    /// Upper and lower side exchanged.
    Flipped,
    /// A quarter turn to the right, then upper and lower side exchanged.
    RightFlipped,
    /// A quarter turn to the left, then upper and lower side exchanged.
    LeftFlipped,
}

impl Orientation {
    /// From a display matrix: ISO/IEC 14496-12 section 6.2.2, 3 x 3 numbers of which only signs and quarters matter; an
    /// angle in between is taken for the nearest quarter.
    #[must_use]
    pub fn of_matrix(matrix: [i32; 9]) -> Self {
        let [a, b, _, c, d, ..] = matrix.map(i64::from);
        if a.abs() + d.abs() >= b.abs() + c.abs() {
            match (a < 0, d < 0) {
                (false, false) => Self::Upright,
                (true, true) => Self::Around,
                (true, false) => Self::Mirrored,
                (false, true) => Self::Flipped,
            }
        } else {
            match (b < 0, c < 0) {
                (false, true) => Self::Right,
                (true, false) => Self::Left,
                (false, false) => Self::LeftFlipped,
                (true, true) => Self::RightFlipped,
            }
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub fn swaps(self) -> bool {
        matches!(self, Self::Right | Self::Left | Self::RightFlipped | Self::LeftFlipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The four numbers that matter, in units.
    fn check(a: i32, b: i32, c: i32, d: i32, expected: Orientation) {
        let [a, b, c, d] = [a, b, c, d].map(|number| number * 65536);
        assert_eq!(Orientation::of_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30]), expected, "{a} {b} {c} {d}");
    }

    #[test]
    fn a_matrix_is_an_orientation() {
        check(1, 0, 0, 1, Orientation::Upright);
        check(0, 1, -1, 0, Orientation::Right);
        check(-1, 0, 0, -1, Orientation::Around);
        check(0, -1, 1, 0, Orientation::Left);
        check(-1, 0, 0, 1, Orientation::Mirrored);
        check(1, 0, 0, -1, Orientation::Flipped);
        check(0, 1, 1, 0, Orientation::LeftFlipped);
        check(0, -1, -1, 0, Orientation::RightFlipped);
    }

    #[test]
    fn no_matrix_is_too_strange() {
        check(0, 0, 0, 0, Orientation::Upright);
        assert_eq!(Orientation::of_matrix([i32::MIN; 9]), Orientation::Around);
    }

    #[test]
    fn sizes_have_a_short_side() {
        let size = Size { width: 2160, height: 3840 };
        assert_eq!((size.short(), size.turned().to_string()), (2160, "3840x2160".to_owned()));
    }
}
