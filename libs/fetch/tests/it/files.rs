//! The cache of files: one fetch for all who ask, nothing half there, nothing wrong kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opsctl_fetch::files::{Digest, Files, Found, Incoming, Want};
use opsctl_fetch::{Fetch, Reach, Settings, Url};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::server::{Script, http, ok, script};

struct Scene {
    url: Url,
    fetch: Fetch,
    files: Files,
    folder: TempDir,
}

async fn scene(script: Script) -> Scene {
    let url = http(script).await;
    let settings =
        Settings { reach: Reach::trusting(&url), read_timeout: Duration::from_millis(300), ..Settings::default() };
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path(), 1 << 30).unwrap();
    Scene { url, fetch: Fetch::new(settings).unwrap(), files, folder }
}

fn digest(body: &str) -> Digest {
    Sha256::digest(body).into()
}

impl Scene {
    fn pull(&self, digest: Option<Digest>, limit: u64) -> Found {
        let want = Want { url: self.url.clone(), digest, limit };
        self.files.pull(&self.fetch, want, |task| drop(tokio::spawn(task)))
    }

    fn incoming(&self, digest: Option<Digest>, limit: u64) -> Incoming {
        match self.pull(digest, limit) {
            Found::Incoming(incoming) => incoming,
            Found::Here(path) => panic!("{} is here", path.display()),
        }
    }

    /// Names below the cache's folder.
    fn kept(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.folder.path()).unwrap().map(|folder| folder.unwrap().path());
        let names = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
        names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// All that can be read, and how it ended.
async fn read(mut incoming: Incoming) -> (Vec<u8>, Result<(), String>) {
    let mut got = Vec::new();
    loop {
        match incoming.chunk().await {
            Ok(Some(bytes)) => got.extend_from_slice(&bytes),
            Ok(None) => return (got, Ok(())),
            Err(problem) => return (got, Err(problem.to_string())),
        }
    }
}

#[tokio::test]
async fn many_ask_and_one_fetches() {
    let body: String = (0..200_000).map(|n| format!("{n} ")).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, answer) = (Arc::clone(&asked), ok(&body));
    let scene = scene(script(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        answer.clone()
    }))
    .await;
    let readers: Vec<_> = (0..16).map(|_| scene.incoming(Some(digest(&body)), 1 << 30)).collect();
    for reader in readers {
        assert_eq!(read(reader).await, (body.clone().into_bytes(), Ok(())));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let Found::Here(path) = scene.pull(Some(digest(&body)), 1 << 30) else { panic!("it is not here") };
    assert_eq!(std::fs::read_to_string(path).unwrap(), body);
    assert_eq!(scene.files.size(), (body.len() as u64, 1));
}

/// `answer` fails with `expected`, after no more than `got` could be read, and leaves nothing.
async fn check(answer: String, end: bool, expected: &str, got: &str) {
    let scene = scene(Arc::new(move |_| (answer.clone(), end))).await;
    let mut incoming = scene.incoming(Some(digest("right")), 20);
    let whole = incoming.whole().await.unwrap_err().to_string();
    assert!(whole.contains(expected), "{whole}");
    let (read, end) = read(scene.incoming(Some(digest("right")), 20)).await;
    assert!(got.as_bytes().starts_with(&read), "{read:?}");
    assert_eq!(end, Err(whole));
    assert_eq!(scene.kept(), [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_is_not_kept() {
    check(ok("wrong"), true, "has SHA-256", "wron").await;
    check("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into(), true, "answered 404", "").await;
    check(ok(&"x".repeat(21)), true, "larger than 20 bytes", "").await;
    check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nrig".into(), true, "failed to fetch", "").await;
    check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nrig".into(), false, "took too long", "").await;
}

#[tokio::test]
async fn what_has_come_is_read_before_the_end() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n".to_owned() + &"x".repeat(600_000);
    let scene = scene(Arc::new(move |_| (head.clone(), false))).await;
    let mut incoming = scene.incoming(None, 1 << 20);
    assert_eq!(incoming.length().await.unwrap(), Some(900_000));
    let (got, end) = read(incoming).await;
    assert!(got.len() >= 256 * 1024 - 1 && end.is_err(), "{} {end:?}", got.len());
}

#[tokio::test]
async fn a_download_survives_its_readers_and_its_task_cut_off_is_told() {
    let scene = scene(script(|_| ok("right"))).await;
    drop(scene.incoming(Some(digest("right")), 20));
    let there = async {
        while scene.files.get(&digest("right")).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), there).await.expect("it comes all the same");
    scene.files.remove(&digest("right"));
    let want = Want { url: scene.url.clone(), digest: None, limit: 20 };
    let Found::Incoming(mut incoming) = scene.files.pull(&scene.fetch, want.clone(), drop) else { panic!() };
    assert_eq!(incoming.whole().await.unwrap_err().to_string(), "the download was cut off");
    let (found, path) = scene.incoming(None, 20).whole().await.unwrap();
    assert_eq!((found, std::fs::read_to_string(path).unwrap()), (digest("right"), "right".to_owned()));
}
