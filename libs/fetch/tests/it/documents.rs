//! The cache of documents: fresh, stale, missing, one request for many, and what a restart finds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opsctl_fetch::documents::{Document, Documents, Rules};
use opsctl_fetch::files::Problem;
use opsctl_fetch::{Fetch, Reach, Settings, Url};
use tempfile::TempDir;

use crate::server::{http, script};

const FOREVER: Duration = Duration::from_secs(1_000_000);
const FRESH: Rules = Rules { fresh: FOREVER, missing: FOREVER, stale: FOREVER, retry: FOREVER, limit: 1000 };
/// Always asks.
const ASKING: Rules = Rules { fresh: Duration::ZERO, missing: Duration::ZERO, retry: Duration::ZERO, ..FRESH };

/// A server whose answer changes, and what it was asked.
struct Scene {
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
    url: Url,
    fetch: Fetch,
    folder: TempDir,
}

impl Scene {
    async fn new(answer: &str) -> Scene {
        let (answer, asked) = (Arc::new(Mutex::new(answer.to_owned())), Arc::new(Mutex::new(Vec::new())));
        let (says, hears) = (Arc::clone(&answer), Arc::clone(&asked));
        let url = http(script(move |head| {
            hears.lock().unwrap().push(head.to_owned());
            says.lock().unwrap().clone()
        }))
        .await;
        let fetch = Fetch::new(Settings { reach: Reach::trusting(&url), ..Settings::default() }).unwrap();
        Scene { answer, asked, url, fetch, folder: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> Documents {
        Documents::open(self.folder.path(), 1 << 20).unwrap()
    }

    fn says(&self, answer: &str) {
        *self.answer.lock().unwrap() = answer.to_owned();
    }

    /// Asks the cache; `expected` is the body, `-` for none, or a part of the problem, and how often the server was
    /// asked by now.
    async fn check(&self, documents: &Documents, rules: Rules, expected: &str, asked: usize) -> Option<Document> {
        let got = documents.get(&self.fetch, &self.url, "text/plain", rules).await;
        let said = match &got {
            Ok(document) if document.exists() => String::from_utf8(document.body().await.unwrap().to_vec()).unwrap(),
            Ok(_) => "-".to_owned(),
            Err(problem) => problem.to_string(),
        };
        assert!(said.contains(expected), "{said}, expected {expected}");
        assert_eq!(self.asked.lock().unwrap().len(), asked, "{expected}");
        got.ok()
    }

    fn last(&self) -> String {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

fn page(body: &str, more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{more}content-length: {}\r\n\r\n{body}", body.len())
}

const NOT_MODIFIED: &str = "HTTP/1.1 304 Not Modified\r\n\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn fresh_is_not_asked_for_and_old_is_revalidated() {
    let scene = Scene::new(&page("one", "etag: \"1\"\r\n")).await;
    let documents = scene.open();
    let first = scene.check(&documents, FRESH, "one", 1).await.unwrap();
    assert_eq!((first.content_type(), first.url()), ("text/plain", &scene.url));
    assert!(scene.last().contains("accept: text/plain\r\n"));
    scene.check(&documents, FRESH, "one", 1).await;
    scene.says(NOT_MODIFIED);
    let again = scene.check(&documents, ASKING, "one", 2).await.unwrap();
    assert!(scene.last().contains("if-none-match: \"1\"\r\n"));
    assert_eq!(again.mark(), first.mark());
    scene.says(&page("two", ""));
    let changed = scene.check(&documents, ASKING, "two", 3).await.unwrap();
    assert_ne!(changed.mark(), first.mark());
    documents.expire(&scene.url, "text/plain");
    scene.check(&documents, FRESH, "two", 4).await;
}

#[tokio::test]
async fn a_restart_finds_what_was_kept() {
    let scene = Scene::new(&page("one", "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n")).await;
    scene.check(&scene.open(), FRESH, "one", 1).await;
    scene.check(&scene.open(), FRESH, "one", 1).await;
    scene.says(BROKEN);
    let stale = scene.check(&scene.open(), ASKING, "one", 2).await.unwrap();
    assert!(stale.stale.is_some_and(|problem| problem.to_string().contains("answered 500")));
    assert!(scene.last().contains("if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    // what is damaged is asked for again
    for folder in std::fs::read_dir(scene.folder.path()).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            std::fs::write(file.unwrap().path(), "{").unwrap();
        }
    }
    scene.says(&page("whole", ""));
    scene.check(&scene.open(), FRESH, "whole", 3).await;
}

#[tokio::test]
async fn a_server_that_is_away() {
    let scene = Scene::new(BROKEN).await;
    let documents = scene.open();
    scene.check(&documents, FRESH, "answered 500", 1).await;
    scene.check(&documents, FRESH, "answered 500", 1).await;
    scene.says(&page("one", ""));
    scene.check(&documents, ASKING, "one", 2).await;
    scene.says(BROKEN);
    scene.check(&documents, Rules { retry: FOREVER, ..ASKING }, "one", 3).await;
    scene.check(&documents, Rules { retry: FOREVER, ..ASKING }, "one", 3).await;
    scene.check(&documents, Rules { stale: Duration::ZERO, ..ASKING }, "answered 500", 4).await;
    scene.says("nonsense\r\n\r\n");
    let failed = documents.get(&scene.fetch, &scene.url, "text/plain", Rules { stale: Duration::ZERO, ..ASKING }).await;
    assert!(matches!(failed.unwrap_err().as_ref(), Problem::Fetch(_)));
}

#[tokio::test]
async fn what_is_missing_is_remembered_and_comes_back() {
    let scene = Scene::new(MISSING).await;
    let documents = scene.open();
    scene.check(&documents, FRESH, "-", 1).await;
    scene.check(&documents, FRESH, "-", 1).await;
    scene.says(&page("one", ""));
    scene.check(&documents, ASKING, "one", 2).await;
    // what was there and is gone is not served because the server is away
    scene.says(MISSING);
    scene.check(&documents, ASKING, "-", 3).await;
    scene.says(BROKEN);
    scene.check(&documents, ASKING, "answered 500", 4).await;
}

#[tokio::test]
async fn many_ask_at_once() {
    let scene = Scene::new(&page("one", "")).await;
    let documents = scene.open();
    let ask = || {
        let (documents, fetch, url) = (documents.clone(), scene.fetch.clone(), scene.url.clone());
        tokio::spawn(async move { documents.get(&fetch, &url, "text/plain", FRESH).await.unwrap().exists() })
    };
    for answer in (0..20).map(|_| ask()).collect::<Vec<_>>() {
        assert!(answer.await.unwrap());
    }
    assert_eq!(scene.asked.lock().unwrap().len(), 1);
    scene.says(&page(&"x".repeat(1001), ""));
    scene.check(&documents, Rules { stale: Duration::ZERO, ..ASKING }, "larger than 1000 bytes", 2).await;
}
