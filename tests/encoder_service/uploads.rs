//! Uploads in pieces: real tus clients, over connections that break, to a server that is killed.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Answer, PASSWORD, Service};
use crate::encoder::clip;
use crate::harness::{PATIENCE, Ran, eventually};

/// Little work.
const SMALL: &str = "profile = 'small'\nprofiles.small.output.thumb = { kind = 'thumbs', count = 1, short_side = 90 }";
const TUS: [&str; 2] = ["-H", "Tus-Resumable: 1.0.0"];
const PIECE: [&str; 2] = ["-H", "Content-Type: application/offset+octet-stream"];

/// `PROXY`: between a client and the server. Each connection is cut after so many bytes of the client's, the first one after
/// the first number; those that come after the last number are not.
struct Cutter {
    address: String,
    cuts: Arc<AtomicUsize>,
}

impl Cutter {
    fn start(to: &Arc<Mutex<String>>, after: &'static [usize]) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cuts = Arc::new(AtomicUsize::new(0));
        let (to, count) = (Arc::clone(to), Arc::clone(&cuts));
        // it ends with the test's process
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(to.lock().unwrap().as_str()) else { continue };
                let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let count = Arc::clone(&count);
                std::thread::spawn(move || copy(back, forth, None));
                std::thread::spawn(move || {
                    let limit = after.get(count.load(Ordering::SeqCst)).copied();
                    if copy(client, server, limit) {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Cutter { address, cuts }
    }
}

/// Copies until an end, or so many bytes; whether that was it.
fn copy(mut from: TcpStream, mut to: TcpStream, limit: Option<usize>) -> bool {
    let (mut copied, mut buffer) = (0, vec![0; 16 * 1024]);
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        copied += read;
        let cut = limit.is_some_and(|limit| copied > limit);
        if cut || read == 0 || to.write_all(&buffer[..read]).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
            return cut;
        }
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target")
}

/// What tuspy does with a file: `url file chunk-size id`.
const TUSPY: &str = r"
import sys
from tusclient import client
url, file, size, name, auth = sys.argv[1:]
tus = client.TusClient(url, headers={'Authorization': auth})
uploader = tus.uploader(file, chunk_size=int(size), retries=20, retry_delay=0.05,
                        metadata={'id': name, 'filename': file.rsplit('/')[-1], 'title': 'By tuspy'},
                        upload_checksum=True)
uploader.upload()
print(uploader.url)
";

/// What tus-js-client does with a file: `url file chunk-size id parallel`.
const TUS_JS: &str = r"
const tus = require('tus-js-client'), fs = require('fs');
const [url, file, size, name, auth, parallel] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
const upload = new tus.Upload(bytes, {
  endpoint: url, chunkSize: Number(size), retryDelays: Array(20).fill(50), headers: {Authorization: auth},
  metadata: {id: name, filename: 'clip.mp4', filetype: 'video/mp4'}, parallelUploads: Number(parallel),
  onError(error) { console.error(String(error)); process.exit(1); },
  onSuccess() { console.log(upload.url); },
});
upload.start();
";

fn basic() -> String {
    let plain = format!("acme:{PASSWORD}");
    let encode = Ran::of(Command::new("python3").args([
        "-c",
        "import base64, sys; print(base64.b64encode(sys.argv[1].encode()).decode())",
        &plain,
    ]));
    format!("Basic {}", encode.ok().trim())
}

/// Uploads with tuspy.
fn tuspy(address: &str, file: &Path, size: usize, name: &str) -> Command {
    let python = target().join("venv/bin/python3");
    assert!(python.exists(), "there is no {}: run `cargo xtask setup`", python.display());
    let mut command = Command::new(python);
    command.args(["-c", TUSPY, &format!("http://{address}/api/v1/tus")]).arg(file);
    command.args([&size.to_string(), name, &basic()]);
    command
}

/// Uploads with tus-js-client.
fn tus_js(folder: &Path, address: &str, file: &Path, size: &str, name: &str, parallel: usize) -> Command {
    let node = target().join("venv-node/bin/node");
    assert!(node.exists(), "there is no {}: run `cargo xtask setup`", node.display());
    let script = folder.join("upload.js");
    fs::write(&script, TUS_JS).unwrap();
    let mut command = Command::new(node);
    command.env("NODE_PATH", target().join("node/node_modules"));
    command.arg(script).arg(format!("http://{address}/api/v1/tus")).arg(file);
    command.args([size, name, &basic(), &parallel.to_string()]);
    command
}

/// After `kill -9`, with something done to its folder before the next start.
fn again(service: &mut Service, between: impl FnOnce(&Path)) {
    service.running.signal("KILL");
    service.running.wait_keeping();
    between(service.running.dir.path());
    service.running.start_again();
}

fn sha256(file: &Path) -> String {
    let sum = Ran::of(Command::new("sha256sum").arg(file)).ok();
    sum.split(' ').next().unwrap().to_owned()
}

/// The item is there, once, with the file's bytes, and what is made of it.
#[track_caller]
fn arrived(service: &Service, name: &str, file: &Path) -> Value {
    let item = service.done(name);
    assert_eq!(item["source"]["sha256"], sha256(file), "{item}");
    let left = fs::read_dir(service.running.path("data/encoder/uploads")).unwrap().count();
    assert_eq!(left, 1, "the node's name alone");
    item
}

fn tus(service: &Service, path: &str, args: &[&str]) -> Answer {
    service.acme(&format!("/api/v1/tus{path}"), &[&TUS, args].concat())
}

/// Begins an upload of so many bytes: its path below `/tus`.
#[track_caller]
fn begin(service: &Service, args: &[&str]) -> String {
    let answer = tus(service, "", &[&["-X", "POST"], args].concat()).is(201);
    answer.header("location").unwrap().strip_prefix("/api/v1/tus").unwrap().to_owned()
}

/// Appends a text at an offset.
fn append(service: &Service, upload: &str, offset: u64, text: &str, more: &[&str]) -> Answer {
    let offset = format!("Upload-Offset: {offset}");
    tus(service, upload, &[&PIECE[..], &["-X", "PATCH", "-H", &offset, "--data-binary", text], more].concat())
}

fn offset(service: &Service, upload: &str) -> String {
    tus(service, upload, &["-I"]).is(200).header("upload-offset").unwrap().to_owned()
}

#[test]
fn real_clients_over_connections_that_break() {
    let service = Service::start(SMALL);
    let clip = clip("bikes.mp4");
    let to = Arc::new(Mutex::new(service.running.address("encoder encoder")));
    let cutter = Cutter::start(&to, &[100_000, 120_000, 90_000]);
    Ran::of(&mut tuspy(&cutter.address, &clip, 200_000, "by-tuspy")).ok();
    assert_eq!(cutter.cuts.load(Ordering::SeqCst), 3, "the connections were cut");
    assert_eq!(arrived(&service, "by-tuspy", &clip)["title"], "By tuspy");
    let cutter = Cutter::start(&to, &[150_000, 60_000, 100_000]);
    let folder = service.running.path("");
    Ran::of(&mut tus_js(&folder, &cutter.address, &clip, "Infinity", "by-js", 1)).ok();
    assert_eq!(cutter.cuts.load(Ordering::SeqCst), 3, "the connections were cut");
    assert_eq!(arrived(&service, "by-js", &clip)["filename"], "clip.mp4");
    // in three parts at once, which are put together
    Ran::of(&mut tus_js(&folder, &cutter.address, &clip, "100000", "in-parts", 3)).ok();
    arrived(&service, "in-parts", &clip);
    assert_eq!(service.acme("/api/v1/media", &[]).json()["total"], 3);
    service.running.stop();
}

#[test]
fn a_server_that_is_killed_in_the_middle() {
    let mut service = Service::start(SMALL);
    let file = clip("movie-hello.mp4");
    let to = Arc::new(Mutex::new(service.running.address("encoder encoder")));
    let cutter = Cutter::start(&to, &[]);
    let client = {
        let (address, file) = (cutter.address, file.clone());
        std::thread::spawn(move || Ran::of(&mut tuspy(&address, &file, 60_000, "survivor")))
    };
    for part in 1..=2_u64 {
        let uploads = service.running.path("data/encoder/uploads");
        eventually("some of it arrives", || {
            let bytes = |entry: fs::DirEntry| entry.metadata().map_or(0, |meta| meta.len());
            let most = fs::read_dir(&uploads).unwrap().flatten().map(bytes).max();
            (most > Some(part * 300_000)).then_some(())
        });
        again(&mut service, |_| {});
        *to.lock().unwrap() = service.running.address("encoder encoder");
    }
    client.join().unwrap().ok();
    arrived(&service, "survivor", &file);
    assert_eq!(service.acme("/api/v1/media", &[]).json()["total"], 1);
    service.running.stop();
}

#[test]
fn the_protocol() {
    let service = Service::start(&format!("{SMALL}\nmax_upload = '1000'\njobs = 0"));
    let options = service.curl("/api/v1/accounts/acme/tus", &["-X", "OPTIONS"]).is(204);
    assert_eq!((options.header("tus-version"), options.header("tus-max-size")), (Some("1.0.0"), Some("1000")));
    assert!(options.header("tus-extension").unwrap().contains("checksum-trailer"));
    let old = service.acme("/api/v1/tus", &["-X", "POST", "-H", "Tus-Resumable: 0.2.2", "-H", "Upload-Length: 5"]);
    assert_eq!(old.is(412).header("tus-version"), Some("1.0.0"));
    // the rights of an account hold here as well
    service.curl("/api/v1/accounts/acme/tus", &[&TUS[..], &["-X", "POST", "-H", "Upload-Length: 5"]].concat()).is(401);
    let refused = |args: &[&str], status: u16| {
        let answer = tus(&service, "", &[&["-X", "POST"], args].concat()).is(status);
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    };
    refused(&[], 400);
    refused(&["-H", "Upload-Length: 1001"], 413);
    refused(&["-H", "Upload-Length: 0"], 400);
    refused(&["-H", "Upload-Length: 5", "-H", "Upload-Metadata: profile bm90aGluZw=="], 400);
    refused(&["-H", "Upload-Length: 5", "-H", "Upload-Metadata: id Li4="], 400);

    let upload = begin(&service, &["-H", "Upload-Length: 10", "-H", "Upload-Metadata: id cGFydHk=,mine"]);
    let head = tus(&service, &upload, &["-I"]).is(200);
    let field = |name| head.header(name).unwrap_or_default();
    assert_eq!((field("upload-offset"), field("upload-length")), ("0", "10"));
    assert_eq!((field("upload-metadata"), field("cache-control")), ("id cgfydhk=,mine", "no-store"));
    assert!(field("upload-expires").ends_with("gmt"));
    let other = service.acme("/api/v1/accounts/other/tus", &[]);
    assert!(other.status >= 400);
    append(&service, &upload, 1, "x", &[]).is(409);
    tus(&service, &upload, &["-X", "PATCH", "-H", "Upload-Offset: 0", "--data-binary", "x"]).is(415);
    let first = append(&service, &upload, 0, "hello", &[]).is(204);
    assert_eq!(first.header("upload-offset"), Some("5"));
    append(&service, &upload, 0, "hello", &[]).is(409);
    append(&service, &upload, 5, "world and more", &[]).is(413);
    assert_eq!(offset(&service, &upload), "5");

    // who waits for `100 continue` is told before the bytes come
    let waits = ["-H", "Expect: 100-continue", "--expect100-timeout", "60"];
    append(&service, &upload, 4, "world", &waits).is(409);
    append(&service, &upload, 5, "world and more", &waits).is(413);
    append(&service, "/00000000000000000000000000000000", 0, "world", &waits).is(404);

    let sum = |text: &'static str| ["-H", text];
    append(&service, &upload, 5, "world", &sum("Upload-Checksum: sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")).is(460);
    append(&service, &upload, 5, "world", &sum("Upload-Checksum: crc32 AAAA")).is(400);
    assert_eq!(offset(&service, &upload), "5");
    let last = append(&service, &upload, 5, "world", &sum("Upload-Checksum: md5 fXkwN6B2AYZXSwKC8vQ15w==")).is(204);
    assert_eq!(last.header("link"), Some("</api/v1/media/party>; rel=\"item\""));
    assert_eq!(service.acme("/api/v1/media/party/source", &[]).is(200).text(), "helloworld");
    // whoever missed the last answer gets to know
    assert_eq!(offset(&service, &upload), "10");
    append(&service, &upload, 5, "world", &[]).is(409);
    tus(&service, &upload, &["-X", "DELETE"]).is(204);
    tus(&service, &upload, &["-I"]).is(404);
    service.acme("/api/v1/media/party", &[]).is(200);
    service.running.stop();
}

#[test]
fn extensions() {
    let service = Service::start(&format!("{SMALL}\njobs = 0"));
    // the first bytes at once, and the rest by a client that knows POST alone
    let piece = ["-H", "Content-Type: application/offset+octet-stream", "--data-binary", "hello"];
    let with =
        tus(&service, "", &[&piece[..], &["-H", "Upload-Length: 10", "-H", "Upload-Metadata: id YQ=="]].concat());
    assert_eq!(with.is(201).header("upload-offset"), Some("5"));
    let upload =
        begin(&service, &[&piece[..], &["-H", "Upload-Defer-Length: 1", "-H", "Upload-Metadata: id Yg=="]].concat());
    assert_eq!(tus(&service, &upload, &["-I"]).header("upload-defer-length"), Some("1"));
    let post =
        ["-X", "POST", "-H", "X-HTTP-Method-Override: PATCH", "-H", "Upload-Offset: 5", "-H", "Upload-Length: 10"];
    tus(&service, &upload, &[&post[..], &PIECE, &["--data-binary", "world"]].concat()).is(204);
    assert_eq!(service.acme("/api/v1/media/b/source", &[]).is(200).text(), "helloworld");

    // one that was given up
    let upload = begin(&service, &["-H", "Upload-Length: 10"]);
    append(&service, &upload, 0, "hello", &[]).is(204);
    tus(&service, &upload, &["-X", "DELETE"]).is(204);
    append(&service, &upload, 5, "world", &[]).is(404);

    // in parts
    let part = |text: &str| {
        let length = format!("Upload-Length: {}", text.len());
        let upload = begin(&service, &["-H", &length, "-H", "Upload-Concat: partial"]);
        append(&service, &upload, 0, text, &[]).is(204);
        upload
    };
    let (one, two) = (part("hello"), part("world"));
    let open = begin(&service, &["-H", "Upload-Length: 10", "-H", "Upload-Concat: partial"]);
    let list = |parts: &[&str]| {
        let parts: Vec<_> = parts.iter().map(|part| format!("http://localhost/api/v1/tus{part}")).collect();
        format!("Upload-Concat: final;{}", parts.join(" "))
    };
    tus(&service, "", &["-X", "POST", "-H", &list(&[&one, &open])]).is(409);
    tus(&service, "", &["-X", "POST", "-H", &list(&["/00000000000000000000000000000000"])]).is(404);
    let whole = begin(&service, &["-H", &list(&[&two, &one]), "-H", "Upload-Metadata: id Yw=="]);
    let head = tus(&service, &whole, &["-I"]).is(200);
    assert_eq!((head.header("upload-length"), head.header("upload-offset")), (Some("10"), Some("10")));
    assert!(head.header("upload-concat").unwrap().starts_with("final;/api/v1/tus/"));
    append(&service, &whole, 10, "x", &[]).is(403);
    assert_eq!(service.acme("/api/v1/media/c/source", &[]).is(200).text(), "worldhello");

    // a checksum that comes after what it is of
    let upload = begin(&service, &["-H", "Upload-Length: 5", "-H", "Upload-Metadata: id ZA=="]);
    assert_eq!(trailing(&service, &upload, "md5 AAAAKrxLKna5cZ2REBfFkg=="), 460);
    assert_eq!(offset(&service, &upload), "0");
    assert_eq!(trailing(&service, &upload, "md5 XUFAKrxLKna5cZ2REBfFkg=="), 204);
    assert_eq!(service.acme("/api/v1/media/d/source", &[]).is(200).text(), "hello");
    service.running.stop();
}

/// A `PATCH` of `hello` with its checksum in a trailer: the status.
fn trailing(service: &Service, upload: &str, checksum: &str) -> u16 {
    let mut stream = TcpStream::connect(service.running.address("encoder encoder")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let auth = basic();
    let text = format!(
        "PATCH /api/v1/tus{upload} HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nTransfer-Encoding: chunked\r\nTrailer: Upload-Checksum\r\n\
         Connection: close\r\n\r\n5\r\nhello\r\n0\r\nUpload-Checksum: {checksum}\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn one_writes_and_whoever_asks_gets_it() {
    let service = Service::start(&format!("{SMALL}\njobs = 0"));
    let upload = begin(&service, &["-H", "Upload-Length: 10", "-H", "Upload-Metadata: id YQ=="]);
    let mut stream = TcpStream::connect(service.running.address("encoder encoder")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let auth = basic();
    let head = format!(
        "PATCH /api/v1/tus{upload} HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: 10\r\n\r\nhello"
    );
    stream.write_all(head.as_bytes()).unwrap();
    eventually("it is being written", || {
        let file = service.running.path("data/encoder/uploads").join(upload.trim_start_matches('/'));
        (fs::metadata(file).map_or(0, |meta| meta.len()) == 5).then_some(())
    });
    append(&service, &upload, 0, "other", &[]).is(423);
    // a client that asks has lost its connection; what came over it is kept
    assert_eq!(offset(&service, &upload), "5");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 423");
    append(&service, &upload, 5, "world", &[]).is(204);
    assert_eq!(service.acme("/api/v1/media/a/source", &[]).is(200).text(), "helloworld");
    service.running.stop();
}

#[test]
fn a_crash_after_the_last_byte_and_uploads_that_nobody_goes_on_with() {
    let mut service = Service::start(&format!("{SMALL}\njobs = 0"));
    // as a crash leaves it: all is there, but no item
    let upload = begin(&service, &["-H", "Upload-Length: 10", "-H", "Upload-Metadata: id YQ=="]);
    append(&service, &upload, 0, "hello", &[]).is(204);
    let given_up = begin(&service, &["-H", "Upload-Length: 10"]);
    append(&service, &given_up, 0, "hello", &[]).is(204);
    let id = upload.trim_start_matches('/');
    let sql =
        format!("UPDATE upload SET position = 10 WHERE id = '{id}'; UPDATE upload SET expires = 1 WHERE id != '{id}'");
    again(&mut service, |folder| {
        let data = folder.join("data");
        let path = data.join("encoder/uploads").join(id);
        fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"world").unwrap();
        fs::write(data.join("encoder/uploads/00000000000000000000000000000000"), "nobody's").unwrap();
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2])";
        let database = data.join("encoder.db");
        Ran::of(Command::new("python3").args(["-c", script]).arg(database).arg(&sql)).ok();
    });
    eventually("it has become an item", || (service.acme("/api/v1/media/a", &[]).status == 200).then_some(()));
    assert_eq!(service.acme("/api/v1/media/a/source", &[]).is(200).text(), "helloworld");
    eventually("the others are gone", || {
        let left = fs::read_dir(service.running.path("data/encoder/uploads")).unwrap().count();
        (left == 1).then_some(())
    });
    tus(&service, &given_up, &["-I"]).is(404);
    assert_eq!(offset(&service, &upload), "10");
    service.running.stop();
}

#[test]
fn a_quota_holds_for_every_way() {
    let service = Service::start(&format!("{SMALL}\njobs = 0\nquota = '100'"));
    let file = service.running.path("upload");
    fs::write(&file, "x".repeat(60)).unwrap();
    let file = file.to_str().unwrap().to_owned();
    // what is to come counts from its beginning
    let upload = begin(&service, &["-H", "Upload-Length: 50"]);
    let refused = |answer: Answer| assert!(answer.is(413).text().contains("quota"));
    refused(service.put("a", Path::new(&file), &[]));
    // without a length the end shows it
    service.acme("/api/v1/media", &["-F", &format!("file=@{file}")]).is(413);
    service.put("a", Path::new(&file), &["-H", "Transfer-Encoding: chunked"]).is(413);
    refused(tus(&service, "", &["-X", "POST", "-H", "Upload-Length: 51"]));
    let deferred = begin(&service, &["-H", "Upload-Defer-Length: 1"]);
    append(&service, &deferred, 0, &"x".repeat(51), &[]).is(413);
    append(&service, &deferred, 0, "x", &["-H", "Upload-Length: 51"]).is(413);
    append(&service, &deferred, 0, &"x".repeat(40), &[]).is(204);
    tus(&service, "", &["-X", "POST", "-H", "Upload-Length: 11"]).is(413);
    tus(&service, &deferred, &["-X", "DELETE"]).is(204);
    tus(&service, &upload, &["-X", "DELETE"]).is(204);
    service.put("a", Path::new(&file), &[]).is(201);
    refused(tus(&service, "", &["-X", "POST", "-H", "Upload-Length: 41"]));
    service.running.stop();
}
