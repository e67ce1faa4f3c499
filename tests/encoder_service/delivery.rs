//! Delivery: ranges, addresses that are signed, nginx in front, what is written down.

use std::fs;
use std::process::{Child, Command};

use opsctl_testkit::S3;
use serde_json::Value;

use super::{Answer, Service, in_bucket};
use crate::encoder::{clip, judged};
use crate::harness::{Ran, eventually, program, read};

const SMALL: &str = "profile = 'small'\nprofiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n\
                     profiles.small.output.thumb = { kind = 'thumbs', count = 2, short_side = 90 }";
const FILE: &str = "/media/acme/h264/a.mp4";

/// With one small film, called `a`.
fn started(host: &str, more: &str) -> Service {
    let service = Service::start_on(host, &format!("{SMALL}\n{more}"));
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("a");
    service
}

/// What RFC 9110, sections 13 to 15, says of each request.
fn ranges(service: &Service) {
    let whole = service.curl(FILE, &["-H", "Accept-Encoding: gzip"]).is(200);
    let (body, size) = (&whole.body, whole.body.len());
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-encoding"), None);
    let (tag, date) = (whole.header("etag").unwrap().to_owned(), whole.header("last-modified").unwrap().to_owned());
    let get = |lines: &[&str]| {
        let args: Vec<&str> = lines.iter().flat_map(|line| ["-H", line]).collect();
        service.curl(FILE, &args)
    };
    let part = |lines: &[&str], range: std::ops::Range<usize>| {
        let answer = get(lines).is(206);
        let expected = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        assert_eq!(answer.header("content-range"), Some(expected.as_str()), "{lines:?}");
        assert!(answer.body == body[range], "{lines:?}");
    };
    let all = |lines: &[&str]| {
        let answer = get(lines).is(200);
        assert!(answer.body == *body && answer.header("content-range").is_none(), "{lines:?}");
    };
    part(&["Range: bytes=10-20"], 10..21);
    part(&["Range: bytes=-5"], size - 5..size);
    part(&["Range: bytes=100-"], 100..size);
    part(&["Range: bytes=100-999999999"], 100..size);
    part(&["Range: bytes=-999999999"], 0..size);
    part(&["Range: bytes=0-1,2-5"], 0..6);
    several(&get(&["Range: bytes=0-1,50-60"]).is(206), body, &[0..2, 50..61]);
    several(&get(&["Range: bytes=-5,0-9"]).is(206), body, &[size - 5..size, 0..10]);
    let past = get(&["Range: bytes=999999999-"]).is(416);
    assert_eq!(past.header("content-range"), Some(format!("bytes */{size}").as_str()));
    all(&["Range: bytes=20-10"]);
    all(&["Range: items=1-2"]);
    all(&["Range: bytes=0-9,5-19,8-30"]);
    let many = (0..40).map(|at| format!("{}-{}", at * 3, at * 3)).collect::<Vec<_>>().join(",");
    all(&[&format!("Range: bytes={many}")]);
    part(&["Range: bytes=0-9", &format!("If-Range: {tag}")], 0..10);
    all(&["Range: bytes=0-9", "If-Range: \"stale\""]);
    all(&["Range: bytes=0-9", &format!("If-Range: W/{tag}")]);
    all(&["Range: bytes=0-9", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"]);
    assert_eq!(get(&["Range: bytes=0-9", &format!("If-None-Match: {tag}")]).is(304).body.len(), 0);
    let capital =
        |word: &str| if word == "gmt" { "GMT".into() } else { format!("{}{}", word[..1].to_uppercase(), &word[1..]) };
    let date = date.split(' ').map(capital).collect::<Vec<_>>().join(" ");
    get(&[&format!("If-Modified-Since: {date}")]).is(304);
    part(&["Range: bytes=0-9", &format!("If-Unmodified-Since: {date}")], 0..10);
    get(&["If-Match: \"stale\""]).is(412);
    let head = service.curl(FILE, &["-I", "-H", "Range: bytes=0-9"]).is(200);
    assert_eq!(head.header("content-length"), Some(size.to_string().as_str()));
    assert_eq!(head.header("content-range"), None);
}

/// `multipart/byteranges` with these parts.
fn several(answer: &Answer, body: &[u8], ranges: &[std::ops::Range<usize>]) {
    let kind = answer.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
    let mut rest = answer.body.as_slice();
    for range in ranges {
        let head_end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&rest[..head_end]).to_lowercase();
        assert!(head.contains(&format!("--{boundary}\r\n")), "{head}");
        assert!(head.contains(&format!("content-range: bytes {}-{}/{}\r\n", range.start, range.end - 1, body.len())));
        assert!(head.contains("content-type: video/mp4\r\n"), "{head}");
        let (part, after) = rest[head_end..].split_at(range.len());
        assert_eq!(part, &body[range.clone()]);
        rest = after;
    }
    assert_eq!(String::from_utf8_lossy(rest).to_lowercase(), format!("\r\n--{boundary}--\r\n"));
}

#[test]
fn ranges_from_a_folder() {
    let service = started("", "");
    ranges(&service);
    service.running.stop();
}

#[test]
fn ranges_from_a_bucket() {
    let s3 = S3::start();
    let service = started(&in_bucket(&s3), "");
    ranges(&service);
    service.running.stop();
}

#[test]
fn caches_and_scripts_are_told_what_they_may() {
    let service = started("", "cache = '1m'\ncache_shared = '1d'");
    let answer = service.curl(FILE, &["-H", "Origin: https://player.example"]).is(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60, s-maxage=86400"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("content-range"));
    for name in ["set-cookie", "vary"] {
        assert_eq!(answer.header(name), None, "one answer for all");
    }
    let asked = ["-X", "OPTIONS", "-H", "Origin: https://player.example", "-H", "Access-Control-Request-Method: GET"];
    let allowed = service.curl(FILE, &asked).is(204);
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("range"));
    let missing = service.curl("/media/acme/h264/b.mp4", &[]).is(404);
    assert_eq!(missing.header("cache-control"), Some("no-store"), "it may be published in a moment");
    service.running.stop();
}

#[test]
fn each_answer_is_written_down() {
    let service = started("", "access_log = 'access.log'\ntrusted_proxies = '127.0.0.1'");
    service.acme(FILE, &["-r", "0-9", "-H", "X-Forwarded-For: 192.0.2.9", "-A", "player/1"]).is(206);
    service.curl(&format!("{FILE}?start=1"), &["-H", "X-Forwarded-For: 198.51.100.1, 192.0.2.8"]).is(200);
    eventually("the lines are there", || {
        let log = read(service.running.path("access.log"));
        let has = |begin: &str, end: &str| log.lines().any(|line| line.starts_with(begin) && line.contains(end));
        let first = has("192.0.2.9 - acme [", "\"GET /media/acme/h264/a.mp4 HTTP/1.1\" 206 10 \"-\" \"player/1\"");
        let second = has("192.0.2.8 - - [", "\"GET /media/acme/h264/a.mp4?start=1 HTTP/1.1\" 200 ");
        (first && second).then_some(())
    });
    service.running.stop();
}

/// `[encoder]` with these keys, one in itself and one in a file.
const KEYS: &str = "accounts.acme.signed = true\n\
                    url_keys = [{ kid = 'new', secret = '0123456789abcdef' }, { kid = 'old', secret_file = 'old.key' }]";

fn signing() -> Service {
    let hls = "profiles.small.output.hls = { kind = 'hls', segment = 2.0 }\n\
               profiles.small.output.storyboard = { kind = 'storyboard', columns = 5, rows = 5, interval = 1.0, short_side = 90 }";
    let setup = crate::harness::Setup::run(&format!(
        "[encoder]\nenabled = true\nlisten = '127.0.0.1:0'\n{SMALL}\n{hls}\n{KEYS}\n"
    ));
    let service = Service::of(setup.file("old.key", "the secret of the old key\n").start());
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("a");
    service
}

#[test]
fn a_signed_address_is_good_for_a_while() {
    let service = signing();
    assert!(service.curl(FILE, &[]).is(403).text().contains("signed addresses only"));
    assert_eq!(service.acme(FILE, &[]).is(200).header("cache-control"), Some("private, no-cache"));
    let signed = service.acme("/api/v1/media/a/sign", &["-d", "expires=90s", "-d", "asset=h264"]).is(200).json();
    let url = signed["assets"][0]["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{FILE}?exp=")) && url.contains("&kid=new&sig="), "{url}");
    let cache = service.curl(url, &[]).is(200).header("cache-control").unwrap().to_owned();
    let age: u64 = cache.strip_prefix("private, max-age=").unwrap().parse().unwrap();
    assert!(age <= 90 && age > 30, "{cache}");
    service.curl(url, &["-I"]).is(200);
    service.curl(url, &["-r", "0-9"]).is(206);
    service.curl(&format!("{url}&start=2"), &[]).is(200);
    service.curl(&url.replace("h264/a.mp4", "thumb/a/1.jpg"), &[]).is(403);
    service.curl(&url.replace("exp=", "exp=9"), &[]).is(403);
    service.acme("/api/v1/media/a/sign", &["-d", "asset=nothing"]).is(404);
    service.acme("/api/v1/media/a/sign", &["-d", "expires=soon"]).is(400);
    service.curl("/api/v1/media/a/sign", &["-d", "asset=h264"]).is(401);
    let by_verb = |more: &[&str]| service.opsctl(&[&["encoder", "sign", FILE][..], more].concat()).ok();
    service.curl(by_verb(&[]).trim(), &[]).is(200);
    service.curl(by_verb(&["--expires", "0s"]).trim(), &[]).is(410);
    // what the old key has signed is good until the key goes
    let old = ["--set", "encoder.url_keys=[{ kid = 'old', secret = 'the secret of the old key' }]"];
    service.curl(by_verb(&old).trim(), &[]).is(200);
    // a signature is no way around that something is not published
    service.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    service.curl(url, &[]).is(404);
    service.running.stop();
}

#[test]
fn a_signed_playlist_takes_its_segments_with_it() {
    let service = signing();
    let signed = service.acme("/api/v1/media/a/sign", &["-d", ""]).is(200).json();
    let urls: Vec<&str> = signed["assets"].as_array().unwrap().iter().map(|one| one["url"].as_str().unwrap()).collect();
    let url = |asset: &str| *urls.iter().find(|url| url.contains(&format!("/{asset}/"))).unwrap();
    let mut ffprobe = Command::new(program("ffprobe", "ffmpeg"));
    ffprobe.args(["-v", "error", "-count_frames", "-show_streams", "-of", "json"]).arg(service.url(url("hls")));
    let said: Value = serde_json::from_str(&Ran::of(&mut ffprobe).ok()).unwrap();
    assert_eq!(said["streams"][0]["nb_read_frames"], "120");
    let unsigned = url("hls").split('?').next().unwrap();
    service.curl(unsigned, &[]).is(403);
    let board = service.curl(url("storyboard"), &[]).is(200);
    let picture = board.text().lines().find(|line| line.contains(".jpg")).unwrap().to_owned();
    let (folder, _) = url("storyboard").split('?').next().unwrap().rsplit_once('/').unwrap();
    let (address, place) = picture.split_once('#').unwrap();
    assert!(place.starts_with("xywh="), "{picture}");
    service.curl(&format!("{folder}/{address}"), &[]).is(200);
    service.running.stop();
}

/// nginx in front of a service, on a unix socket.
struct Nginx {
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    fn before(service: &Service) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        let blobs = service.running.path("data/encoder/blobs");
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;\nevents {{ }}\nhttp {{\n\
             access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;\n\
             scgi_temp_path t;\nserver {{\nlisten unix:{}/socket;\nlocation / {{ proxy_pass http://{}; }}\n\
             location /protected/ {{ internal; alias {}/; }}\n}}\n}}\n",
            folder.path().display(),
            service.running.address("encoder encoder"),
            blobs.display(),
        );
        fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new(program("nginx", "nginx-light"));
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let child = command.spawn().unwrap();
        let socket = folder.path().join("socket");
        let nginx = Nginx { folder, child };
        eventually("nginx listens", || std::os::unix::net::UnixStream::connect(&socket).ok());
        nginx
    }

    fn curl(&self, service: &Service, path: &str, args: &[&str]) -> Answer {
        let socket = self.folder.path().join("socket");
        service.curl(path, &[&["--unix-socket", socket.to_str().unwrap()], args].concat())
    }
}

#[test]
fn nginx_sends_the_files() {
    let service = started("", "accel = '/protected/'");
    let nginx = Nginx::before(&service);
    let told = service.curl(FILE, &[]).is(200);
    let redirect = told.header("x-accel-redirect").unwrap().to_owned();
    assert!(redirect.starts_with("/protected/") && told.body.is_empty());
    let whole = nginx.curl(&service, FILE, &[]).is(200);
    let path = service.running.path("whole.mp4");
    fs::write(&path, &whole.body).unwrap();
    assert_eq!(judged(&path)["streams"][0]["nb_read_frames"], "120");
    assert_eq!(whole.header("content-type"), Some("video/mp4"));
    assert_eq!(whole.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(whole.header("x-accel-redirect"), None);
    let part = nginx.curl(&service, FILE, &["-r", "10-20"]).is(206);
    assert!(part.body == whole.body[10..21]);
    nginx.curl(&service, &redirect, &[]).is(404);
    nginx.curl(&service, &format!("{FILE}?start=2"), &[]).is(200);
    service.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    nginx.curl(&service, FILE, &[]).is(404);
    service.running.stop();
}
