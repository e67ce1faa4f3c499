//! Files, blobs and rendered documents: ranges, conditions, encodings, over the wire.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use flate2::read::GzDecoder;
use futures_util::stream;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderValue, Method};
use opsctl_http::{ETag, Entity, HttpError, Limits, LocalFile, Rendered, respond_file, respond_stream};

use crate::client::{Answer, Client};
use crate::support::Server;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain");

/// Bytes that tell their place.
pub(crate) fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at + at / 251) % 256).unwrap()).collect()
}

pub(crate) fn entity() -> Entity {
    Entity::new(TEXT).cache_control("max-age=60").header(CONTENT_DISPOSITION, HeaderValue::from_static("inline"))
}

async fn file(method: Method, headers: HeaderMap, path: PathBuf) -> Response {
    match LocalFile::open(&path).await {
        Ok(Some(file)) => respond_file(&method, &headers, entity(), file).await,
        Ok(None) => HttpError::not_found("no such file").into_response(),
        Err(error) => HttpError::internal(error).into_response(),
    }
}

/// Serves the files of `folder` under their names.
pub(crate) fn files(folder: &Path) -> Router {
    let folder = folder.to_owned();
    let handler = move |method: Method, uri: http::Uri, headers: HeaderMap| {
        file(method, headers, folder.join(uri.path().trim_start_matches('/')))
    };
    Router::new().fallback(any(handler))
}

/// Serves `bytes` from a source that gives them in pieces of seven, and counts how often it is opened.
fn blob(bytes: Vec<u8>, opened: Arc<AtomicUsize>) -> Router {
    let bytes = Bytes::from(bytes);
    let entity =
        entity().etag(ETag::strong("blob").unwrap()).modified("Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
    let handler = async move |method: Method, headers: HeaderMap| {
        let size = bytes.len() as u64;
        let open = move |range: std::ops::Range<u64>| {
            opened.fetch_add(1, Ordering::Relaxed);
            let part = bytes.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
            let pieces: Vec<_> = part.chunks(7).map(|piece| Ok::<_, std::io::Error>(part.slice_ref(piece))).collect();
            async { Ok::<_, HttpError>(stream::iter(pieces)) }
        };
        respond_stream(&method, &headers, &entity, size, open).await
    };
    Router::new().fallback(any(handler))
}

/// What stands in the head of an answer, `-` for nothing.
pub(crate) fn heads(answer: &Answer, names: &[&str]) -> Vec<String> {
    let value = |name| answer.headers.get(name).map_or("-", |value: &HeaderValue| value.to_str().unwrap());
    names.iter().map(|name| value(*name).to_owned()).collect()
}

/// One row of the matrix: the method, the request's own headers, the status, the Content-Range, the body.
type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, u16, &'a str, &'a [u8]);

fn row<'a>(method: &'a str, headers: &[(&'a str, &'a str)], status: u16, range: &'a str, body: &'a [u8]) -> Row<'a> {
    (method, headers.to_vec(), status, range, body)
}

async fn check(router: Router, size: usize, rows: &[Row<'_>]) {
    let server = Server::start("127.0.0.1:0", router, Limits::default());
    let mut client = Client::connect(server.address()).await;
    for (method, headers, status, range, body) in rows {
        let answer = client.ask(method, "/file", headers).await;
        let said = format!("{method} {headers:?}: {} {:?}", answer.status, answer.headers);
        assert_eq!((answer.status, heads(&answer, &["content-range"])[0].as_str()), (*status, *range), "{said}");
        if *status < 300 {
            assert_eq!(answer.body, *body, "{said}");
            let length = if *method == "HEAD" { size } else { body.len() };
            assert_eq!(heads(&answer, &["accept-ranges", "content-length"]), ["bytes", &length.to_string()], "{said}");
            assert_eq!(heads(&answer, &["content-type", "cache-control"]), ["text/plain", "max-age=60"], "{said}");
        }
        if *status == 304 {
            let kept = ["content-type", "cache-control", "content-length", "content-disposition", "accept-ranges"];
            assert_eq!(heads(&answer, &kept), ["text/plain", "max-age=60", "-", "-", "-"], "{said}");
            assert!(answer.headers.contains_key("etag") && answer.headers.contains_key("last-modified"), "{said}");
            assert!(answer.body.is_empty());
        }
    }
    drop(client);
    server.done().await;
}

/// The matrix for single ranges, of something whose tag and date are these.
fn matrix<'a>(bytes: &'a [u8], validators: &'a [[(&'a str, &'a str); 1]]) -> Vec<Row<'a>> {
    let size = bytes.len();
    assert_eq!(size, 12_438);
    let [none_match, since, match_, if_range, if_range_date] = validators else { unreachable!() };
    vec![
        row("GET", &[], 200, "-", bytes),
        row("HEAD", &[], 200, "-", b""),
        row("GET", &[("range", "bytes=10-20")], 206, "bytes 10-20/12438", &bytes[10..21]),
        row("GET", &[("range", "bytes=-5")], 206, "bytes 12433-12437/12438", &bytes[12_433..]),
        row("GET", &[("range", "bytes=-99999")], 206, "bytes 0-12437/12438", bytes),
        row("GET", &[("range", "bytes=12000-")], 206, "bytes 12000-12437/12438", &bytes[12_000..]),
        row("GET", &[("range", "bytes=12000-99999")], 206, "bytes 12000-12437/12438", &bytes[12_000..]),
        row("GET", &[("range", "bytes=0-")], 206, "bytes 0-12437/12438", bytes),
        row("GET", &[("range", "bytes=12438-")], 416, "bytes */12438", b""),
        row("GET", &[("range", "bytes=-0")], 416, "bytes */12438", b""),
        row("GET", &[("range", "bytes=20-10")], 200, "-", bytes),
        row("GET", &[("range", "items=1-2")], 200, "-", bytes),
        row("GET", &[("range", "bytes=x")], 200, "-", bytes),
        row("GET", &[("range", "bytes=0-,0-,0-")], 200, "-", bytes),
        row("GET", &[("range", "bytes=0-10,5-20")], 206, "bytes 0-20/12438", &bytes[..21]),
        row("HEAD", &[("range", "bytes=10-20")], 200, "-", b""),
        row("GET", none_match, 304, "-", b""),
        row("HEAD", none_match, 304, "-", b""),
        row("GET", since, 304, "-", b""),
        row("GET", match_, 200, "-", bytes),
        row("GET", &[("if-match", "\"other\""), ("range", "bytes=10-20")], 412, "-", b""),
        row("GET", &[("if-unmodified-since", "Sat, 01 Jan 1972 00:00:00 GMT")], 412, "-", b""),
        row("GET", &[("if-none-match", "\"other\""), ("range", "bytes=1-2")], 206, "bytes 1-2/12438", &bytes[1..3]),
        // of the order of conditions and ranges
        row("GET", &[none_match[0], ("range", "bytes=10-20")], 304, "-", b""),
        row("GET", &[if_range[0], ("range", "bytes=10-20")], 206, "bytes 10-20/12438", &bytes[10..21]),
        row("GET", &[if_range_date[0], ("range", "bytes=10-20")], 206, "bytes 10-20/12438", &bytes[10..21]),
        row("GET", &[if_range[0], ("range", "bytes=99999-")], 416, "bytes */12438", b""),
        row("GET", &[("if-range", "\"stale\""), ("range", "bytes=10-20")], 200, "-", bytes),
        row("GET", &[("if-range", "\"stale\""), ("range", "bytes=99999-")], 200, "-", bytes),
        row("GET", &[("if-range", "W/\"blob\""), ("range", "bytes=10-20")], 200, "-", bytes),
        row("GET", &[("if-range", "Sat, 01 Jan 1972 00:00:00 GMT"), ("range", "bytes=10-20")], 200, "-", bytes),
        row("GET", &[if_range[0]], 200, "-", bytes),
    ]
}

async fn validators(router: Router) -> (String, String) {
    let server = Server::start("127.0.0.1:0", router, Limits::default());
    let answer = Client::connect(server.address()).await.ask("HEAD", "/file", &[]).await;
    server.done().await;
    let mut values = heads(&answer, &["etag", "last-modified"]).into_iter();
    (values.next().unwrap(), values.next().unwrap())
}

async fn check_matrix(router: Router, bytes: &[u8]) {
    let (etag, date) = validators(router.clone()).await;
    let lines = [
        [("if-none-match", &*etag)],
        [("if-modified-since", &*date)],
        [("if-match", &*etag)],
        [("if-range", &*etag)],
        [("if-range", &*date)],
    ];
    check(router, bytes.len(), &matrix(bytes, &lines)).await;
}

#[tokio::test]
async fn parts_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = content(12_438);
    fs::write(folder.path().join("file"), &bytes).unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
    fs::File::open(folder.path().join("file")).unwrap().set_modified(old).unwrap();
    check_matrix(files(folder.path()), &bytes).await;
}

#[tokio::test]
async fn parts_of_a_blob() {
    let (bytes, opened) = (content(12_438), Arc::new(AtomicUsize::new(0)));
    check_matrix(blob(bytes.clone(), Arc::clone(&opened)), &bytes).await;
    let before = opened.load(Ordering::Relaxed);
    let rows: [Row<'_>; 3] = [
        row("HEAD", &[], 200, "-", b""),
        row("GET", &[("range", "bytes=99999-")], 416, "bytes */12438", b""),
        row("GET", &[("if-none-match", "\"blob\"")], 304, "-", b""),
    ];
    check(blob(bytes.clone(), Arc::clone(&opened)), bytes.len(), &rows).await;
    assert_eq!(opened.load(Ordering::Relaxed), before, "not opened for nothing");
}

#[tokio::test]
async fn parts_of_a_document() {
    let bytes = content(12_438);
    let entity = entity().modified("Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
    let rendered = Rendered::new(entity, bytes.clone());
    let router = Router::new()
        .fallback(any(async move |method: Method, headers: HeaderMap| rendered.respond(&method, &headers)));
    check_matrix(router, &bytes).await;
}

#[tokio::test]
async fn several_parts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = content(300_000);
    fs::write(folder.path().join("file"), &bytes).unwrap();
    let rendered = Rendered::new(entity(), bytes.clone());
    let document = Router::new()
        .fallback(any(async move |method: Method, headers: HeaderMap| rendered.respond(&method, &headers)));
    for router in [files(folder.path()), blob(bytes.clone(), Arc::default()), document] {
        let server = Server::start("127.0.0.1:0", router, Limits::default());
        let mut client = Client::connect(server.address()).await;
        let answer = client.ask("GET", "/file", &[("range", "bytes=5-6, 0-1,-3, 10000-200000")]).await;
        assert_eq!(answer.status, 206);
        assert_eq!(heads(&answer, &["content-range", "content-length"]), ["-", &answer.body.len().to_string()]);
        let kind = heads(&answer, &["content-type"]).remove(0);
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
        let mut expected = Vec::new();
        for (first, last) in [(5, 6), (0, 1), (299_997, 299_999), (10_000, 200_000)] {
            let head =
                format!("\r\n--{boundary}\r\ncontent-type: text/plain\r\ncontent-range: bytes {first}-{last}/300000");
            expected.extend([head.as_bytes(), b"\r\n\r\n", &bytes[first..=last]].concat());
        }
        expected.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
        assert!(answer.body == expected, "{} bytes", answer.body.len());
        drop(client);
        server.done().await;
    }
}

#[tokio::test]
async fn files_of_all_sizes() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000] {
        let bytes = content(size);
        fs::write(folder.path().join("file"), &bytes).unwrap();
        let rows: [Row<'_>; 2] = [row("GET", &[], 200, "-", &bytes), row("HEAD", &[], 200, "-", b"")];
        check(files(folder.path()), size, &rows).await;
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let rows: [Row<'_>; 3] = [
        row("GET", &[("range", "bytes=0-")], 416, "bytes */0", b""),
        row("GET", &[("range", "bytes=-5")], 200, "-", b""),
        row("GET", &[("range", "bytes=-0")], 416, "bytes */0", b""),
    ];
    check(files(folder.path()), 0, &rows).await;
}

#[tokio::test]
async fn a_source_that_fails() {
    let fails = |at: u64| {
        Router::new().fallback(any(async move |method: Method, headers: HeaderMap| {
            let open = move |range: std::ops::Range<u64>| async move {
                if range.start == at {
                    return Err(HttpError::unavailable("the store is away"));
                }
                Ok(stream::unfold(Some(Bytes::from_static(b"abc")), async |bytes| {
                    // what is there is sent before the end shows
                    tokio::task::yield_now().await;
                    bytes.map(|bytes| (Ok::<_, std::io::Error>(bytes), None))
                }))
            };
            respond_stream(&method, &headers, &Entity::new(TEXT), 10, open).await
        }))
    };
    let ask = async |router, range| {
        let server = Server::start("127.0.0.1:0", router, Limits::default());
        let mut client = Client::connect(server.address()).await;
        client.send("GET", "/", &[("range", range)]).await;
        let head = client.head().await;
        let rest = client.rest_of(&head).await;
        drop(client);
        server.done().await;
        (head.status, head.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap() - rest.len())
    };
    assert_eq!(ask(fails(0), "bytes=0-").await, (503, 0), "said before anything is sent");
    assert_eq!(ask(fails(9), "bytes=0-").await, (206, 7), "broken off");
    assert_eq!(ask(fails(9), "bytes=0-1").await, (206, 0), "no more than was asked for");
    let (status, missing) = ask(fails(5), "bytes=0-1,5-6").await;
    assert!(status == 206 && missing > 0, "broken off");
}

#[tokio::test]
async fn documents_in_each_encoding() {
    let text = "<a href=\"x\">x</a>\n".repeat(5000);
    let rendered = Rendered::compressed(Entity::new(TEXT).cache_control("max-age=0").vary("accept"), text.clone());
    assert!(rendered.footprint() < text.len() * 2);
    let router = Router::new()
        .fallback(any(async move |method: Method, headers: HeaderMap| rendered.respond(&method, &headers)));
    let server = Server::start("127.0.0.1:0", router, Limits::default());
    let mut client = Client::connect(server.address()).await;
    let mut tags = Vec::new();
    for (accept, coding) in [("identity", "-"), ("gzip, deflate", "gzip"), ("gzip, deflate, zstd", "zstd")] {
        let answer = client.ask("GET", "/", &[("accept-encoding", accept)]).await;
        let names = ["content-encoding", "vary", "content-type"];
        assert_eq!(heads(&answer, &names), [coding, "accept, accept-encoding", "text/plain"]);
        let plain = match coding {
            "gzip" => std::io::read_to_string(GzDecoder::new(&*answer.body)).unwrap(),
            "zstd" => String::from_utf8(zstd::decode_all(&*answer.body).unwrap()).unwrap(),
            _ => String::from_utf8(answer.body.clone()).unwrap(),
        };
        assert!(plain == text);
        let tag = heads(&answer, &["etag"]).remove(0);
        let again = client.ask("GET", "/", &[("accept-encoding", accept), ("if-none-match", &tag)]).await;
        let names = ["etag", "content-type", "vary", "cache-control", "content-encoding"];
        assert_eq!(again.status, 304);
        assert_eq!(heads(&again, &names), [&*tag, "text/plain", "accept, accept-encoding", "max-age=0", "-"]);
        let part = client.ask("GET", "/", &[("accept-encoding", accept), ("range", "bytes=3-9")]).await;
        assert_eq!((part.status, &part.body[..]), (206, &answer.body[3..10]));
        tags.push(tag);
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "the bytes differ, and so do the tags");
    let other = client.ask("GET", "/", &[("accept-encoding", "gzip"), ("if-none-match", &tags[0])]).await;
    assert_eq!(other.status, 200);
    drop(client);
    server.done().await;
}

#[tokio::test]
async fn what_does_not_get_smaller() {
    let rendered = Rendered::compressed(Entity::new(TEXT), "x");
    assert_eq!((rendered.footprint(), rendered.bytes().as_ref()), (1, &b"x"[..]));
    let headers = HeaderMap::from_iter([(http::header::ACCEPT_ENCODING, HeaderValue::from_static("zstd"))]);
    let answer = rendered.respond(&Method::GET, &headers);
    assert!(!answer.headers().contains_key("content-encoding") && answer.headers()["vary"] == "accept-encoding");
}
