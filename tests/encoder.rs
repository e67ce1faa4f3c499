//! Transcoding of real clips, judged by Debian's own ffprobe and ffmpeg.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{self, Ran, program};

/// Seconds that sound may be off before somebody notices.
const SYNC: f64 = 0.040;

/// A clip that `cargo xtask setup` has fetched.
pub(crate) fn clip(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clips").join(name);
    assert!(path.is_file(), "the clip `{name}` is missing: run `cargo xtask setup`");
    path
}

/// A clip that ffmpeg makes of these words, by the name that stands last.
pub(crate) fn made(folder: &Path, words: &str) -> PathBuf {
    let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
    ffmpeg.current_dir(folder).args(["-v", "error", "-nostdin", "-y"]).args(words.split(' '));
    Ran::of(&mut ffmpeg).ok();
    folder.join(words.rsplit(' ').next().unwrap())
}

/// What ffprobe says of a file, decoding all of it.
pub(crate) fn judged(path: &Path) -> Value {
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-show_format", "-show_streams", "-count_frames", "-of", "json"]).arg(path);
    serde_json::from_str(&Ran::of(&mut ffprobe).ok()).unwrap()
}

pub(crate) fn stream<'a>(judged: &'a Value, kind: &str) -> Option<&'a Value> {
    judged["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == kind)
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// Transcodes into a folder with the profile, and returns the folder.
pub(crate) fn encode(input: &Path, more: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = harness::opsctl(["encoder", "encode"]);
    command.arg(input).arg(&out).args(more);
    Ran::of(&mut command).ok();
    (folder, out)
}

/// One file of these outputs.
pub(crate) fn encode_to(input: &Path, name: &str, more: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(name);
    let mut command = harness::opsctl(["encoder", "encode"]);
    command.arg(input).arg(&out).args(more);
    Ran::of(&mut command).ok();
    (folder, out)
}

/// Size, seconds and codecs of a result; 0 seconds are not compared.
#[track_caller]
fn check(path: &Path, size: (u64, u64), seconds: f64, codecs: &str) -> Value {
    let judged = judged(path);
    // FLV has no order of streams
    let codecs: BTreeSet<_> = codecs.split(' ').collect();
    let found = judged["streams"].as_array().unwrap().iter().map(|stream| stream["codec_name"].as_str().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), codecs, "{judged:#}");
    if let Some(video) = stream(&judged, "video") {
        assert_eq!((video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap()), size, "{judged:#}");
    }
    let duration = number(&judged["format"]["duration"]);
    assert!((duration - seconds).abs() < 0.15, "{duration} s instead of {seconds} s: {judged:#}");
    judged
}

#[test]
fn a_telephones_clip_becomes_everything() {
    let (_folder, out) = encode(&clip("VID_20191220_170832.mp4"), &[]);
    let judged = check(&out.join("h264.mp4"), (1280, 720), 1.6, "h264 aac");
    let video = stream(&judged, "video").unwrap();
    let same = [
        ("profile", "High"),
        ("pix_fmt", "yuv420p"),
        ("color_space", "bt709"),
        ("color_range", "tv"),
        ("sample_aspect_ratio", "1:1"),
    ];
    for (name, expected) in same {
        assert_eq!(video[name], expected, "{name}");
    }
    // no frame is lost, none is made up
    assert_eq!(video["nb_read_frames"], frames(&clip("VID_20191220_170832.mp4")));
    check(&out.join("h264-480.mp4"), (854, 480), 1.6, "h264 aac");
    check(&out.join("flv.flv"), (640, 360), 1.6, "flv1 mp3");
    check(&out.join("audio.m4a"), (0, 0), 1.6, "aac");
    for picture in ["poster.jpg", "thumb/1.jpg", "thumb/8.jpg", "storyboard/1.jpg"] {
        assert_eq!(self::judged(&out.join(picture))["streams"][0]["codec_name"], "mjpeg", "{picture}");
    }
    assert!(!out.join("thumb/9.jpg").exists());
}

/// Frames of the picture, as ffprobe counts them.
fn frames(path: &Path) -> Value {
    stream(&judged(path), "video").unwrap()["nb_read_frames"].clone()
}

#[test]
fn the_index_comes_first() {
    let (_folder, path) = encode_to(&clip("movie-hello.avi"), "a.mp4", &[]);
    let bytes = fs::read(path).unwrap();
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(find(b"moov") < find(b"mdat"));
}

#[test]
fn flv_can_be_sought_in() {
    let (_folder, path) = encode_to(&clip("vtest.avi"), "a.flv", &["--profile", "web"]);
    let bytes = fs::read(&path).unwrap();
    let head = &bytes[..bytes.len().min(20_000)];
    for name in ["keyframes", "filepositions", "times", "canSeekToEnd"] {
        assert!(head.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
    }
    // each place that the index names is the tag of a key frame: FLV version 10, annex E
    let at = head.windows(13).position(|window| window == b"filepositions").unwrap() + 13;
    let count = u32::from_be_bytes(head[at + 1..at + 5].try_into().unwrap()) as usize;
    assert!(count > 10, "{count} key frames");
    let number =
        |at: usize, index: usize| f64::from_be_bytes(head[at + 6 + index * 9..at + 14 + index * 9].try_into().unwrap());
    let times = head.windows(6).position(|window| window == b"times\n").unwrap() + 5;
    for index in 0..count {
        let place = number(at, index) as usize;
        assert!(bytes[place] == 9 && bytes[place + 11] >> 4 == 1, "key frame {index} at {place}");
        let [a, b, c, high] = bytes[place + 4..place + 8].try_into().unwrap();
        let time = f64::from(u32::from_be_bytes([high, a, b, c])) / 1000.0;
        assert!((number(times, index) - time).abs() < 1e-9, "key frame {index} at {time} s");
    }
    // a player that goes by it agrees
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    let said = Ran::of(ffprobe.args(["-v", "warning", "-show_format"]).arg(&path));
    assert_eq!(said.stderr, "");
}

#[test]
fn adaptive_streams_are_valid_and_whole() {
    let (_folder, out) = encode(&clip("bigbuckbunny.mp4"), &[]);
    let master = fs::read_to_string(out.join("hls/master.m3u8")).unwrap();
    assert_eq!(master.matches("#EXT-X-STREAM-INF:").count(), 2, "{master}");
    assert!(master.contains("RESOLUTION=1280x720") && master.contains("CODECS=\"avc1.64001F,mp4a.40.2\""), "{master}");
    let mut starts = Vec::new();
    for name in ["h264", "h264-480"] {
        let path = out.join("hls").join(name).join("playlist.m3u8");
        let text = fs::read_to_string(&path).unwrap();
        for line in ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-MAP:"] {
            assert!(text.contains(line), "{text}");
        }
        let durations = text.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.split(',').next()?.parse().ok());
        let durations: Vec<f64> = durations.collect();
        let whole: f64 = durations.iter().sum();
        assert!((whole - 5.31).abs() < 0.1, "{whole}: {text}");
        // a second decoder finds all frames through the playlist
        assert_eq!(frames(&path), frames(&out.join(format!("{name}.mp4"))));
        starts.push(durations);
    }
    // renditions are cut at the same moments, or players could not change over
    assert_eq!(starts[0], starts[1]);
}

#[test]
fn thumbnails_are_different_moments() {
    let (_folder, out) = encode(&clip("bigbuckbunny.mp4"), &[]);
    let thumbs: Vec<_> = (1..=8).map(|at| fs::read(out.join(format!("thumb/{at}.jpg"))).unwrap()).collect();
    assert!(thumbs.windows(2).all(|pair| pair[0] != pair[1]));
    let text = fs::read_to_string(out.join("storyboard/storyboard.vtt")).unwrap();
    assert!(text.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n1.jpg#xywh=0,0,160,90\n"), "{text}");
}

#[test]
fn what_fits_is_copied_bit_by_bit() {
    let (_folder, path) = encode_to(&clip("bikes.mp4"), "a.mp4", &[]);
    let hash = |path: &Path| {
        let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
        ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-map", "0:v", "-f", "md5", "-"]);
        Ran::of(&mut ffmpeg).ok()
    };
    assert_eq!(hash(&path), hash(&clip("bikes.mp4")));
    check(&path, (640, 272), 10.0, "h264");
}

#[test]
fn old_and_broken_files_play_again() {
    for (name, size, seconds, codecs) in [
        ("movie-hello.avi", (1024, 576), 8.3, "h264 aac"),
        ("movie-hello.mpeg", (640, 480), 8.3, "h264 aac"),
        ("movie-hello.ogg", (720, 480), 8.26, "h264 aac"),
        ("Megamind.avi", (720, 528), 11.26, "h264 aac"),
        ("tree.avi", (320, 240), 29.5, "h264"),
        ("box.mp4", (640, 480), 15.2, "h264 aac"),
    ] {
        let (_folder, path) = encode_to(&clip(name), "a.mp4", &[]);
        check(&path, size, seconds, codecs);
    }
}

/// A picture that flashes and a sound that beeps together, once a second.
pub(crate) fn flashes(folder: &Path, name: &str, codecs: &str) -> PathBuf {
    let words = format!(
        "-f lavfi -i color=black:s=320x240:r=25:d=6,geq=lum='if(lt(mod(T\\,1)\\,0.04)\\,235\\,16)':cb=128:cr=128 \
         -f lavfi -i aevalsrc='if(lt(mod(t\\,1)\\,0.04)\\,sin(2*PI*1000*t)\\,0)':s=48000:d=6 {codecs} {name}"
    );
    made(folder, &words.replace('\'', ""))
}

/// When it flashes and when it beeps, in seconds.
pub(crate) fn moments(path: &Path) -> (Vec<f64>, Vec<f64>) {
    let seen = |filter: &str, kind: &str| {
        let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
        ffmpeg.args(["-v", "error", "-copyts", "-i"]).arg(path).args([kind, filter, "-f", "null", "-"]);
        Ran::of(&mut ffmpeg).ok()
    };
    // a line with the time before each line with a value
    let times = |text: &str, key: &str, bright: &dyn Fn(f64) -> bool| {
        let (mut time, mut found, mut before) = (0.0, Vec::new(), false);
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("pts_time:") {
                time = rest.split_whitespace().next().unwrap().parse().unwrap();
            } else if let Some(value) = line.strip_prefix(key) {
                let now = bright(value.trim_start_matches('=').parse().unwrap_or(-1000.0));
                if now && !before {
                    found.push(time);
                }
                before = now;
            }
        }
        found
    };
    let video = seen("signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-vf");
    let audio = "asetnsamples=240,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-";
    let audio = seen(audio, "-af");
    (
        times(&video, "lavfi.signalstats.YAVG", &|value| value > 120.0),
        times(&audio, "lavfi.astats.Overall.RMS_level", &|value| value > -30.0),
    )
}

/// Flash and beep come together, `count` times.
#[track_caller]
pub(crate) fn check_sync(path: &Path, count: usize) {
    let (flashes, beeps) = moments(path);
    assert!(flashes.len() >= count && beeps.len() >= count, "{flashes:?} {beeps:?}");
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((flash - beep).abs() <= SYNC, "{}: {flashes:?} {beeps:?}", path.display());
    }
}

#[test]
fn sound_stays_with_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -bf 2 -c:a aac"),
        ("a.mkv", "-c:v libx264 -c:a libopus"),
        ("a.ts", "-c:v libx264 -c:a mp2 -output_ts_offset 10"),
        ("a.mpg", "-c:v mpeg2video -c:a mp2"),
        ("a.avi", "-c:v mpeg4 -c:a libmp3lame"),
    ] {
        let source = flashes(folder.path(), name, codecs);
        let (_out, path) = encode_to(&source, "b.mp4", &[]);
        check_sync(&path, 5);
        let (_out, path) = encode_to(&source, "b.flv", &["--profile", "web"]);
        check_sync(&path, 5);
        let start = number(&judged(&path)["format"]["start_time"]);
        assert!(start.abs() < 0.1, "{name} begins at {start}");
    }
}

#[test]
fn late_sound_stays_late() {
    let folder = tempfile::tempdir().unwrap();
    let source = flashes(folder.path(), "a.mp4", "-c:v libx264 -c:a aac");
    let shifted = "-itsoffset 0.5 -i a.mp4 -i a.mp4 -map 1:v -map 0:a -c copy late.mkv";
    let late = made(folder.path(), shifted);
    let (_out, path) = encode_to(&late, "b.mp4", &[]);
    let (flashes, beeps) = moments(&path);
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((beep - flash - 0.5).abs() <= SYNC, "{flashes:?} {beeps:?}");
    }
    drop(source);
}

#[test]
fn pictures_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), "-f lavfi -i testsrc2=s=640x360:d=1 -c:v libx264 -pix_fmt yuv420p a.mp4");
    for (turn, size) in [(90, (360, 640)), (180, (640, 360)), (270, (360, 640))] {
        let name = format!("r{turn}.mp4");
        let source = made(folder.path(), &format!("-i a.mp4 -c copy -metadata:s:v rotate={turn} {name}"));
        let (_out, path) = encode_to(&source, "b.mp4", &[]);
        let judged = check(&path, size, 1.0, "h264");
        assert!(stream(&judged, "video").unwrap().get("side_data_list").is_none(), "{judged:#}");
        // the same picture as ffmpeg's own turning makes
        assert!(similarity(&path, &source) > 0.95, "{turn}");
    }
}

/// How alike two videos look, 1 being the same: SSIM of all frames.
pub(crate) fn similarity(one: &Path, other: &Path) -> f64 {
    let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
    ffmpeg.args(["-nostdin", "-i"]).arg(one).arg("-i").arg(other);
    ffmpeg.args(["-lavfi", "[0:v]setpts=PTS-STARTPTS[a];[1:v]setpts=PTS-STARTPTS[b];[a][b]ssim", "-f", "null", "-"]);
    let ran = Ran::of(&mut ffmpeg);
    let said = format!("{ran:?}");
    let all = said.rsplit("All:").next().and_then(|rest| rest.split_whitespace().next());
    all.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no SSIM: {said}"))
}

#[test]
fn shapes_are_made_playable() {
    let folder = tempfile::tempdir().unwrap();
    for (name, words, size) in [
        ("portrait", "-f lavfi -i testsrc2=s=1440x2560:d=0.4 -c:v libx264 -preset ultrafast", (1080, 1920)),
        ("anamorphic", "-f lavfi -i testsrc2=s=640x360:d=0.4 -vf setsar=2/1 -c:v libx264", (1280, 360)),
        ("odd", "-f lavfi -i testsrc2=s=161x121:d=0.4 -c:v libvpx-vp9 -b:v 500k", (160, 120)),
        ("tiny", "-f lavfi -i testsrc2=s=64x64:d=0.4 -vf format=rgb24,crop=1:2 -c:v ffv1", (2, 2)),
        ("rgb", "-f lavfi -i testsrc2=s=320x240:d=0.4 -c:v png", (320, 240)),
        ("deep", "-f lavfi -i testsrc2=s=320x240:d=0.4 -pix_fmt yuv422p10le -c:v prores_ks", (320, 240)),
    ] {
        let source = made(folder.path(), &format!("{words} {name}.mkv"));
        let (_out, path) = encode_to(&source, "b.mp4", &[]);
        let judged = check(&path, size, 0.4, "h264");
        assert_eq!(stream(&judged, "video").unwrap()["pix_fmt"], "yuv420p", "{name}");
    }
}

#[test]
fn high_dynamic_range_becomes_ordinary() {
    let folder = tempfile::tempdir().unwrap();
    let tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc";
    let words = format!(
        "-f lavfi -i testsrc2=s=320x180:d=0.2 -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=error {tags} a.mkv"
    );
    let source = made(folder.path(), &words);
    let (_out, path) = encode_to(&source, "b.mp4", &[]);
    let judged = check(&path, (320, 180), 0.2, "h264");
    let video = stream(&judged, "video").unwrap();
    for name in ["color_space", "color_transfer", "color_primaries"] {
        assert_eq!(video[name], "bt709", "{judged:#}");
    }
}

#[test]
fn interlaced_frames_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let words = "-f lavfi -i testsrc2=s=720x576:r=50:d=1 -vf interlace -flags +ilme+ildct -c:v mpeg2video -b:v 5M a.ts";
    let (_out, path) = encode_to(&made(folder.path(), words), "b.mp4", &[]);
    let judged = check(&path, (720, 576), 1.0, "h264");
    assert_eq!(stream(&judged, "video").unwrap()["field_order"], "progressive");
}

#[test]
fn a_picture_may_change_its_size_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), "-f lavfi -i testsrc2=s=640x360:d=1 -c:v libx264 a.ts");
    made(folder.path(), "-f lavfi -i testsrc2=s=320x240:d=1 -c:v libx264 -output_ts_offset 2 b.ts");
    let joined =
        [fs::read(folder.path().join("a.ts")).unwrap(), fs::read(folder.path().join("b.ts")).unwrap()].concat();
    let source = folder.path().join("c.ts");
    fs::write(&source, joined).unwrap();
    let out = folder.path().join("c.mp4");
    let mut command = harness::opsctl(["encoder", "encode"]);
    let ran = Ran::of(command.arg(&source).arg(&out));
    assert!(format!("{ran:?}").contains("changes its size"), "{ran:?}");
    let judged = check(&out, (640, 360), 3.0, "h264");
    assert_eq!(stream(&judged, "video").unwrap()["nb_read_frames"], "50");
}

#[test]
fn absurd_rates_are_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let words = "-f lavfi -i testsrc2=s=320x240:r=240:d=1 -c:v libx264 -preset ultrafast a.mkv";
    let (_out, path) = encode_to(&made(folder.path(), words), "b.mp4", &[]);
    let judged = check(&path, (320, 240), 1.0, "h264");
    let frames = number(&stream(&judged, "video").unwrap()["nb_read_frames"]);
    assert!((59.0..=61.0).contains(&frames), "{frames}");
}

#[test]
fn recordings_without_a_length_have_their_thumbnails() {
    let folder = tempfile::tempdir().unwrap();
    // as browsers record: no duration, no index
    let words = "-f lavfi -i testsrc2=s=320x240:d=4 -c:v libvpx -f webm -live 1 a.webm";
    let source = made(folder.path(), words);
    let (_out, out) = encode(&source, &[]);
    check(&out.join("h264.mp4"), (320, 240), 4.0, "h264");
    let thumbs: Vec<_> = (1..=8).map(|at| fs::read(out.join(format!("thumb/{at}.jpg"))).unwrap()).collect();
    assert!(thumbs.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn sound_and_picture_may_be_alone() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), "-f lavfi -i testsrc2=s=320x240:d=0.1 -frames:v 1 cover.png");
    made(folder.path(), "-f lavfi -i sine=d=2 -c:a libmp3lame plain.mp3");
    let cover = "-i plain.mp3 -i cover.png -map 0 -map 1 -c copy -disposition:v attached_pic cover.mp3";
    let source = made(folder.path(), cover);
    let (_out, out) = encode(&source, &[]);
    check(&out.join("audio.m4a"), (0, 0), 2.0, "aac");
    check(&out.join("h264.mp4"), (0, 0), 2.0, "aac");
    assert!(!out.join("thumb").exists() && !out.join("poster.jpg").exists());
    let (_out, out) = encode(&clip("tree.avi"), &[]);
    assert!(out.join("flv.flv").exists() && !out.join("audio.m4a").exists());
}

#[test]
fn todays_codecs_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("av1.mp4", "-c:v libaom-av1 -cpu-used 8 -c:a libopus"),
        ("hevc.mp4", "-c:v libx265 -x265-params log-level=error -c:a aac"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -c:a libopus"),
        ("vp8.webm", "-c:v libvpx -c:a libvorbis"),
        ("wmv.asf", "-c:v wmv2 -c:a wmav2"),
        ("h263.3gp", "-s 176x144 -c:v h263 -ar 8000 -ac 1 -c:a aac"),
        ("motion.mov", "-c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le"),
    ] {
        let inputs = "-f lavfi -i testsrc2=s=352x288:d=0.6 -f lavfi -i sine=d=0.6";
        let source = made(folder.path(), &format!("{inputs} {words} {name}"));
        let (_out, path) = encode_to(&source, "b.mp4", &[]);
        let judged = judged(&path);
        assert_eq!(judged["streams"].as_array().unwrap().len(), 2, "{name}: {judged:#}");
        let frames = number(&stream(&judged, "video").unwrap()["nb_read_frames"]);
        assert!((14.0..=16.0).contains(&frames), "{name}: {frames} frames");
    }
}

#[test]
fn copied_streams_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    let source = flashes(folder.path(), "a.mp4", "-c:v libx264 -profile:v high -pix_fmt yuv420p -bf 2 -c:a aac");
    let (_out, path) = encode_to(&source, "b.mp4", &[]);
    check_sync(&path, 5);
    let (_out, out) = encode(&source, &["--profile", "plain"]);
    check_sync(&out.join("flv.flv"), 5);
}

#[test]
fn facts_are_for_programs_too() {
    let text = harness::run(["encoder", "probe", "--json", clip("bigbuckbunny.mp4").to_str().unwrap()]).ok();
    let facts: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(facts["video"]["shown"]["width"], 1280);
    assert_eq!(facts["audio"]["channels"], 6);
    let text = harness::run(["encoder", "probe", clip("bigbuckbunny.mp4").to_str().unwrap()]).ok();
    assert!(text.contains("h264 Main, 1280x720") && text.contains("6 channels"), "{text}");
}

#[test]
fn events_are_lines_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.mp4");
    let mut command = harness::opsctl(["encoder", "encode", "--json"]);
    let text = Ran::of(command.arg(clip("vtest.avi")).arg(out)).ok();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[1], names[names.len() - 1]), ("isolation", "facts", "done"));
    let percents: Vec<_> = events.iter().filter_map(|event| event["percent"].as_f64()).collect();
    assert!(!percents.is_empty() && percents.is_sorted() && percents.iter().all(|part| (0.0..=100.0).contains(part)));
}
