//! The rules of the plan, on made-up uploads.

use proptest::prelude::*;

use super::*;
use crate::profile;

/// An upload of this size, with sound, as a telephone makes it.
pub(crate) fn facts(width: u32, height: u32) -> Facts {
    let size = Size { width, height };
    Facts {
        container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        duration: Some(60.0),
        size: 10_000_000,
        video: Some(VideoFacts {
            stream: 0,
            codec: "hevc".to_owned(),
            profile: None,
            pixels: "yuv420p".to_owned(),
            stored: size,
            shown: size,
            orientation: Orientation::Upright,
            rate: 30.0,
            bit_rate: Some(1_000_000),
            hdr: false,
            interlaced: false,
            colours: crate::colours::Colours::default(),
        }),
        audio: Some(AudioFacts {
            stream: 1,
            codec: "aac".to_owned(),
            rate: 44_100,
            channels: 2,
            bit_rate: Some(128_000),
        }),
        streams: 2,
        left_out: Vec::new(),
    }
}

fn plan(facts: &Facts, outputs: &str) -> Plan {
    let profiles = profile::parse(outputs).unwrap();
    Plan::new(facts, &profiles["p"]).unwrap()
}

const LADDER: &str = "[p.output]\na = { kind = 'mp4', short_side = 1080 }\nb = { kind = 'mp4', short_side = 720 }\n\
                      c = { kind = 'mp4', short_side = 480 }\n";

fn check_ladder(width: u32, height: u32, expected: &str) {
    let plan = plan(&facts(width, height), LADDER);
    let rungs: Vec<_> = plan.files.iter().map(|file| format!("{} {}", file.name, file.size.unwrap())).collect();
    assert_eq!(rungs.join(", "), expected, "{width}x{height}");
}

#[test]
fn the_ladder_never_goes_up() {
    check_ladder(1920, 1080, "a 1920x1080, b 1280x720, c 854x480");
    check_ladder(640, 360, "a 640x360");
    check_ladder(1280, 720, "a 1280x720, c 854x480");
    check_ladder(1600, 900, "a 1600x900, b 1280x720, c 854x480");
    check_ladder(1334, 750, "a 1334x750, c 854x480");
}

#[test]
fn the_short_side_is_bounded() {
    check_ladder(2160, 3840, "a 1080x1920, b 720x1280, c 480x854");
    check_ladder(720, 1280, "a 720x1280, c 480x854");
}

#[test]
fn sides_are_even_and_at_least_two() {
    check_ladder(161, 121, "a 160x120");
    check_ladder(1, 2, "a 2x2");
    check_ladder(100_000, 10, "a 8192x2");
}

#[test]
fn equal_encodes_are_done_once() {
    let outputs = "[p.output]\na = { kind = 'mp4', short_side = 720, max_bit_rate = 1000000 }\n\
                   b = { kind = 'flv', codec = 'h264', short_side = 720, bit_rate = 1000000 }\n\
                   c = { kind = 'flv', codec = 'flv1', short_side = 720, bit_rate = 1000000 }\n\
                   d = { kind = 'm4a', bit_rate = 128000 }\n";
    let plan = plan(&facts(1920, 1080), outputs);
    assert_eq!((plan.video.len(), plan.audio.len()), (2, 2), "{plan:?}");
    let [a, b] = ["a", "b"].map(|name| plan.files.iter().find(|file| file.name == name).unwrap().video);
    assert_eq!(a, b);
    let copied = plan.files.iter().find(|file| file.name == "d").unwrap();
    assert_eq!(copied.audio, Some(Track::Copy));
}

/// Whether the upload's picture is copied after `change`.
fn check_copy(change: impl FnOnce(&mut Facts, &mut String), expected: bool) {
    let mut facts = facts(1280, 720);
    let video = facts.video.as_mut().unwrap();
    (video.codec, video.profile) = ("h264".to_owned(), Some("High".to_owned()));
    let mut outputs = "[p.output]\na = { kind = 'mp4', short_side = 720, max_bit_rate = 1500000 }\n".to_owned();
    change(&mut facts, &mut outputs);
    let plan = plan(&facts, &outputs);
    assert_eq!(plan.files[0].video == Some(Track::Copy), expected, "{facts:?}\n{outputs}");
    assert_eq!(plan.decodes_video(), !plan.video.is_empty());
}

#[test]
fn what_fits_is_copied() {
    check_copy(|_, _| {}, true);
    check_copy(|_, outputs| outputs.push_str("h = { kind = 'hls', segment = 4 }\n"), true);
    let two = "b = { kind = 'mp4', short_side = 360 }\n";
    check_copy(|_, outputs| outputs.push_str(two), true);
    check_copy(|_, outputs| outputs.push_str(&format!("{two}h = {{ kind = 'hls', segment = 4 }}\n")), false);
    check_copy(|_, outputs| outputs.insert_str(0, "[p]\nremux = 'never'\n"), false);
    check_copy(|facts, _| facts.container = "mpegts".to_owned(), false);
    check_copy(|facts, _| facts.video.as_mut().unwrap().orientation = Orientation::Right, false);
    check_copy(|facts, _| facts.video.as_mut().unwrap().shown.width = 1284, false);
    check_copy(|facts, _| facts.video.as_mut().unwrap().bit_rate = Some(2_000_000), false);
    check_copy(|facts, _| facts.video.as_mut().unwrap().pixels = "yuv420p10le".to_owned(), false);
    check_copy(|facts, _| facts.video.as_mut().unwrap().rate = 120.0, false);
}

#[test]
fn sound_and_picture_may_be_alone() {
    let web = &profile::parse(profile::DEFAULTS).unwrap()["web"];
    let silent = Plan::new(&Facts { audio: None, ..facts(1280, 720) }, web).unwrap();
    assert!(silent.audio.is_empty() && silent.files.iter().all(|file| file.kind != Kind::M4a));
    let blind = Plan::new(&Facts { video: None, ..facts(0, 0) }, web).unwrap();
    let kinds: Vec<_> = blind.files.iter().map(|file| file.kind).collect();
    assert_eq!((kinds, blind.base), (vec![Kind::Mp4, Kind::M4a, Kind::Flv], None));
    let none = Facts { video: None, audio: None, ..facts(0, 0) };
    assert_eq!(Plan::new(&none, web), Err(Refusal::NothingToDo));
}

#[test]
fn rates_are_thinned_and_named() {
    let with_rate = |rate: f64| {
        let mut facts = facts(640, 360);
        facts.video.as_mut().unwrap().rate = rate;
        let plan = plan(&facts, LADDER);
        (plan.thinned, plan.rate)
    };
    assert_eq!(with_rate(23.976), (None, (24_000, 1001)));
    assert_eq!(with_rate(25.0), (None, (25, 1)));
    assert_eq!(with_rate(27.07), (None, (27_070, 1000)));
    assert_eq!(with_rate(59.94), (None, (60_000, 1001)));
    assert_eq!(with_rate(1000.0), (Some(60), (60, 1)));
    assert_eq!(with_rate(f64::NAN), (None, (25, 1)));
}

proptest! {
    #[test]
    fn sizes_fit_whatever_comes(width in 0..200_000_u32, height in 0..200_000_u32, short in 2..4321_u32) {
        let size = fitted(Size { width, height }, short);
        prop_assert!(size.width >= 2 && size.height >= 2);
        prop_assert!(size.width.is_multiple_of(2) && size.height.is_multiple_of(2));
        prop_assert!(size.short() <= short.max(2) + 1 && size.width.max(size.height) <= LONGEST);
        prop_assert!(size.width <= width.max(2) && size.height <= height.max(2), "{width}x{height} became {size}");
    }
}
