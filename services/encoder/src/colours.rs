//! What numbers mean as colours, and what they are to mean in the results.
//!
//! A picture without tags is read differently by every player, so results always have them. The words are libav's, and
//! so ITU-T H.273's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Size;

/// What the upload says of itself; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Colours {
    /// From brightness and difference to colours: `bt709`.
    pub matrix: Option<String>,
    /// Which colours those are: `bt709`.
    pub primaries: Option<String>,
    /// From numbers to light: `bt709`; `smpte2084` and `arib-std-b67` are high dynamic range.
    pub transfer: Option<String>,
}

/// What a result says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tags {
    pub matrix: &'static str,
    pub primaries: &'static str,
    pub transfer: &'static str,
}

const HD: Tags = Tags { matrix: "bt709", primaries: "bt709", transfer: "bt709" };
const NTSC: Tags = Tags { matrix: "smpte170m", primaries: "smpte170m", transfer: "smpte170m" };
const PAL: Tags = Tags { matrix: "bt470bg", primaries: "bt470bg", transfer: "smpte170m" };

impl Colours {
    /// Whether an ordinary screen shows less than there is.
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        matches!(self.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }

    /// What results are tagged with, and converted to where they differ: the upload's own where players know it,
    /// else what is usual for its size.
    pub(crate) fn tags(&self, stored: Size, is_rgb: bool) -> Tags {
        if is_rgb || self.is_hdr() {
            return HD;
        }
        match self.matrix.as_deref() {
            Some("bt709") => HD,
            Some("bt470bg") => PAL,
            Some("smpte170m") => NTSC,
            Some(_) => HD,
            None => usual(stored),
        }
    }

    /// What swscale is to take the upload's numbers for.
    pub(crate) fn read_as(&self, stored: Size) -> &'static str {
        scale_name(match self.matrix.as_deref() {
            Some("bt709") => "bt709",
            Some("bt470bg" | "smpte170m") => "smpte170m",
            Some("bt2020nc" | "bt2020c") => "bt2020",
            Some("smpte240m") => "smpte240m",
            Some("fcc") => "fcc",
            _ => usual(stored).matrix,
        })
    }
}

impl Tags {
    /// The matrix by swscale's name.
    pub(crate) fn scale_name(self) -> &'static str {
        scale_name(self.matrix)
    }
}

fn scale_name(matrix: &'static str) -> &'static str {
    match matrix {
        "smpte170m" | "bt470bg" => "bt601",
        other => other,
    }
}

/// What a video of this size without tags most probably is.
fn usual(stored: Size) -> Tags {
    if stored.short() >= 720 || stored.width.max(stored.height) >= 1280 {
        HD
    } else if stored.height == 576 {
        PAL
    } else {
        NTSC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(matrix: Option<&str>, transfer: Option<&str>, width: u32, height: u32, expected: (&str, &str)) {
        let colours =
            Colours { matrix: matrix.map(str::to_owned), primaries: None, transfer: transfer.map(str::to_owned) };
        let size = Size { width, height };
        assert_eq!((colours.read_as(size), colours.tags(size, false).matrix), expected, "{colours:?} {size}");
    }

    #[test]
    fn tags_are_kept_guessed_or_converted() {
        check(Some("bt709"), None, 320, 240, ("bt709", "bt709"));
        check(Some("smpte170m"), None, 1920, 1080, ("bt601", "smpte170m"));
        check(None, None, 1920, 1080, ("bt709", "bt709"));
        check(None, None, 640, 480, ("bt601", "smpte170m"));
        check(None, None, 720, 576, ("bt601", "bt470bg"));
        check(Some("bt2020nc"), Some("smpte2084"), 3840, 2160, ("bt2020", "bt709"));
        check(Some("ycgco"), None, 640, 480, ("bt601", "bt709"));
    }

    #[test]
    fn screens_are_recorded_in_rgb() {
        assert_eq!(Colours::default().tags(Size { width: 320, height: 240 }, true).matrix, "bt709");
    }
}
