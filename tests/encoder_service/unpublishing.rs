//! What is unpublished is sent no further, by any node, and caches are told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opsctl_testkit::{Postgres, S3};

use super::{Service, in_bucket};
use crate::encoder::clip;
use crate::harness::{PATIENCE, eventually};

/// A copy of what was uploaded: more than fits into the buffers of a connection.
const COPIES: &str = "profile = 'copies'\nprofiles.copies.output.h264 = { kind = 'mp4', short_side = 1080 }";
const FILE: &str = "/media/acme/h264/film.mp4";

/// A download of which nothing is taken but its head.
struct Download {
    reader: BufReader<TcpStream>,
    announced: usize,
}

impl Download {
    fn begin(service: &Service) -> Download {
        let stream = TcpStream::connect(service.running.address("encoder encoder")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        (&stream).write_all(format!("GET {FILE} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        let mut reader = BufReader::with_capacity(1024, stream);
        let (mut line, mut announced) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(length) = line.to_lowercase().strip_prefix("content-length: ") {
                announced = length.trim().parse().unwrap();
            }
            line.clear();
        }
        assert!(announced > 6_000_000, "{announced}");
        Download { reader, announced }
    }

    /// What there still is of it.
    fn rest(mut self) -> (usize, usize) {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
        (rest.len(), self.announced)
    }
}

#[test]
fn a_download_is_broken_off() {
    let service = Service::start(COPIES);
    service.put("film", &clip("trailer_bbb.mp4"), &[]).is(201);
    service.done("film");
    let (whole, cut) = (Download::begin(&service), Download::begin(&service));
    // what changes in between makes no difference
    service.acme("/api/v1/media/film", &["-X", "PATCH", "-d", "title=A film"]).is(200);
    service.curl(FILE, &["-I"]).is(200);
    let (rest, announced) = whole.rest();
    assert_eq!(rest, announced);
    service.acme("/api/v1/media/film/published", &["-X", "DELETE"]).is(200);
    service.curl(FILE, &[]).is(404);
    let (rest, announced) = cut.rest();
    assert!(rest < announced, "{rest} of {announced}");
    // what is deleted as well
    service.acme("/api/v1/media/film/published", &["-X", "PUT"]).is(200);
    let cut = Download::begin(&service);
    service.acme("/api/v1/media/film", &["-X", "DELETE"]).is(204);
    let (rest, announced) = cut.rest();
    assert!(rest < announced, "{rest} of {announced}");
    service.running.stop();
}

#[test]
fn other_nodes_break_off_too() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let host = format!("{}database = '{}'\n", in_bucket(&s3), postgres.url());
    let one = Service::start_on(&host, COPIES);
    let other = Service::node(&host, COPIES);
    one.put("film", &clip("trailer_bbb.mp4"), &[]).is(201);
    one.done("film");
    let cut = Download::begin(&other);
    // what changes in between makes no difference
    one.acme("/api/v1/media/film", &["-X", "PATCH", "-d", "title=A film"]).is(200);
    eventually("the other node hears of it", || {
        let item = other.acme("/api/v1/media/film", &[]).is(200).json();
        (item["title"] == "A film" && other.curl(FILE, &["-I"]).status == 200).then_some(())
    });
    one.acme("/api/v1/media/film/published", &["-X", "DELETE"]).is(200);
    eventually("the other node hears of it", || (other.curl(FILE, &[]).status == 404).then_some(()));
    let (rest, announced) = cut.rest();
    assert!(rest < announced, "{rest} of {announced}");
    other.running.stop();
    one.running.stop();
}

/// A cache that has no time at first; it remembers what it was asked.
fn cache() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(&stream);
            let _ = reader.read_line(&mut line);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let host = head.lines().find_map(|line| line.to_lowercase().strip_prefix("host: ").map(str::to_owned));
            let line = format!("{} {}", host.unwrap_or_default(), line.trim());
            let count = told.lock().unwrap().len();
            told.lock().unwrap().push(line);
            let status = if count == 0 { "503 Service Unavailable" } else { "200 OK" };
            let _ = (&stream)
                .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
        }
    });
    (address, asked)
}

#[test]
fn a_cache_is_told() {
    let (address, asked) = cache();
    let small = "profile = 'small'\nprofiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n\
                 profiles.small.output.thumb = { kind = 'thumbs', count = 2, short_side = 90 }";
    let service = Service::start(&format!("{small}\npurge = 'http://{address}/edge/'\npurge_host = 'media.example'"));
    let told = |line: &str| asked.lock().unwrap().iter().any(|asked| asked == line);
    let files = ["h264/a.mp4", "thumb/a/1.jpg", "thumb/a/2.jpg"];
    let all_told = |what: &str| {
        eventually(what, || {
            let line = |file: &&str| told(&format!("media.example PURGE /edge/media/acme/{file} HTTP/1.1"));
            files.iter().all(line).then(|| asked.lock().unwrap().drain(1..).count())
        })
    };
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("a");
    assert!(asked.lock().unwrap().is_empty(), "nothing was there before");
    service.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    // the first one was refused, and is asked again
    eventually("each file, one of them twice", || (asked.lock().unwrap().len() >= 4).then_some(()));
    all_told("each file is told of");
    service.acme("/api/v1/media/a/published", &["-X", "PUT"]).is(200);
    service.put("a", &clip("bikes.mp4"), &[]).is(200);
    service.done("a");
    all_told("what is replaced");
    service.acme("/api/v1/media/a", &["-X", "DELETE"]).is(204);
    all_told("what is deleted");
    service.running.stop();
}
