//! Uploads that are broken or mean harm: each ends in words, in bounded time, and reads nothing of anybody else.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::encoder::{clip, judged, made};
use crate::harness::{self, Ran, eventually, program};

/// How long any refusal may take, on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

/// What is said of these bytes.
fn refused(bytes: &[u8], name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(name);
    fs::write(&source, bytes).unwrap();
    refused_file(&source)
}

#[track_caller]
fn refused_file(source: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let mut command = harness::opsctl(["encoder", "encode"]);
    let said = Ran::of(command.arg(source).arg(folder.path().join("out"))).fails(1);
    assert!(begin.elapsed() < BOUND);
    let left = fs::read_dir(folder.path().join("out")).unwrap().count();
    assert_eq!(left, 0, "something was left behind");
    said
}

#[track_caller]
fn check(bytes: &[u8], words: &str) {
    let said = refused(bytes, "upload.mp4");
    assert!(said.contains(words), "{said}");
}

#[test]
fn words_say_what_is_wrong() {
    check(b"", "empty");
    check(b"hello, this is no video", "no video or audio file");
    check(&[0; 100_000], "no video or audio file");
    check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture, not a video");
    let jpeg = tempfile::tempdir().unwrap();
    let picture = made(jpeg.path(), "-f lavfi -i testsrc2=s=320x240:d=0.1 -frames:v 1 a.jpg");
    check(&fs::read(picture).unwrap(), "a picture, not a video");
    // its index stands at its end
    let last = made(jpeg.path(), "-f lavfi -i testsrc2=s=320x240:d=1 -c:v libx264 last.mp4");
    let whole = fs::read(last).unwrap();
    check(&whole[..whole.len() / 2], "looks truncated");
}

#[test]
fn a_playlist_reads_nobody_elses_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = made(folder.path(), "-f lavfi -i testsrc2=s=320x240:d=2 -c:v libx264 -f mpegts secret.ts");
    let secret = secret.display();
    let playlist =
        format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:{secret}\n#EXT-X-ENDLIST\n");
    for name in ["party.mp4", "party.avi", "party.m3u8", "party.ts"] {
        let said = refused(playlist.as_bytes(), name);
        assert!(said.contains("a playlist, not a video"), "{name}: {said}");
    }
    for text in [
        format!("ffconcat version 1.0\nfile '{secret}'\n"),
        format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><BaseURL>{secret}</BaseURL></MPD>"
        ),
    ] {
        assert!(refused(text.as_bytes(), "party.mp4").contains("a playlist"), "{text}");
    }
    // the file alone is a video like any other
    let out = folder.path().join("out.mp4");
    harness::run(["encoder", "encode", &secret.to_string(), out.to_str().unwrap()]).ok();
}

/// The disclosure of 2017: subtitles in an AVI that are a playlist (GAB2).
#[test]
fn a_playlist_in_subtitles_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "of another account").unwrap();
    let source = made(folder.path(), "-f lavfi -i testsrc2=s=320x240:d=1 -c:v mpeg4 a.avi");
    let mut bytes = fs::read(&source).unwrap();
    let playlist =
        format!("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nconcat:file:{}|\n#EXT-X-ENDLIST\n", secret.display());
    let mut gab2 = b"GAB2\0\x02\0\0\0\0\0\x04\0".to_vec();
    gab2.extend_from_slice(&u32::try_from(playlist.len()).unwrap().to_le_bytes());
    gab2.extend_from_slice(playlist.as_bytes());
    let mut chunk = b"01sb".to_vec();
    chunk.extend_from_slice(&u32::try_from(gab2.len()).unwrap().to_le_bytes());
    chunk.extend_from_slice(&gab2);
    let movi = bytes.windows(4).position(|window| window == b"movi").unwrap() + 4;
    bytes.splice(movi..movi, chunk);
    fs::write(&source, bytes).unwrap();
    let out = folder.path().join("out.mp4");
    // with or without a result: nothing of the other file is in it
    let mut command = harness::opsctl(["encoder", "encode"]);
    let said = format!("{:?}", Ran::of(command.arg(&source).arg(&out)));
    assert!(!said.contains("of another account"), "{said}");
    let made = fs::read(&out).unwrap_or_default();
    assert!(!made.windows(18).any(|window| window == b"of another account"));
}

#[test]
fn a_playlist_reaches_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://{address}/a.ts\n#EXT-X-ENDLIST\n");
    for name in ["party.mp4", "party.avi"] {
        refused(playlist.as_bytes(), name);
    }
    assert!(listener.accept().is_err(), "somebody came");
}

#[test]
fn a_worker_that_is_taken_over_can_do_nothing() {
    let text = harness::run(["encoder", "isolation"]).ok();
    assert!(text.contains("seccomp    full") && text.contains("limits     full"), "{text}");
    assert!(text.lines().filter(|line| line.starts_with("failed")).count() >= 9, "{text}");
    assert!(!text.contains("WORKED"), "{text}");
}

/// A worker that nobody started has nothing to do.
#[test]
fn a_worker_is_not_for_people() {
    let said = harness::run(["encoder-worker"]).fails(1);
    assert!(said.contains("started by the encoder itself"), "{said}");
    let help = harness::run(["--help"]).ok();
    assert!(help.contains("encoder ") && !help.contains("encoder-worker"), "{help}");
}

#[test]
fn bombs_do_not_go_off() {
    let folder = tempfile::tempdir().unwrap();
    let words = "-f lavfi -i color=black:s=16000x16000:d=0.04 -frames:v 1 -c:v png -threads 1 bomb.mkv";
    let said = refused_file(&made(folder.path(), words));
    assert!(said.contains("too large: 16000x16000"), "{said}");
}

#[test]
fn damage_is_said_or_worked_around() {
    let whole = fs::read(clip("bikes.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..6_usize {
        let mut bytes = whole.clone();
        // the same places each time: a linear congruence
        let mut at = seed * 7919 + 1;
        for _ in 0..200 {
            at = (at * 1_103_515_245 + 12_345) % bytes.len();
            bytes[at] ^= 1 << (at % 8);
        }
        let (source, out) = (folder.path().join("damaged.mp4"), folder.path().join("out.mp4"));
        fs::write(&source, bytes).unwrap();
        let begin = Instant::now();
        let mut command = harness::opsctl(["encoder", "encode", "--profile", "web"]);
        let ran = Ran::of(command.arg(&source).arg(&out));
        assert!(begin.elapsed() < BOUND);
        let said = format!("{ran:?}");
        assert!(!said.contains("crashed") && !said.contains("panicked"), "{said}");
        if out.exists() {
            judged(&out);
            fs::remove_file(&out).unwrap();
        }
    }
}

#[test]
fn what_is_there_of_a_broken_recording_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(clip("movie-hello.mpeg")).unwrap();
    let (source, out) = (folder.path().join("half.mpeg"), folder.path().join("out.mp4"));
    fs::write(&source, &whole[..whole.len() / 2]).unwrap();
    harness::run(["encoder", "encode", source.to_str().unwrap(), out.to_str().unwrap()]).ok();
    let seconds: f64 = judged(&out)["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((2.0..7.0).contains(&seconds), "{seconds}");
}

#[test]
fn an_interrupted_encode_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = harness::opsctl(["encoder", "encode", "--json", "--profile", "plain"]);
    command.arg(clip("trailer_bbb.mp4")).arg(&out).stdout(std::process::Stdio::null());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    eventually("a worker works", || {
        let scratch = fs::read_dir(&out).ok()?.next()?.ok()?.path();
        scratch.join("h264.mp4").exists().then_some(())
    });
    let id = child.id().to_string();
    Ran::of(std::process::Command::new("kill").args(["-TERM", &id])).ok();
    assert!(!child.wait().unwrap().success());
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}

/// The worker of the program with this id.
fn worker(id: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    let mut workers = children.split_whitespace().map(|child| child.parse().unwrap());
    // a thread of its own starts it, so that it is a child of that
    workers.next().or_else(|| {
        let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
        threads.flatten().find_map(|thread| {
            let children = fs::read_to_string(thread.path().join("children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    })
}

#[test]
fn a_worker_ends_with_whoever_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = harness::opsctl(["encoder", "encode"]);
    command.arg(clip("trailer_bbb.mp4")).arg(&out);
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let worker = eventually("a worker works", || worker(child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the worker is gone", || {
        let stat = fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
        // one that nobody waits for stays as a name
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn results_have_a_largest_size() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.mp4");
    let opsctl = harness::OPSCTL;
    let mut limited = std::process::Command::new(program("prlimit", "util-linux"));
    limited.args(["--fsize=20000", opsctl, "encoder", "encode"]).arg(clip("bikes.mp4")).arg(&out);
    let said = Ran::of(&mut limited).fails(1);
    assert!(said.contains("more disk space than is allowed"), "{said}");
    assert!(!out.exists());
}

#[test]
fn encrypted_and_unknown_streams_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let key = "00112233445566778899aabbccddeeff";
    let words = format!(
        "-f lavfi -i testsrc2=s=320x240:d=1 -c:v libx264 -encryption_scheme cenc-aes-ctr -encryption_key {key} \
         -encryption_kid {key} drm.mp4"
    );
    let said = refused_file(&made(folder.path(), &words));
    assert!(said.contains("encrypted (DRM)"), "{said}");
    let said = refused_file(&made(folder.path(), "-f lavfi -i testsrc2=s=320x240:d=1 -c:v vc2 -strict -1 dirac.mkv"));
    assert!(said.contains("codec `dirac` is not supported"), "{said}");
}

/// A name that libav would take for an address, or that is no text at all.
#[test]
fn names_are_no_addresses() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    for name in [b"http:%41.mp4".as_slice(), b"concat:a|b.mp4", b"%d.mp4", b"\xff\xfe.mp4", b"-i.mp4"] {
        let source = folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::copy(clip("carphone_pristine.mp4"), &source).unwrap();
        let mut command = harness::opsctl(["encoder", "probe"]);
        let text = Ran::of(command.arg(&source)).ok();
        assert!(text.contains("stored as 176x144"), "{text}");
    }
    let mut missing = harness::opsctl(["encoder", "probe", "nowhere.mp4"]);
    let said = Ran::of(&mut missing).fails(1);
    assert!(said.contains("failed to open `nowhere.mp4`"), "{said}");
    std::io::stderr().flush().unwrap();
}
