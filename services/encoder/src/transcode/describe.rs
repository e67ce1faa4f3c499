//! From libav's numbers of a stream to facts: what is absurd in them is not believed.

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::packet::side_data;
use ffmpeg::{Rational, Stream};

use super::av;
use crate::colours::Colours;
use crate::facts::{AudioFacts, Orientation, Size, VideoFacts};

pub(super) fn video_facts(stream: &Stream<'_>) -> VideoFacts {
    let parameters = stream.parameters();
    let raw = av::raw(&parameters);
    let side = |length: i32| u32::try_from(length).unwrap_or(0);
    let stored = Size { width: side(raw.width), height: side(raw.height) };
    let matrix = stream.side_data().find(|data| data.kind() == side_data::Type::DisplayMatrix);
    let orientation = matrix.and_then(|data| numbers(data.data())).map(Orientation::of_matrix).unwrap_or_default();
    let [matrix, primaries, transfer] = av::colours(&parameters);
    let colours = Colours { matrix, primaries, transfer };
    VideoFacts {
        stream: u32::try_from(stream.index()).unwrap_or(u32::MAX),
        codec: parameters.id().name().to_owned(),
        profile: av::profile_name(parameters.id(), raw.profile),
        pixels: av::pixel_name(raw.format).unwrap_or_default(),
        stored,
        shown: shown(stored, raw.aspect, orientation),
        orientation,
        rate: rate(stream.avg_frame_rate(), stream.rate()),
        bit_rate: u64::try_from(raw.bit_rate).ok().filter(|rate| *rate > 0),
        hdr: colours.is_hdr(),
        interlaced: raw.interlaced,
        colours,
    }
}

pub(super) fn audio_facts(stream: &Stream<'_>) -> AudioFacts {
    let parameters = stream.parameters();
    let raw = av::raw(&parameters);
    AudioFacts {
        stream: u32::try_from(stream.index()).unwrap_or(u32::MAX),
        codec: parameters.id().name().to_owned(),
        rate: u32::try_from(raw.rate).unwrap_or(0),
        channels: u32::try_from(raw.channels).unwrap_or(0),
        bit_rate: u64::try_from(raw.bit_rate).ok().filter(|rate| *rate > 0),
    }
}

fn numbers(bytes: &[u8]) -> Option<[i32; 9]> {
    let mut numbers = [0; 9];
    for (number, bytes) in numbers.iter_mut().zip(bytes.get(..36)?.chunks_exact(4)) {
        *number = i32::from_ne_bytes(bytes.try_into().ok()?);
    }
    Some(numbers)
}

/// The size with square pixels, upright.
fn shown(stored: Size, aspect: (i32, i32), orientation: Orientation) -> Size {
    let aspect = f64::from(aspect.0) / f64::from(aspect.1);
    // wider than any lens makes it, or not said
    let aspect = if (0.05..=20.0).contains(&aspect) { aspect } else { 1.0 };
    let width = (f64::from(stored.width) * aspect).round().clamp(1.0, f64::from(u32::MAX)) as u32;
    let square = Size { width, height: stored.height };
    if orientation.swaps() { square.turned() } else { square }
}

/// Frames a second, believed only as far as cameras go.
fn rate(average: Rational, raw: Rational) -> f64 {
    let believable = |rate: Rational| Some(f64::from(rate)).filter(|rate| (0.1..=1000.0).contains(rate));
    believable(average).or_else(|| believable(raw).filter(|rate| *rate <= 120.0)).unwrap_or(25.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_shown(aspect: (i32, i32), orientation: Orientation, expected: &str) {
        let size = shown(Size { width: 640, height: 360 }, aspect, orientation);
        assert_eq!(size.to_string(), expected, "{aspect:?} {orientation:?}");
    }

    #[test]
    fn pixels_become_square_and_upright() {
        check_shown((0, 1), Orientation::Upright, "640x360");
        check_shown((2, 1), Orientation::Upright, "1280x360");
        check_shown((1, 1), Orientation::Right, "360x640");
        check_shown((2, 1), Orientation::Left, "360x1280");
        check_shown((1, 0), Orientation::Upright, "640x360");
        check_shown((i32::MAX, 1), Orientation::Upright, "640x360");
        check_shown((-1, 1), Orientation::Around, "640x360");
    }

    #[test]
    fn absurd_rates_are_not_believed() {
        let check = |average, raw, expected: f64| assert!((rate(average, raw) - expected).abs() < 0.01);
        check(Rational(30_000, 1001), Rational(90_000, 2999), 29.97);
        check(Rational(0, 0), Rational(1000, 1), 25.0);
        check(Rational(0, 1), Rational(24, 1), 24.0);
        check(Rational(1_000_000, 1), Rational(0, 0), 25.0);
    }

    #[test]
    fn a_matrix_is_nine_numbers() {
        let bytes: Vec<u8> = (0..9).flat_map(|number: i32| number.to_ne_bytes()).collect();
        assert_eq!(numbers(&bytes), Some([0, 1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(numbers(&bytes[1..]), None);
    }
}
