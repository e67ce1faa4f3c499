//! Uploads that are cut off, in a folder and in a bucket: at each step, what is found afterwards is all of them or nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opsctl_dist::{Level, ProjectName, Version};
use opsctl_store::Blobs;
use tempfile::TempDir;

use super::recover::recover;
use super::shelf::Files;
use super::*;
use crate::bucket::Bucket;
use crate::catalog::Catalog;
use crate::changes::tests::{open_with, sdist};
use crate::changes::{By, Changes, Selection};
use crate::config::IndexName;
use crate::records::{Home, Records};

/// Two indexes, `main` and `stage`, as one machine has them.
struct Machine {
    records: Records,
    catalog: Arc<Catalog>,
    stores: Arc<BTreeMap<IndexName, Store>>,
    changes: Changes,
    bucket: Option<Bucket>,
}

struct Scene {
    dir: TempDir,
    home: Home,
}

/// Runs a test with both.
async fn on_both(test: impl AsyncFn(&Scene)) {
    for home in [Home::Folder, Home::Bucket] {
        test(&Scene { dir: tempfile::tempdir().unwrap(), home }).await;
    }
}

impl Scene {
    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Starts one; what is on its way to the bucket is in the folder `name`.
    async fn start(&self, name: &str) -> Machine {
        // a bucket of files: what is in one is the same
        let bucket = match self.home {
            Home::Folder => None,
            Home::Bucket => Some(Bucket::new(Blobs::folder(self.path("bucket")).await.unwrap())),
        };
        let terms = ["main", "stage"].map(|index| {
            let root = self.path(index);
            std::fs::create_dir_all(&root).unwrap();
            let (shelf, spool) = match &bucket {
                None => (Shelf::Folder(Arc::new(root.clone())), Spool::within(&root)),
                Some(bucket) => (Shelf::Bucket(bucket.clone()), Spool::at(self.path(name).join(index))),
            };
            (index.parse().unwrap(), Terms { shelf, spool, volatile: false, strict: false })
        });
        let (records, origins, catalog, stores) = open_with(self.dir.path(), self.home, terms.into()).await;
        let changes = Changes::new(Arc::clone(&catalog), origins, Arc::clone(&stores));
        Machine { records, catalog, stores, changes, bucket }
    }

    /// All files that lie there, by their names.
    fn there(&self) -> Vec<String> {
        let folders = match self.home {
            Home::Folder => vec![self.path("main"), self.path("stage")],
            Home::Bucket => vec![self.path("bucket")],
        };
        let mut names = Vec::new();
        let mut left = folders;
        while let Some(folder) = left.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().unwrap();
                match entry.path().is_dir() {
                    true if name.starts_with('.') => {}
                    true => left.push(entry.path()),
                    false => names.push(name),
                }
            }
        }
        names.sort();
        names
    }

    #[track_caller]
    fn check(&self, folder: &[&str], bucket: &[&str]) {
        assert_eq!(self.there(), if self.home == Home::Folder { folder } else { bucket });
    }
}

impl Machine {
    fn store(&self, index: &str) -> &Store {
        &self.stores[index]
    }

    /// A checked file in the spool.
    fn spooled(&self, scene: &Scene, index: &str, name: &str, version: &str) -> (Pending, Spooled) {
        let path = sdist(&scene.path("made"), name, version);
        let store = self.store(index);
        let spooled = store.spool.copy(&path, 1 << 20).unwrap();
        let filename = path.file_name().unwrap().to_str().unwrap();
        let (filename, facts) = check_file(filename, &spooled, Level::Legacy).unwrap();
        let sender = Sender { actor: "admin".to_owned(), address: String::new(), attestations: None };
        (store.pending(&filename, facts, &spooled, sender), spooled)
    }

    async fn upload(&self, scene: &Scene, index: &str, name: &str, version: &str) -> Result<bool, Error> {
        let file = self.spooled(scene, index, name, version);
        Ok(!self.store(index).land(vec![file]).await?.is_empty())
    }

    /// As far as to the journal.
    async fn claimed(&self, scene: &Scene, index: &str, batch: Option<&str>, versions: &[&str]) -> Files {
        let mut files: Files = versions.iter().map(|version| self.spooled(scene, index, "demo", version)).collect();
        for (pending, spooled) in &mut files {
            pending.batch = batch.map(Into::into);
            spooled.is_in_journal();
        }
        let pending: Vec<_> = files.iter().map(|(pending, _)| pending.clone()).collect();
        self.records.claim_all(&pending, false).await.unwrap();
        files
    }

    /// As far as to the names of the files.
    async fn named(&self, scene: &Scene, index: &str, batch: Option<&str>, versions: &[&str]) -> Files {
        let files = self.claimed(scene, index, batch, versions).await;
        let (stamps, files) = self.store(index).shelf.name(files, false).await;
        stamps.unwrap();
        files
    }

    fn served(&self, index: &str) -> Vec<String> {
        let snapshot = self.catalog.snapshot();
        let files = snapshot.index(index).map_or_else(Vec::new, |index| index.files());
        files.iter().map(|file| file.filename.to_string()).collect()
    }

    async fn recover(&self, index: &str) -> (usize, usize, usize) {
        let Recovered { finished, undone, removed } = recover(self.store(index)).await.unwrap();
        (finished, undone, removed)
    }
}

/// What a process leaves behind that is killed: locks are gone, files stay.
fn killed(scene: &Scene, files: Files) {
    for (_, spooled) in files {
        if scene.home == Home::Folder && spooled.has_name() {
            continue;
        }
        let bytes = std::fs::read(&spooled.path).unwrap();
        let path = spooled.path.clone();
        drop(spooled);
        std::fs::write(path, bytes).unwrap();
    }
}

#[tokio::test]
async fn one_that_never_got_its_name_is_undone() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        let files = one.claimed(scene, "main", None, &["1.0"]).await;
        assert_eq!(one.recover("main").await, (0, 0, 0), "it is worked on");
        killed(scene, files);
        let removed = usize::from(scene.home == Home::Bucket);
        assert_eq!(one.recover("main").await, (0, 1, removed));
        assert_eq!(one.records.pending("main").await.unwrap(), []);
        assert_eq!(one.store("main").spool.files().unwrap(), [""; 0].map(PathBuf::from));
        scene.check(&[], &[]);
        assert!(one.upload(scene, "main", "demo", "1.0").await.unwrap());
        scene.check(&["demo-1.0.tar.gz"], &["METADATA", "demo-1.0.tar.gz"]);
    })
    .await;
}

#[tokio::test]
async fn one_that_has_its_name_is_finished() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        let files = one.named(scene, "main", None, &["1.0"]).await;
        assert_eq!(one.recover("main").await, (0, 0, 0), "it is worked on");
        assert_eq!(one.served("main"), [""; 0]);
        killed(scene, files);
        assert_eq!(one.recover("main").await, (1, 0, 0));
        assert_eq!(one.served("main"), ["demo-1.0.tar.gz"]);
        assert_eq!(one.recover("main").await, (0, 0, 0));
        assert!(!one.upload(scene, "main", "demo", "1.0").await.unwrap(), "it is there");
        scene.check(&["demo-1.0.tar.gz"], &["METADATA", "demo-1.0.tar.gz"]);
    })
    .await;
}

#[tokio::test]
async fn who_wants_the_name_of_one_that_was_cut_off_gets_it() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        // a request that was dropped, and a transaction that failed
        drop(one.claimed(scene, "main", None, &["1.0"]).await);
        assert!(one.upload(scene, "main", "demo", "1.0").await.unwrap());
        drop(one.named(scene, "main", None, &["1.1"]).await);
        assert!(!one.upload(scene, "main", "demo", "1.1").await.unwrap(), "it was finished");
        assert_eq!(one.served("main"), ["demo-1.0.tar.gz", "demo-1.1.tar.gz"]);
        one.recover("main").await;
        assert_eq!(one.store("main").spool.files().unwrap(), [""; 0].map(PathBuf::from));
    })
    .await;
}

#[tokio::test]
async fn a_promotion_is_finished_or_undone_as_a_whole() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        let batch = Some("batch");
        let named = one.named(scene, "main", batch, &["1.0"]).await;
        let lost = one.claimed(scene, "main", batch, &["1.1"]).await;
        killed(scene, named);
        assert_eq!(one.recover("main").await, (0, 0, 0), "one of the two is worked on");
        killed(scene, lost);
        let removed = if scene.home == Home::Bucket { 2 } else { 1 };
        assert_eq!(one.recover("main").await, (0, 2, removed));
        assert_eq!(one.served("main"), [""; 0]);
        scene.check(&[], &[]);
        let both = one.named(scene, "main", batch, &["1.0", "1.1"]).await;
        killed(scene, both);
        assert_eq!(one.recover("main").await, (2, 0, 0));
        assert_eq!(one.served("main"), ["demo-1.0.tar.gz", "demo-1.1.tar.gz"]);
    })
    .await;
}

#[tokio::test]
async fn a_release_is_promoted_from_anywhere() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        one.upload(scene, "stage", "demo", "1.0").await.unwrap();
        let (name, version) = (ProjectName::parse("demo").unwrap(), Version::parse("1.0").unwrap());
        let promoted = one.changes.promote("stage", "main", &name, &version, &By::test(5)).await.unwrap();
        assert_eq!(promoted, ["demo-1.0.tar.gz".into()]);
        scene.check(
            &["demo-1.0.tar.gz", "demo-1.0.tar.gz"],
            &["METADATA", "METADATA", "demo-1.0.tar.gz", "demo-1.0.tar.gz"],
        );
        let file = Selection::Project(name);
        one.changes.remove("stage", &file, &By::test(5)).await.unwrap();
        assert_eq!((one.served("stage").len(), one.served("main").len()), (0, 1));
        scene.check(&["demo-1.0.tar.gz"], &["METADATA", "demo-1.0.tar.gz"]);
        assert_eq!(one.recover("stage").await, (0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_removal_that_was_cut_off_is_done_by_the_next_start() {
    on_both(async |scene| {
        let one = scene.start("one").await;
        for version in ["1.0", "1.1"] {
            one.upload(scene, "main", "demo", version).await.unwrap();
        }
        // the transaction, and not what comes after
        for file in ["demo-1.0.tar.gz", "demo-1.1.tar.gz"] {
            one.records.remove("main", "demo", file, &By::test(5)).await.unwrap().unwrap();
        }
        // what is there instead by now is not what had to go
        if scene.home == Home::Folder {
            std::fs::write(scene.path("main/demo/demo-1.1.tar.gz"), "another").unwrap();
        }
        let next = scene.start("one").await;
        assert_eq!(next.recover("main").await, (0, 0, 2));
        scene.check(&["demo-1.1.tar.gz"], &[]);
        assert_eq!(next.served("main"), [""; 0]);
        assert_eq!(next.records.removals("main").await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn another_machine_waits_and_takes_over_when_nothing_is_heard_any_more() {
    let scene = Scene { dir: tempfile::tempdir().unwrap(), home: Home::Bucket };
    let (one, other) = (scene.start("one").await, scene.start("other").await);
    let lost = one.claimed(&scene, "main", None, &["1.0"]).await;
    let mut named = one.named(&scene, "main", None, &["1.1"]).await;
    assert_eq!(other.recover("main").await, (0, 0, 0));
    let waiting = other.upload(&scene, "main", "demo", "1.0");
    assert!(tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err(), "it waits");
    // time passes, without being waited for, and one of them lives
    let later = Duration::from_secs(120);
    other.store("main").silence.age(later);
    let alive: Vec<_> = named.iter().map(|(pending, _)| pending.clone()).collect();
    one.records.beat(&alive, alive[0].beat + 1).await.unwrap();
    assert_eq!(other.recover("main").await, (0, 1, 1));
    other.store("main").silence.age(later);
    assert_eq!(other.recover("main").await, (1, 0, 0));
    assert_eq!(other.served("main"), ["demo-1.1.tar.gz"]);
    // who was only asleep finds that it is too late, and does no harm
    let stamps = one.store("main").shelf.name(lost, false).await.0.unwrap();
    assert_eq!(stamps.len(), 1);
    named.iter_mut().for_each(|(_, spooled)| spooled.is_done());
    let late = alive.into_iter().map(|pending| (pending, stamps[0])).collect();
    assert!(!one.store("main").finish(late).await.unwrap());
    assert!(other.upload(&scene, "main", "demo", "1.0").await.unwrap());
    let bucket = other.bucket.as_ref().unwrap();
    let known = other.records.paths("main").await.unwrap();
    let unknown = bucket.keys("main").await.unwrap();
    let unknown = unknown.iter().filter(|key| key.ends_with(".gz") && !known.contains(&***key));
    assert_eq!(unknown.count(), 1, "what fsck finds");
}
