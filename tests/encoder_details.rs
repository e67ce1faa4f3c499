//! Details that transcoders get wrong: the last samples, turned and mirrored pictures, brightness, rates that players
//! refuse, playlists that do not hold what they promise, files that end before their time.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::encoder::{clip, encode, encode_to, judged, made, similarity, stream};
use crate::harness::{self, Ran, program};

/// What ffmpeg says of one frame: the average of a plane's numbers.
fn average(path: &Path, plane: &str) -> f64 {
    let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
    let filter = format!("signalstats,metadata=print:key=lavfi.signalstats.{plane}AVG:file=-");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-vf", &filter, "-frames:v", "1", "-f", "null", "-"]);
    let text = Ran::of(&mut ffmpeg).ok();
    text.rsplit('=').next().unwrap().trim().parse().unwrap()
}

/// Samples of the sound, a channel.
fn samples(path: &Path) -> usize {
    let mut ffmpeg = Command::new(program("ffmpeg", "ffmpeg"));
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-map", "0:a", "-ac", "1", "-f", "u8", "-"]);
    ffmpeg.output().unwrap().stdout.len()
}

#[test]
fn the_last_of_the_sound_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // no multiple of any encoder's frame
    let source = made(folder.path(), "-f lavfi -i sine=r=44100:d=2.345 -c:a pcm_s16le a.wav");
    let given = samples(&source);
    let (_out, path) = encode_to(&source, "b.m4a", &[]);
    assert!((given..given + 2048).contains(&samples(&path)), "{given} samples became {}", samples(&path));
    let (_out, path) = encode_to(&source, "b.flv", &[]);
    assert!((given..given + 4096).contains(&samples(&path)), "{given} samples became {}", samples(&path));
}

#[test]
fn flv_has_the_rates_that_its_header_can_say() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rate, video) in [
        ("dvd.mkv", 48_000, "-c:v libx264"),
        ("telephone.mkv", 8000, "-c:v libx264"),
        // each time is a whole number of milliseconds: libav takes it for 1000 frames a second
        ("browser.webm", 48_000, "-c:v libvpx -deadline realtime"),
        ("vfr.mkv", 48_000, "-vf select=not(eq(mod(n\\,5)\\,3)) -fps_mode vfr -c:v libx264"),
        ("fast.mkv", 48_000, "-vf fps=240 -c:v libx264 -preset ultrafast"),
    ] {
        let inputs = "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -f lavfi -i sine=d=2";
        let source = made(
            folder.path(),
            &format!("{inputs} {video} -ar {rate} -c:a libopus {name}")
                .replace("-ar 8000 -c:a libopus", "-ar 8000 -c:a pcm_s16le"),
        );
        let (_out, out) = encode(&source, &[]);
        let judged = judged(&out.join("flv.flv"));
        let (video, audio) = (stream(&judged, "video").unwrap(), stream(&judged, "audio").unwrap());
        assert_eq!((&video["codec_name"], &audio["codec_name"]), (&"flv1".into(), &"mp3".into()), "{name}");
        assert_eq!(audio["sample_rate"], "44100", "{name}");
        let frames: u64 = video["nb_read_frames"].as_str().unwrap().parse().unwrap();
        let rate = if name == "fast.mkv" { 60 } else { 25 };
        // the encoder knows only a fixed rate: what is missing is seen twice
        let least = if name == "vfr.mkv" { 2 * 20 - 2 } else { 2 * rate - 1 };
        assert!((least..=2 * rate + 1).contains(&frames), "{name}: {frames} frames");
        let bits: f64 = judged["format"]["bit_rate"].as_str().unwrap().parse().unwrap();
        assert!(bits < 1_600_000.0, "{name}: {bits} bits a second");
    }
}

/// Where the nine numbers of the first track's matrix are: ISO/IEC 14496-12 section 8.3.2, version 0.
fn matrix(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|window| window == b"tkhd").unwrap() + 4 + 40
}

#[test]
fn pictures_are_turned_and_mirrored() {
    let folder = tempfile::tempdir().unwrap();
    let plain = made(folder.path(), "-f lavfi -i testsrc2=s=320x180:d=0.4 -c:v libx264 -pix_fmt yuv420p -crf 10 a.mp4");
    let bytes = fs::read(plain).unwrap();
    let at = matrix(&bytes);
    for [a, b, c, d] in
        [[0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0], [-1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, -1, -1, 0]]
    {
        let mut turned = bytes.clone();
        for (index, number) in [(0, a), (1, b), (3, c), (4, d)] {
            let place = at + index * 4;
            turned[place..place + 4].copy_from_slice(&(number * 65536_i32).to_be_bytes());
        }
        let source = folder.path().join("turned.mp4");
        fs::write(&source, turned).unwrap();
        let (_out, path) = encode_to(&source, "b.mp4", &[]);
        // ffmpeg turns what it reads as well
        let alike = similarity(&path, &source);
        assert!(alike > 0.95, "{a} {b} {c} {d}: {alike}");
    }
}

#[test]
fn high_dynamic_range_is_not_washed_out() {
    let folder = tempfile::tempdir().unwrap();
    // white of 100 cd/m2, as PQ and HLG say it
    for (name, transfer, white) in [("pq", "smpte2084", 509), ("hlg", "arib-std-b67", 721)] {
        let words = format!(
            "-f lavfi -i color=black:s=320x180:d=0.2,format=yuv420p10le,geq=lum={white}:cb=512:cr=512 -c:v libx265 \
             -x265-params log-level=error -color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc {name}.mkv"
        );
        let (_out, path) = encode_to(&made(folder.path(), &words), "b.mp4", &[]);
        let [y, u, v] = ["Y", "U", "V"].map(|plane| average(&path, plane));
        assert!((150.0..=236.0).contains(&y), "{name}: brightness {y}");
        assert!((u - 128.0).abs() < 3.0 && (v - 128.0).abs() < 3.0, "{name}: colour {u} {v}");
    }
}

#[test]
fn jpeg_pictures_have_their_full_range() {
    let folder = tempfile::tempdir().unwrap();
    for (colour, expected) in [("white", 255.0), ("black", 0.0)] {
        let words = format!("-f lavfi -i color={colour}:s=320x180:d=1 -c:v libx264 -pix_fmt yuv420p {colour}.mp4");
        let (_out, path) = encode_to(&made(folder.path(), &words), "b.jpg", &[]);
        let judged = judged(&path);
        assert_eq!(judged["streams"][0]["color_range"], "pc", "{judged:#}");
        let y = average(&path, "Y");
        assert!((y - expected).abs() < 3.0, "{colour}: {y}");
    }
}

/// The warnings of an encode that has a result.
fn warnings(source: &Path, out: &Path) -> String {
    let mut command = harness::opsctl(["encoder", "encode"]);
    let ran = Ran::of(command.arg(source).arg(out));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stderr
}

#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mp4");
    let inputs =
        "-f lavfi -i testsrc2=s=320x240:d=20 -f lavfi -i sine=d=20 -c:v libx264 -preset ultrafast -g 25 -c:a aac";
    for words in ["-movflags +faststart a.mp4", "a.mkv", "a.flv"] {
        let source = made(folder.path(), &format!("{inputs} {words}"));
        let whole = fs::read(&source).unwrap();
        fs::write(&source, &whole[..whole.len() / 2]).unwrap();
        for profile in ["plain", "web"] {
            let mut command = harness::opsctl(["encoder", "encode", "--profile", profile]);
            let ran = Ran::of(command.arg(&source).arg(&out));
            assert_eq!(ran.code, Some(0), "{words}: {ran:?}");
            assert!(ran.stderr.contains("the upload ends after"), "{words}: {ran:?}");
            let seconds: f64 = judged(&out)["format"]["duration"].as_str().unwrap().parse().unwrap();
            assert!((5.0..15.0).contains(&seconds), "{words}: {seconds} s");
        }
    }
    let said = warnings(&clip("movie-hello.ogg"), &out);
    assert!(said.contains("audio packets are damaged"), "{said}");
}

/// A playlist's lines of this name.
fn values<'a>(playlist: &'a str, name: &str) -> Vec<&'a str> {
    playlist.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect()
}

/// When a stream's packets are to be seen, in seconds, in order.
fn packets(path: &Path, stream: &str) -> Vec<f64> {
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-select_streams", stream, "-show_packets", "-of", "json"]).arg(path);
    let json: Value = serde_json::from_str(&Ran::of(&mut ffprobe).ok()).unwrap();
    let number = |value: &Value| value.as_str().unwrap_or("0").parse::<f64>().unwrap();
    let packets = json["packets"].as_array().unwrap().iter();
    let mut times: Vec<_> = packets.map(|packet| number(&packet["pts_time"])).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// A media playlist as RFC 8216 wants it, and its segments as the playlist says.
#[track_caller]
fn check_playlist(place: &Path, whole: &Path) {
    let text = fs::read_to_string(place.join("playlist.m3u8")).unwrap();
    assert!(text.starts_with("#EXTM3U\n") && text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    let [target] = values(&text, "#EXT-X-TARGETDURATION")[..] else { panic!("{text}") };
    let target: f64 = target.parse::<u32>().unwrap().into();
    let lengths: Vec<f64> =
        values(&text, "#EXTINF").iter().map(|value| value.trim_end_matches(',').parse().unwrap()).collect();
    let names: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(names.len() == lengths.len() && !names.is_empty(), "{text}");
    // section 4.3.3.1: rounded, none is longer
    assert!(lengths.iter().all(|length| length.round() <= target), "{text}");
    let init = fs::read(place.join("init.mp4")).unwrap();
    // fragments have no times before 0: what is decoded before it is shown makes all of it later, and alike
    let first = packets(&place.join("playlist.m3u8"), "v")[0];
    let late = first - packets(whole, "v")[0];
    assert!((0.0..0.2).contains(&late), "{late}: {text}");
    let mut at = first;
    for (name, length) in names.iter().zip(&lengths) {
        // alone, with the header: what a player that jumps there has
        let alone = place.join("alone.mp4");
        fs::write(&alone, [init.as_slice(), &fs::read(place.join(name)).unwrap()].concat()).unwrap();
        let packets = packets(&alone, "v");
        let first = packets[0];
        assert!((first - at).abs() < 0.002, "{name} begins at {first}, not {at}: {text}");
        let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
        ffprobe.args(["-v", "error", "-select_streams", "v", "-show_entries", "packet=flags", "-of", "csv=p=0"]);
        let flags = Ran::of(ffprobe.arg(&alone)).ok();
        assert!(flags.starts_with('K'), "{name} begins without a key frame: {text}");
        at += length;
        let last = *packets.last().unwrap();
        assert!(first < at && last < at, "{name} ends with {last}, not before {at}: {text}");
        fs::remove_file(alone).unwrap();
    }
    // and all of them together are the file that they were made of
    for stream in ["v", "a"] {
        let (cut, whole) = (packets(&place.join("playlist.m3u8"), stream), packets(whole, stream));
        assert_eq!(cut.len(), whole.len(), "{stream}: {text}");
        for (cut, whole) in cut.iter().zip(&whole) {
            assert!((cut - late - whole).abs() < 0.002, "{stream}: {cut:?} {whole:?}");
        }
    }
}

#[test]
fn segments_are_what_the_playlist_says() {
    let folder = tempfile::tempdir().unwrap();
    let sound = "-f lavfi -i sine=d=13";
    for (name, words) in [
        // copied: key frames are where the upload has them, and segments as long as these are apart
        ("sparse.mp4", "-c:v libx264 -preset ultrafast -bf 2 -g 175 -sc_threshold 0"),
        ("copied.mkv", "-c:v libx264 -preset veryfast -bf 3 -g 50"),
        (
            "vfr.mkv",
            "-vf select=not(between(n\\,40\\,90))*not(eq(mod(n\\,7)\\,3)) -fps_mode vfr -c:v libx265 -x265-params log-level=error",
        ),
        ("ten.ts", "-c:v mpeg2video -bf 2 -b:v 3M -output_ts_offset 10"),
    ] {
        let picture = "-f lavfi -i testsrc2=s=320x240:r=25:d=13";
        let source = made(folder.path(), &format!("{picture} {sound} {words} -pix_fmt yuv420p -c:a mp2 {name}"));
        let (_out, out) = encode(&source, &[]);
        let master = fs::read_to_string(out.join("hls/master.m3u8")).unwrap();
        let variants: Vec<_> = master.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(master.starts_with("#EXTM3U\n") && variants.len() == values(&master, "#EXT-X-STREAM-INF").len());
        for variant in variants {
            let place = out.join("hls").join(variant);
            let place = place.parent().unwrap();
            let rendition = place.file_name().unwrap().to_str().unwrap();
            check_playlist(place, &out.join(format!("{rendition}.mp4")));
        }
    }
}
