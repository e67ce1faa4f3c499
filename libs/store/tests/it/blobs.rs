//! What a service may count on, in every kind of store.

use bytes::Bytes;
use futures_util::TryStreamExt;
use opsctl_store::{Blobs, Error, Location, S3Keys};
use opsctl_testkit::S3;

use crate::support::block_on;

/// Runs a test on every kind of store.
fn on_all(test: impl AsyncFn(&Blobs)) {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start();
    block_on(async {
        let local = Location::local(folder.path());
        test(&Blobs::open(&local, "lab").await.unwrap()).await;
        test(&Blobs::open(&in_bucket(&local, &s3, &s3.bucket()), "lab").await.unwrap()).await;
    });
}

fn in_bucket(local: &Location, s3: &S3, url: &str) -> Location {
    let (access_key, secret_key) = s3.keys();
    let keys = S3Keys { access_key: access_key.to_owned(), secret_key: secret_key.to_owned() };
    local.clone().with_store(url.parse().unwrap(), Some(keys))
}

async fn read(blobs: &Blobs, key: &str) -> Option<Bytes> {
    match blobs.get(key).await.unwrap() {
        Some(blob) => Some(blob.bytes().await.unwrap()),
        None => None,
    }
}

async fn keys(blobs: &Blobs, folder: &str) -> Vec<String> {
    let mut keys: Vec<_> = blobs.list(folder).map_ok(|entry| entry.key).try_collect().await.unwrap();
    keys.sort();
    keys
}

#[test]
fn what_was_put_is_there() {
    on_all(async |blobs| {
        assert_eq!(read(blobs, "a/b").await, None);
        assert_eq!(blobs.head("a/b").await.unwrap(), None);
        let put = blobs.put_bytes("a/b", "one").await.unwrap();
        assert_eq!(read(blobs, "a/b").await.unwrap(), "one");
        let found = blobs.head("a/b").await.unwrap().unwrap();
        assert_eq!((found.size, &found.etag), (3, &put.etag));
        let replaced = blobs.put_bytes("a/b", "three").await.unwrap();
        assert_ne!(replaced.etag, put.etag);
        assert_eq!(read(blobs, "a/b").await.unwrap(), "three");
        assert_eq!(blobs.get("a/b").await.unwrap().unwrap().meta.size, 5);
        assert!(blobs.delete("a/b").await.unwrap());
        assert_eq!(read(blobs, "a/b").await, None);
    });
}

#[test]
fn files_are_moved_in() {
    on_all(async |blobs| {
        // more than two parts
        let big: Vec<u8> = (0..20_000_000_u32).map(|i| i.to_le_bytes()[1] ^ i.to_le_bytes()[2]).collect();
        let temp = blobs.temp();
        std::io::Write::write_all(&mut temp.create().unwrap(), &big).unwrap();
        let meta = blobs.put_file("deep/er/file", temp.path()).await.unwrap();
        assert_eq!(meta.size, 20_000_000);
        assert_eq!(blobs.head("deep/er/file").await.unwrap().unwrap().etag, meta.etag);
        assert!(!temp.path().exists());
        assert!(read(blobs, "deep/er/file").await.unwrap() == big);
        // from wherever it is
        let elsewhere = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        std::fs::write(elsewhere.path(), "from another file system").unwrap();
        blobs.put_file("moved", elsewhere.path()).await.unwrap();
        assert!(!elsewhere.path().exists());
        assert_eq!(read(blobs, "moved").await.unwrap(), "from another file system");
        for path in ["/nonexistent/file", "/proc/self/exe", "/tmp"] {
            let error = blobs.put_file("x", path).await.unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{error:?}");
        }
    });
}

#[test]
fn parts() {
    on_all(async |blobs| {
        blobs.put_bytes("x", "0123456789").await.unwrap();
        let check = async |range: std::ops::Range<u64>, expected: &'static str| {
            let blob = blobs.get_range("x", range.clone()).await.unwrap().unwrap();
            assert_eq!(blob.meta.size, 10);
            assert_eq!(blob.range.end - blob.range.start, u64::try_from(expected.len()).unwrap(), "{range:?}");
            assert_eq!(blob.bytes().await.unwrap(), expected, "{range:?}");
        };
        check(0..10, "0123456789").await;
        check(0..1, "0").await;
        check(3..7, "3456").await;
        check(8..99, "89").await;
        check(10..12, "").await;
        check(50..60, "").await;
        check(4..4, "").await;
        assert!(blobs.get_range("y", 0..1).await.unwrap().is_none());
    });
}

#[test]
fn of_many_that_put_one_key_one_succeeds() {
    on_all(async |blobs| {
        let puts = (0..12).map(|number| blobs.put_if_absent("one", format!("{number}").into_bytes()));
        let done = futures_util::future::join_all(puts).await;
        let winners: Vec<_> = done.iter().enumerate().filter(|(_, put)| put.as_ref().unwrap().is_some()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(read(blobs, "one").await.unwrap(), winners[0].0.to_string());
        // a file that lost stays where it was
        let temp = blobs.temp();
        std::fs::write(temp.path(), "late").unwrap();
        assert!(blobs.put_if_absent("one", temp.path()).await.unwrap().is_none());
        assert!(temp.path().exists());
        let elsewhere = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        assert!(blobs.put_if_absent("one", elsewhere.path()).await.unwrap().is_none());
        assert!(elsewhere.path().exists());
        assert!(blobs.put_if_absent("two", temp.path()).await.unwrap().is_some());
        assert!(!temp.path().exists());
    });
}

#[test]
fn lists() {
    on_all(async |blobs| {
        assert!(keys(blobs, "").await.is_empty());
        for key in ["a/1", "a/2", "a/deep/3", "ab/4", "top"] {
            blobs.put_bytes(key, "x").await.unwrap();
        }
        assert_eq!(keys(blobs, "").await, ["a/1", "a/2", "a/deep/3", "ab/4", "top"]);
        assert_eq!(keys(blobs, "a").await, ["a/1", "a/2", "a/deep/3"]);
        assert_eq!(keys(blobs, "a/deep").await, ["a/deep/3"]);
        assert!(keys(blobs, "none").await.is_empty());
        assert!(blobs.delete("a/deep/3").await.unwrap());
        assert_eq!(keys(blobs, "a").await, ["a/1", "a/2"]);
        assert!(matches!(blobs.list("..").try_next().await, Err(Error::Key { .. })));
    });
}

#[test]
fn keys_cannot_leave_the_store() {
    on_all(async |blobs| {
        for key in ["../x", "/etc/passwd", "a/../../x", "", ".incoming/x"] {
            assert!(matches!(blobs.put_bytes(key, "x").await, Err(Error::Key { .. })), "{key}");
            assert!(matches!(blobs.get(key).await, Err(Error::Key { .. })), "{key}");
            assert!(matches!(blobs.delete(key).await, Err(Error::Key { .. })), "{key}");
            assert_eq!(blobs.local_path(key), None, "{key}");
        }
    });
}

#[test]
fn large_blobs_that_are_there_stay() {
    on_all(async |blobs| {
        let put = async |fill: u8| {
            let temp = blobs.temp();
            std::fs::write(temp.path(), vec![fill; 9_000_000]).unwrap();
            blobs.put_if_absent("large", temp.path()).await.unwrap()
        };
        let puts = futures_util::future::join_all([put(1), put(2), put(3)]).await;
        assert_eq!(puts.iter().flatten().count(), 1);
        let winner = puts.iter().position(Option::is_some).unwrap();
        let found = read(blobs, "large").await.unwrap();
        assert_eq!((found.len(), usize::from(found[0])), (9_000_000, winner + 1));
        assert_eq!(put(4).await, None);
        assert_eq!(keys(blobs, "").await, ["large"]);
    });
}

#[test]
fn services_share_a_bucket_and_see_their_own() {
    let (folder, s3) = (tempfile::tempdir().unwrap(), S3::start());
    block_on(async {
        let url = s3.bucket().replace('?', "/team/a?");
        let location = in_bucket(&Location::local(folder.path()), &s3, &url);
        let (one, other) =
            (Blobs::open(&location, "one").await.unwrap(), Blobs::open(&location, "other").await.unwrap());
        one.put_bytes("x", "1").await.unwrap();
        assert!(keys(&other, "").await.is_empty());
        assert_eq!(keys(&one, "").await, ["x"]);
        // another node sees the same
        let elsewhere = tempfile::tempdir().unwrap();
        let node = in_bucket(&Location::local(elsewhere.path()), &s3, &url);
        assert_eq!(read(&Blobs::open(&node, "one").await.unwrap(), "x").await.unwrap(), "1");
    });
}

#[test]
fn a_store_that_cannot_be_used_says_so() {
    let (folder, s3) = (tempfile::tempdir().unwrap(), S3::start());
    block_on(async {
        let local = Location::local(folder.path());
        let error = Blobs::open(&in_bucket(&local, &s3, &s3.url("nowhere")), "lab").await.unwrap_err();
        assert!(matches!(error, Error::Other { .. }), "{error:?}");
        assert!(error.to_string().starts_with("failed to use the store `s3://nowhere?endpoint="), "{error}");

        let wrong = S3Keys { access_key: "AKIATEST".into(), secret_key: "hunter2".into() };
        let location = local.clone().with_store(s3.bucket().parse().unwrap(), Some(wrong));
        let error = Blobs::open(&location, "lab").await.unwrap_err();
        assert!(matches!(error, Error::Denied { .. }) && !format!("{error:?}").contains("hunter2"), "{error:?}");

        let location = in_bucket(&local, &s3, &s3.bucket());
        let blobs = Blobs::open(&location, "lab").await.unwrap();
        drop(s3);
        let error = blobs.put_bytes("x", "1").await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
    });
}

#[test]
fn a_folder_is_files() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("packages");
        let blobs = Blobs::folder(&root).await.unwrap();
        blobs.put_bytes("a/b", "one").await.unwrap();
        assert_eq!(blobs.local_path("a/b").unwrap(), root.join("a/b"));
        assert_eq!(std::fs::read_to_string(root.join("a/b")).unwrap(), "one");
        // dropped in by somebody
        std::fs::write(root.join("a/c"), "two").unwrap();
        std::fs::write(root.join("a/.hidden"), "no").unwrap();
        std::fs::write(root.join("a/not a key"), "no").unwrap();
        std::os::unix::fs::symlink("..", root.join("a/loop")).unwrap();
        assert_eq!(keys(&blobs, "").await, ["a/b", "a/c"]);
        assert_eq!(blobs.head("a").await.unwrap(), None);
        assert!(blobs.get("a").await.unwrap().is_none());
        // a folder goes with its last blob
        blobs.put_bytes("x/y/z", "1").await.unwrap();
        blobs.delete("x/y/z").await.unwrap();
        assert!(!root.join("x").exists());
    });
}

#[test]
fn what_a_crash_leaves_is_swept_and_what_lives_is_not() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let incoming = folder.path().join(".incoming");
        let living = Blobs::folder(folder.path()).await.unwrap();
        let temp = living.temp();
        std::fs::write(temp.path(), "being written").unwrap();
        for (name, with_lock) in [("1-0", true), ("2-0", false)] {
            std::fs::create_dir(incoming.join(name)).unwrap();
            std::fs::write(incoming.join(name).join("7"), "half").unwrap();
            if with_lock {
                std::fs::write(incoming.join(name).join("lock"), "").unwrap();
            }
        }
        let next = Blobs::folder(folder.path()).await.unwrap();
        assert!(temp.path().exists());
        assert!(!incoming.join("1-0").exists() && !incoming.join("2-0").exists());
        drop(temp);
        drop(living);
        drop(next);
        let left: Vec<_> = std::fs::read_dir(&incoming).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    });
}
