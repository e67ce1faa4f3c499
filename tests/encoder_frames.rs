//! Every frame in its place: a result has the frames of its source, each at its time, none lost, doubled or moved by one,
//! and its sound with them. Quality figures hide a picture that is one frame late; this does not.

use std::path::Path;
use std::process::Command;

use crate::encoder::{clip, encode_to, flashes, judged, made, moments};
use crate::harness::{Ran, program};

/// What PSNR is for frames that do not differ: ffmpeg says `inf`.
const SAME: f64 = 100.0;

/// When each frame of the picture is seen, in seconds.
pub(crate) fn times(path: &Path) -> Vec<f64> {
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0"]);
    let text = Ran::of(ffprobe.arg(path)).ok();
    // side data stands behind a comma, or on lines of its own
    let numbers = text.lines().filter_map(|line| line.split(',').next()?.parse().ok());
    numbers.collect()
}

/// How alike each frame is to the one with the same number, `later` having lost its first: PSNR in dB.
pub(crate) fn alike(one: &Path, other: &Path, later: usize) -> Vec<f64> {
    let size = judged(one)["streams"][0].clone();
    let numbered = format!(
        "setparams=colorspace=bt709:range=tv,scale={}:{}:flags=bicubic,format=yuv420p,settb=1/25,setpts=N",
        size["width"], size["height"]
    );
    let later = format!("trim=start_frame={later},{numbered}");
    let filters = format!("[0:v]{numbered}[a];[1:v]{later}[b];[a][b]psnr=stats_file=-:shortest=1");
    let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(one).arg("-i").arg(other);
    ffmpeg.args(["-lavfi", &filters, "-fps_mode", "passthrough", "-f", "null", "-"]);
    let text = Ran::of(&mut ffmpeg).ok();
    let values = text.lines().filter_map(|line| line.split_once("psnr_y:")?.1.split_whitespace().next());
    values.map(|value| value.parse::<f64>().unwrap().min(SAME)).collect()
}

/// The result shows the source's frames, all at their times from the beginning.
#[track_caller]
fn check_frames(result: &Path, source: &Path, least: f64) {
    let (made, given) = (times(result), times(source));
    let name = source.display();
    assert_eq!(made.len(), given.len(), "{name}: frames");
    let start = given[0];
    for (index, (made, given)) in made.iter().zip(&given).enumerate() {
        assert!((made - (given - start)).abs() < 0.0015, "{name}: frame {index} at {made}, not {}", given - start);
    }
    let own = alike(result, source, 0);
    assert_eq!(own.len(), given.len(), "{name}: compared");
    for (index, psnr) in own.iter().enumerate() {
        assert!(*psnr > least, "{name}: frame {index} has {psnr} dB: {own:?}");
    }
    // and the bar is one that the neighbour would not pass
    let next = alike(result, source, 1);
    let worse = own.iter().zip(&next).filter(|(own, next)| next < own).count();
    assert!(worse * 10 > next.len() * 9, "{name}: {worse} of {} frames are like their own", next.len());
}

#[test]
fn every_frame_is_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let picture = "-f lavfi -i testsrc2=s=640x360:r=24:d=4";
    for (name, words) in [
        // an edit list takes back the delay of B-frames
        ("b.mp4", "-c:v libx264 -bf 3 -g 50"),
        ("ten.ts", "-c:v libx264 -bf 3 -output_ts_offset 10"),
        ("open.mkv", "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=12"),
        ("ntsc.mov", "-vf fps=30000/1001 -c:v libx264 -bf 2"),
        ("vfr.mkv", "-vf select=not(eq(mod(n\\,7)\\,3))*not(between(n\\,40\\,60)) -fps_mode vfr -c:v libx264 -bf 3"),
        ("offset.mkv", "-c:v libx264 -bf 3 -output_ts_offset 2.5"),
        ("mpeg4.avi", "-c:v mpeg4 -q:v 3"),
        ("ps.mpg", "-c:v mpeg2video -bf 2 -b:v 4M"),
    ] {
        let source = made(folder.path(), &format!("{picture} {words} -pix_fmt yuv420p {name}"));
        let (_out, path) =
            encode_to(&source, "out.mp4", &["--profile", "never", "--profiles", &profiles(folder.path())]);
        check_frames(&path, &source, 30.0);
    }
}

/// A profile that copies nothing.
fn profiles(folder: &Path) -> String {
    let path = folder.join("profiles.toml");
    let text = "[never]\nremux = \"never\"\n[never.output]\nh264 = { kind = \"mp4\", short_side = 1080 }\n";
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn real_footage_is_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let words = format!("-ss 20 -t 4 -i {} -map 0:v -c:v copy cut.mp4", clip("trailer_bbb.mp4").display());
    let cut = made(folder.path(), &words);
    for source in [cut, clip("bikes.mp4"), clip("carphone_pristine.mp4"), clip("VID_20191220_170832.mp4")] {
        let (_out, path) =
            encode_to(&source, "out.mp4", &["--profile", "never", "--profiles", &profiles(folder.path())]);
        check_frames(&path, &source, 28.0);
    }
}

#[test]
fn copied_frames_are_in_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let words = "-f lavfi -i testsrc2=s=640x360:r=24:d=4 -pix_fmt yuv420p -c:v libx264 -profile:v high -bf 3";
    for name in ["a.mp4", "a.mkv -output_ts_offset 2.5"] {
        let (name, more) = name.split_once(' ').unwrap_or((name, "-g 24"));
        let source = made(folder.path(), &format!("{words} {more} {name}"));
        let (_out, path) = encode_to(&source, "out.mp4", &[]);
        check_frames(&path, &source, 99.0);
    }
}

#[test]
fn sound_and_picture_begin_together() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -bf 3 -c:a aac"),
        ("a.ts", "-c:v libx264 -bf 3 -c:a mp2 -output_ts_offset 10"),
        ("a.mkv", "-c:v libx264 -bf 3 -c:a libopus -output_ts_offset 2"),
    ] {
        let source = flashes(folder.path(), name, codecs);
        for out in ["b.mp4", "b.flv"] {
            let (_out, path) = encode_to(&source, out, &[]);
            let judged = judged(&path);
            let streams = judged["streams"].as_array().unwrap();
            let starts: Vec<f64> =
                streams.iter().map(|stream| stream["start_time"].as_str().unwrap().parse().unwrap()).collect();
            // FLV has no times before 0: what is decoded before it is shown makes all of it later
            let late = if out == "b.flv" { 0.1 } else { 0.02 };
            assert!(starts.iter().all(|start| (-0.001..=late).contains(start)), "{name} to {out}: {starts:?}");
            assert!((starts[0] - starts[1]).abs() <= 0.04, "{name} to {out}: {starts:?}");
            let (flashes, beeps) = moments(&path);
            assert!(flashes.len() == 6 && beeps.len() == 6, "{name} to {out}: {flashes:?} {beeps:?}");
            let apart = flashes.iter().zip(&beeps).map(|(flash, beep)| (flash - beep).abs()).fold(0.0, f64::max);
            assert!(apart <= 0.04, "{name} to {out}: {flashes:?} {beeps:?}");
        }
    }
}
