//! A mirror against an upstream that says what the test tells it to say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use opsctl_dist::{Digests, Wanted};
use opsctl_store::{Database, Location};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::catalog::Digest;
use crate::config::tests::config;
use crate::records::{Home, MIGRATIONS};

/// What the upstream has, by path: a content type and a body.
type Shelf = Arc<Mutex<HashMap<String, (&'static str, String)>>>;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

struct Scene {
    has: Shelf,
    asked: Arc<Mutex<Vec<String>>>,
    url: String,
    folder: TempDir,
    records: Records,
}

impl Scene {
    async fn new() -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/simple", listener.local_addr().unwrap());
        let (has, asked) = (Shelf::default(), Arc::new(Mutex::new(Vec::new())));
        beside(serve(listener, Arc::clone(&has), Arc::clone(&asked)));
        let folder = tempfile::tempdir().unwrap();
        let location = Location::local(folder.path());
        let records = Records::new(Database::open(&location, "index", &MIGRATIONS).await.unwrap(), Home::Folder);
        Scene { has, asked, url, folder, records }
    }

    fn has(&self, path: &str, kind: &'static str, body: &str) {
        self.has.lock().unwrap().insert(path.to_owned(), (kind, body.to_owned()));
    }

    /// A page in JSON with these files: name, body whose digest it says, upload time.
    fn page(&self, project: &str, files: &[(&str, &str, &str)]) {
        let file = |(name, body, time): &(&str, &str, &str)| {
            let sha256 = digest(body);
            format!(
                r#"{{"filename":"{name}","url":"../../files/{name}","hashes":{{"sha256":"{sha256}"}},"upload-time":"{time}"}}"#
            )
        };
        let files = files.iter().map(file).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"{project}","versions":[],"files":[{files}]}}"#);
        self.has(&format!("/simple/{project}/"), JSON, &body);
    }

    fn mirror(&self, more: &str) -> Mirror {
        let set = [&*format!("url={}", self.url), more].map(|set| format!("indexes.public.{set}"));
        let config = config(&set[..if more.is_empty() { 1 } else { 2 }].join("\n")).unwrap();
        let name = "public".parse().unwrap();
        let config = config.indexes[&name].mirror().unwrap();
        Mirror::open(name, config, 1000, self.folder.path(), self.records.clone()).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn digest(body: &str) -> Digest {
    Digests::of(body.as_bytes(), Wanted::Sha256).sha256
}

#[expect(clippy::disallowed_methods, reason = "a test's server runs beside it")]
fn beside(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

async fn serve(listener: TcpListener, has: Shelf, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let found = has.lock().unwrap().get(&path).cloned();
        asked.lock().unwrap().push(path);
        let answer = match found {
            Some((kind, body)) => {
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
            }
            None => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

const OLD: &str = "2020-01-01T00:00:00Z";
/// 2026-01-01.
const NOW: i64 = 1_767_225_600_000_000;

/// Names of the files that `project` has.
async fn names(mirror: &Mirror, project: &str) -> Vec<String> {
    let page = mirror.project(project).await.unwrap();
    page.map_or_else(Vec::new, |page| page.files(NOW).map(|file| file.filename.clone()).collect())
}

#[tokio::test]
async fn a_page_is_asked_for_once_and_a_file_comes_in() {
    let scene = Scene::new().await;
    scene.page("demo", &[("demo-1.0.tar.gz", "one", OLD), ("demo-2.0.tar.gz", "two", OLD)]);
    scene.has("/files/demo-1.0.tar.gz", "text/plain", "one");
    let mirror = scene.mirror("");
    assert_eq!(names(&mirror, "demo").await, ["demo-1.0.tar.gz", "demo-2.0.tar.gz"]);
    assert_eq!(names(&mirror, "demo").await.len(), 2);
    assert!(mirror.project("nothing").await.unwrap().is_none());
    assert!(mirror.project("nothing").await.unwrap().is_none());
    assert_eq!(scene.asked(), ["/simple/demo/", "/simple/nothing/"]);
    let page = mirror.project("demo").await.unwrap().unwrap();
    let file = page.file("demo-1.0.tar.gz", Some(&digest("one")), NOW).unwrap();
    let Some(Bytes::Incoming(mut incoming)) = mirror.pull(file, beside) else { panic!("{file:?}") };
    assert_eq!(incoming.whole().await.unwrap().0, digest("one").0);
    let Some(Bytes::Here(path)) = mirror.pull(file, beside) else { panic!("{file:?}") };
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one");
    assert_eq!(scene.asked(), ["/files/demo-1.0.tar.gz"]);
    assert!(page.file("demo-1.0.tar.gz", Some(&digest("two")), NOW).is_none());
}

#[tokio::test]
async fn a_digest_that_changes_loses_the_file() {
    let scene = Scene::new().await;
    let files = [("demo-1.0.tar.gz", "one", OLD), ("demo-2.0.tar.gz", "two", OLD)];
    scene.page("demo", &files);
    assert_eq!(names(&scene.mirror("fresh=0s"), "demo").await.len(), 2);
    let poisoned = [("demo-1.0.tar.gz", "evil", OLD), ("demo-2.0.tar.gz", "two", OLD), ("demo-3.0.tar.gz", "new", OLD)];
    scene.page("demo", &poisoned);
    // also when everything but the database is new
    let mirror = scene.mirror("fresh=0s");
    assert_eq!(names(&mirror, "demo").await, ["demo-2.0.tar.gz", "demo-3.0.tar.gz"]);
    // a page that says no digest any more is no way round it
    scene.has("/simple/demo/", "text/html", "<a href='/files/demo-1.0.tar.gz'>demo-1.0.tar.gz</a>");
    assert_eq!(names(&mirror, "demo").await, [""; 0]);
}

#[tokio::test]
async fn what_is_young_does_not_exist_yet() {
    let scene = Scene::new().await;
    let young = "2025-12-30T00:00:00Z";
    scene.page("demo", &[("demo-1.0.tar.gz", "one", OLD), ("demo-2.0.tar.gz", "two", young)]);
    let mirror = scene.mirror("min_release_age=168h");
    assert_eq!(names(&mirror, "demo").await, ["demo-1.0.tar.gz"]);
    let page = mirror.project("demo").await.unwrap().unwrap();
    assert!(page.file("demo-2.0.tar.gz", None, NOW).is_none());
    let day = 24 * 3600 * 1_000_000;
    assert_eq!(page.next_change(NOW), Some(NOW + 5 * day));
    assert_eq!((page.files(NOW + 5 * day).count(), page.next_change(NOW + 5 * day)), (2, None));
    // of unknown age: young
    scene.has("/simple/html/", "text/html", "<a href='/files/html-1.0.tar.gz'>html-1.0.tar.gz</a>");
    assert_eq!(names(&mirror, "html").await, [""; 0]);
    assert_eq!(names(&scene.mirror(""), "html").await, ["html-1.0.tar.gz"]);
}

#[tokio::test]
async fn an_upstream_that_talks_nonsense() {
    let scene = Scene::new().await;
    scene.has("/simple/demo/", "image/png", "x");
    let error = scene.mirror("").project("demo").await.unwrap_err();
    assert!(matches!(error, Trouble::Page { .. }), "{error}");
    scene.page("demo", &[("demo-1.0.tar.gz", "one", OLD)]);
    scene.has("/files/demo-1.0.tar.gz", "text/plain", "evil");
    let mirror = scene.mirror("fresh=0s");
    let page = mirror.project("demo").await.unwrap().unwrap();
    let file = page.file("demo-1.0.tar.gz", None, NOW).unwrap();
    let Some(Bytes::Incoming(mut incoming)) = mirror.pull(file, beside) else { panic!("{file:?}") };
    assert!(incoming.whole().await.unwrap_err().to_string().contains("has SHA-256"));
}

#[test]
fn pip_is_asked() {
    let url = pip::index_url().unwrap();
    assert!(url.path().contains("simple") || url.has_host(), "{url}");
}
