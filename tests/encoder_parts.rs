//! Long videos that are cut, encoded in parts and joined: what comes out has the frames and times of an encode of the
//! whole, and looks as good where the parts meet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::encoder::{check_sync, clip, encode, judged, made, stream};
use crate::encoder_frames::{alike, times};
use crate::harness::{self, Ran, program};

/// Key frames are wanted each 2 s, and parts are to have 8 s.
const PROFILES: &str = "[parts]\nremux = \"never\"\nkeyframes = 2\n[parts.output]\n\
                        h264 = { kind = \"mp4\", short_side = 360 }\nsmall = { kind = \"mp4\", short_side = 120 }\n\
                        old = { kind = \"flv\", codec = \"flv1\", short_side = 120, bit_rate = 300000 }\n\
                        new = { kind = \"flv\", codec = \"h264\", short_side = 360, bit_rate = 2000000 }\n\
                        hls = { kind = \"hls\", segment = 2 }\nthumb = { kind = \"thumbs\", count = 4, short_side = 90 }\n";

/// The same video encoded as a whole and in parts.
fn both(source: &Path) -> [(TempDir, PathBuf); 2] {
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles.toml");
    fs::write(&profiles, PROFILES).unwrap();
    let named = ["--profile", "parts", "--profiles", profiles.to_str().unwrap()];
    [encode(source, &named), encode(source, &[&named[..], &["--parts", "8"]].concat())]
}

/// How many encoders worked on a file: x264 says its name in the first frame that it makes.
fn encoders(path: &Path) -> usize {
    fs::read(path).unwrap().windows(11).filter(|window| window == b"x264 - core").count()
}

/// When the key frames are seen.
fn keys(path: &Path) -> Vec<String> {
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,flags", "-of", "csv=p=0"]);
    let text = Ran::of(ffprobe.arg(path)).ok();
    text.lines().filter(|line| line.contains('K')).map(str::to_owned).collect()
}

/// All packets of a file: when they are shown and decoded, in the file's own unit.
fn packets(path: &Path) -> Vec<String> {
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-show_entries", "packet=stream_index,pts,dts", "-of", "csv=p=0"]);
    let mut lines: Vec<_> = Ran::of(ffprobe.arg(path)).ok().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Splits `source`, which `parts` workers are to share, and compares.
#[track_caller]
fn check(source: &Path, parts: usize) -> (TempDir, PathBuf) {
    let name = source.display();
    let [(_whole, whole), (folder, split)] = both(source);
    assert_eq!((encoders(&whole.join("h264.mp4")), encoders(&split.join("h264.mp4"))), (1, parts), "{name}");
    for file in ["h264.mp4", "small.mp4", "old.flv", "new.flv"] {
        let (one, other) = (whole.join(file), split.join(file));
        // which of two frames stands first is the encoder's choice, and so is when it is decoded; FLV counts milliseconds
        let (one_times, other_times) = (times(&one), times(&other));
        assert_eq!(one_times.len(), other_times.len(), "{name}: frames of {file}");
        assert_eq!(one_times, other_times, "{name}: {file}");
        let [one_size, other_size] = [&one, &other].map(|path| fs::metadata(path).unwrap().len() as f64);
        // FLV1's rate control begins anew with each part, and parts are minutes elsewhere
        assert!(
            other_size < one_size * 1.1 || file == "old.flv",
            "{name}: {file} has {other_size} bytes instead of {one_size}"
        );
    }
    assert_eq!(keys(&whole.join("h264.mp4")), keys(&split.join("h264.mp4")), "{name}");
    let sound = |folder: &Path| packets(&folder.join("h264.mp4")).into_iter().filter(|line| line.starts_with('1'));
    assert!(sound(&whole).eq(sound(&split)), "{name}: sound");
    let playlist = |folder: &Path| fs::read_to_string(folder.join("hls/h264/playlist.m3u8")).unwrap();
    assert_eq!(playlist(&whole), playlist(&split), "{name}");
    // frame by frame as near to the source as the whole is, where parts meet as elsewhere
    let [one, other] = [&whole, &split].map(|folder| alike(&folder.join("h264.mp4"), source, 0));
    for (index, (one, other)) in one.iter().zip(&other).enumerate() {
        assert!(*other > one.min(42.0) - 4.0, "{name}: frame {index} has {other} dB instead of {one}");
    }
    assert!(split.join("thumb/4.jpg").exists() && !split.join("part-0000").exists());
    (folder, split)
}

#[test]
fn parts_are_joined_to_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = "-f lavfi -i testsrc2=s=320x180:r=24:d=24 -f lavfi -i sine=d=24";
    for (name, words) in [
        ("open.mp4", "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=24:scenecut=0 -c:a aac"),
        ("refresh.mkv", "-c:v libx264 -x264-params intra-refresh=1:keyint=24 -c:a aac"),
        ("ten.ts", "-c:v libx264 -bf 3 -g 30 -output_ts_offset 10 -c:a mp2"),
        (
            "late.mkv",
            "-vf select=not(eq(mod(n\\,7)\\,3))*not(between(n\\,180\\,200)) -fps_mode vfr -c:v libx264 -g 40 -output_ts_offset 2.5 -c:a libopus",
        ),
        ("fields.ts", "-vf interlace -c:v mpeg2video -flags +ilme+ildct -b:v 4M -g 12 -bf 2 -c:a mp2"),
    ] {
        let source = made(folder.path(), &format!("{inputs} {words} -pix_fmt yuv420p {name}"));
        check(&source, 3);
    }
}

#[test]
fn sound_stays_with_parts() {
    let folder = tempfile::tempdir().unwrap();
    let words = "-f lavfi -i color=black:s=160x120:r=25:d=24,geq=lum=if(lt(mod(T\\,1)\\,0.04)\\,235\\,16):cb=128:cr=128 \
                 -f lavfi -i aevalsrc=if(lt(mod(t\\,1)\\,0.04)\\,sin(2*PI*1000*t)\\,0):s=48000:d=24 \
                 -c:v libx264 -g 25 -c:a aac -output_ts_offset 3 a.mkv";
    let [_, (_folder, split)] = both(&made(folder.path(), words));
    for file in ["h264.mp4", "new.flv", "old.flv", "hls/h264/playlist.m3u8"] {
        check_sync(&split.join(file), 23);
    }
    // the sound stands beside its picture in the file, or players would have to jump about
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-show_entries", "packet=dts_time,pos", "-of", "csv=p=0"]);
    let mut packets: Vec<(u64, f64)> = Ran::of(ffprobe.arg(split.join("h264.mp4")))
        .ok()
        .lines()
        .filter_map(|line| {
            let (time, place) = line.split_once(',')?;
            Some((place.trim_end_matches(',').parse().ok()?, time.parse().ok()?))
        })
        .collect();
    packets.sort_by_key(|(place, _)| *place);
    let apart = packets.windows(2).map(|pair| (pair[0].1 - pair[1].1).abs()).fold(0.0, f64::max);
    assert!(packets.len() > 1000 && apart < 3.0, "{} packets, {apart} s apart", packets.len());
}

#[test]
fn what_cannot_be_cut_is_encoded_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        // one key frame only; and times that only the order of the packets tells
        "-c:v libx264 -g 9999 -sc_threshold 0 -bf 0 one.mp4",
        "-c:v mpeg4 -bf 2 -g 25 none.avi",
    ] {
        let source = made(folder.path(), &format!("-f lavfi -i testsrc2=s=160x120:r=10:d=24 -pix_fmt yuv420p {words}"));
        let (_folder, out) = encode(&source, &["--profile", "plain", "--parts", "8"]);
        let path = out.join("h264.mp4");
        assert!(encoders(&path) <= 1, "{words}");
        assert_eq!(stream(&judged(&path), "video").unwrap()["nb_read_frames"], "240", "{words}");
    }
}

#[test]
fn what_is_refused_is_refused_before_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("a.mp4"), folder.path().join("out.mp4"));
    fs::write(&source, "no video").unwrap();
    let mut command = harness::opsctl(["encoder", "encode", "--parts", "8"]);
    let said = Ran::of(command.arg(&source).arg(&out)).fails(1);
    assert!(said.contains("no video or audio file"), "{said}");
    // a short one is whole
    let (_folder, out) = encode(&clip("bikes.mp4"), &["--profile", "plain", "--parts", "60"]);
    assert!(out.join("h264.mp4").exists());
}
