//! Changes on real files and a real database, and what is served after each.

use std::io::Write;
use std::path::{Path, PathBuf};

use opsctl_store::{Database, Location, params};
use tempfile::TempDir;

use super::*;
use crate::follow::Follower;
use crate::origins::Verdict;
use crate::records::{Home, MIGRATIONS};
use crate::upload::{Sender, Shelf, Spool, Terms, check_file};

/// A source distribution: a tar file of one member.
pub(crate) fn sdist(folder: &Path, name: &str, version: &str) -> PathBuf {
    sdist_saying(folder, name, version, "")
}

/// The same, whose metadata say more.
pub(crate) fn sdist_saying(folder: &Path, name: &str, version: &str, more: &str) -> PathBuf {
    let body = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}");
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &format!("{name}-{version}/PKG-INFO"));
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", body.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend(body.as_bytes());
    tar.resize(tar.len().div_ceil(512) * 512 + 1024, 0);
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{name}-{version}.tar.gz"));
    let file = std::fs::File::create(&path).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(&tar).unwrap();
    packed.finish().unwrap();
    path
}

/// Two indexes, `main` and `stage`.
struct Scene {
    dir: TempDir,
    records: Records,
    origins: Arc<Origins>,
    catalog: Arc<Catalog>,
    stores: Arc<BTreeMap<IndexName, Store>>,
    changes: Changes,
}

/// What is open.
type Open = (Records, Arc<Origins>, Arc<Catalog>, Arc<BTreeMap<IndexName, Store>>);

pub(crate) async fn open(dir: &Path) -> Open {
    let terms = ["main", "stage"].map(|name| {
        let root = dir.join(name);
        std::fs::create_dir_all(&root).unwrap();
        let spool = Spool::within(&root);
        let terms = Terms { shelf: Shelf::Folder(Arc::new(root)), spool, volatile: false, strict: false };
        (name.parse().unwrap(), terms)
    });
    open_with(dir, Home::Folder, terms.into()).await
}

/// The same with other places for the files.
pub(crate) async fn open_with(dir: &Path, home: Home, terms: BTreeMap<IndexName, Terms>) -> Open {
    let db = Database::open(&Location::local(dir), "index", &MIGRATIONS).await.unwrap();
    let records = Records::new(db, home);
    let origins = Arc::new(Origins::open(records.clone()).await.unwrap());
    let shelves = terms.iter().map(|(name, terms)| (name.clone(), terms.shelf.clone())).collect();
    let catalog = Arc::new(Catalog::open(records.clone(), shelves, Arc::clone(&origins)).await.unwrap());
    let store = |(name, terms): (IndexName, Terms)| (name.clone(), Store::new(name, terms, Arc::clone(&catalog)));
    let stores = Arc::new(terms.into_iter().map(store).collect());
    (records, origins, catalog, stores)
}

impl Scene {
    async fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let (records, origins, catalog, stores) = open(dir.path()).await;
        let changes = Changes::new(Arc::clone(&catalog), Arc::clone(&origins), Arc::clone(&stores));
        Scene { dir, records, origins, catalog, stores, changes }
    }

    async fn upload(&self, index: &str, name: &str, version: &str) -> Result<(), upload::Error> {
        let path = sdist(&self.dir.path().join("made"), name, version);
        let store = &self.stores[index];
        let spooled = store.spool.copy(&path, 1 << 20)?;
        let filename = path.file_name().unwrap().to_str().unwrap();
        let (filename, facts) = check_file(filename, &spooled, opsctl_dist::Level::Legacy)?;
        let sender = Sender { actor: "admin".to_owned(), address: String::new(), attestations: None };
        store.store(&filename, facts, spooled, sender).await.map(drop)
    }

    /// The page of a project in JSON, without the parts before its versions.
    fn page(&self, index: &str, project: &str) -> String {
        page(&self.catalog, index, project)
    }

    /// The last rows of the trail: action, index, project, object, before, after.
    async fn trail(&self, count: usize) -> Vec<String> {
        let sql = "SELECT action || ' ' || index_name || ' ' || project || ' ' || object || ' ' || coalesce(before, '-') \
                   || ' ' || coalesce(after, '-') FROM change WHERE actor = 'admin' ORDER BY serial DESC LIMIT $1";
        let rows = self.records.database().fetch_all(sql, params![count]).await.unwrap();
        rows.iter().rev().map(|row| row.get(0_usize).unwrap()).collect()
    }
}

fn page(catalog: &Catalog, index: &str, project: &str) -> String {
    let snapshot = catalog.snapshot();
    let Some(project) = snapshot.index(index).and_then(|index| index.project(project)) else {
        return "nothing".to_owned();
    };
    let page = crate::catalog::render::project(project, opsctl_dist::simple::Format::Json, None);
    String::from_utf8(page).unwrap()
}

fn name(text: &str) -> ProjectName {
    ProjectName::parse(text).unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn said(state: State, reason: &str) -> ProjectStatus {
    ProjectStatus { state, reason: Some(reason.to_owned()) }
}

#[tokio::test]
async fn files_are_withdrawn_and_come_back() {
    let scene = Scene::new().await;
    for version in ["1.0", "1.1"] {
        scene.upload("main", "demo", version).await.unwrap();
    }
    let by = By::test(5);
    let changes = &scene.changes;
    let one = Selection::Version(name("Demo"), version("1"));
    assert_eq!(changes.yank("main", &one, Some(" broken "), &by).await.unwrap(), ["demo-1.0.tar.gz".into()]);
    assert!(scene.page("main", "demo").contains(r#""yanked":"broken""#));
    assert_eq!(changes.yank("main", &one, Some("broken"), &by).await.unwrap(), [], "it is");
    let all = Selection::Project(name("demo"));
    assert_eq!(changes.yank("main", &all, Some(""), &by).await.unwrap().len(), 2);
    assert_eq!(scene.page("main", "demo").matches(r#""yanked":true"#).count(), 2);
    let file = Selection::File(name("demo"), "demo-1.1.tar.gz".into());
    assert_eq!(changes.yank("main", &file, None, &by).await.unwrap().len(), 1);
    assert_eq!(
        scene.trail(4).await,
        [
            "yank main demo demo-1.0.tar.gz - broken",
            "yank main demo demo-1.0.tar.gz broken ",
            "yank main demo demo-1.1.tar.gz - ",
            "unyank main demo demo-1.1.tar.gz  -",
        ]
    );
    let refused = |index: &'static str, files: Selection, reason: &'static str| async move {
        changes.yank(index, &files, Some(reason), &By::test(5)).await.unwrap_err().to_string()
    };
    assert!(refused("main", all.clone(), "a\nb").await.starts_with("a reason is one line"));
    assert!(refused("other", all, "").await.contains("no index `other`"));
    assert!(refused("main", Selection::Version(name("demo"), version("3")), "").await.contains("no version `3`"));
    assert!(refused("main", Selection::File(name("demo"), "x".into()), "").await.contains("no file `x`"));
    assert!(refused("stage", Selection::Project(name("demo")), "").await.contains("no project `demo`"));
}

#[tokio::test]
async fn a_status_is_shown_and_closes_a_project() {
    let scene = Scene::new().await;
    scene.upload("main", "demo", "1.0").await.unwrap();
    let (changes, by) = (&scene.changes, By::test(5));
    let digest = scene.catalog.snapshot().index("main").unwrap().project("demo").unwrap().files[0].sha256;
    let there = || scene.catalog.snapshot().index("main").unwrap().file(&digest, "demo-1.0.tar.gz").is_some();
    let set = async |state, reason| changes.set_status("main", &name("demo"), said(state, reason), &by).await.unwrap();
    assert_eq!(set(State::Archived, "done").await, None);
    assert!(scene.page("main", "demo").contains(r#""project-status":{"status":"archived","reason":"done"}"#));
    assert!(there());
    let refused = scene.upload("main", "demo", "1.1").await.unwrap_err();
    assert!(refused.to_string().contains("is archived"), "{refused}");
    assert!(scene.upload("main", "demo", "1.0").await.is_ok(), "it is there");
    assert_eq!(set(State::Quarantined, "").await, Some(said(State::Archived, "done")));
    assert!(scene.page("main", "demo").contains(r#""files":[]"#) && !there());
    assert!(scene.upload("main", "demo", "1.1").await.is_err());
    set(State::Deprecated, "use another").await;
    assert!(there() && scene.upload("main", "demo", "1.1").await.is_ok());
    set(State::Active, "").await;
    assert!(!scene.page("main", "demo").contains("project-status"));
    assert_eq!(scene.records.status("main", "demo").await.unwrap(), None);
    assert_eq!(
        scene.trail(5).await[..2],
        ["status main demo  - archived: done", "status main demo  archived: done quarantined"]
    );
}

#[tokio::test]
async fn a_release_is_promoted_whole_or_not() {
    let scene = Scene::new().await;
    for version in ["1.0", "1.1"] {
        scene.upload("stage", "demo", version).await.unwrap();
    }
    let (changes, by) = (&scene.changes, By::test(5));
    let release = Selection::Version(name("demo"), version("1.0"));
    changes.yank("stage", &release, Some("why"), &by).await.unwrap();
    let promote = async |project, number| changes.promote("stage", "main", &name(project), &version(number), &by).await;
    assert_eq!(promote("demo", "1.0").await.unwrap(), ["demo-1.0.tar.gz".into()]);
    assert_eq!(promote("demo", "1.0").await.unwrap(), [], "it is there");
    let page = scene.page("main", "demo");
    assert!(page.contains(r#""yanked":"why""#) && !page.contains("1.1"), "{page}");
    assert!(scene.dir.path().join("main/demo/demo-1.0.tar.gz").exists());
    assert!(scene.trail(1).await[0].starts_with("promote main demo demo-1.0.tar.gz stage sha256:"));
    assert!(promote("demo", "2.0").await.is_err());
    // a name that was used for other bytes, one that is blocked, one that is archived
    scene.upload("main", "other", "1.0").await.unwrap();
    changes.remove("main", &Selection::Project(name("other")), &by).await.unwrap();
    scene.upload("stage", "other", "1.0").await.unwrap();
    assert_eq!(promote("other", "1.0").await.unwrap().len(), 1, "the same bytes may come back");
    changes.set_origin(&name("demo"), Some(Origin::Blocked), &by).await.unwrap();
    assert!(promote("demo", "1.1").await.unwrap_err().to_string().contains("does not come from here"));
    changes.set_origin(&name("demo"), None, &by).await.unwrap();
    changes.set_status("main", &name("demo"), said(State::Archived, ""), &by).await.unwrap();
    assert!(promote("demo", "1.1").await.unwrap_err().to_string().contains("is archived"));
    assert_eq!(std::fs::read_dir(scene.dir.path().join("main/.opsctl/spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_removed_is_a_tombstone() {
    let scene = Scene::new().await;
    scene.upload("main", "demo", "1.0").await.unwrap();
    let file = Selection::File(name("demo"), "demo-1.0.tar.gz".into());
    let removed = scene.changes.remove("main", &file, &By::test(5)).await.unwrap();
    assert_eq!(removed, ["demo-1.0.tar.gz".into()]);
    assert_eq!(scene.page("main", "demo"), "nothing");
    assert!(!scene.dir.path().join("main/demo/demo-1.0.tar.gz").exists());
    assert!(scene.records.names_ever().await.unwrap().contains("demo"));
    assert!(scene.trail(1).await[0].starts_with("remove main demo demo-1.0.tar.gz sha256:"));
}

#[tokio::test]
async fn changes_of_another_process_are_followed() {
    let scene = Scene::new().await;
    scene.upload("main", "demo", "1.0").await.unwrap();
    let (records, origins, catalog, _stores) = open(scene.dir.path()).await;
    let last = records.last_serial().await.unwrap();
    let mut follower = Follower::new(last, Arc::clone(&catalog), Arc::clone(&origins));
    assert_eq!(follower.look().await.unwrap(), 0);
    let (changes, by) = (&scene.changes, By::test(5));
    changes.yank("main", &Selection::Project(name("demo")), Some("why"), &by).await.unwrap();
    changes.set_origin(&name("flask"), Some(Origin::Internal), &by).await.unwrap();
    changes.reserve(&"acme-*".parse().unwrap(), &by).await.unwrap();
    assert!(!page(&catalog, "main", "demo").contains("why"));
    assert_eq!(origins.verdict("acme-x", false), Verdict::Open);
    assert_eq!(follower.look().await.unwrap(), 3);
    assert!(page(&catalog, "main", "demo").contains("why"));
    assert_eq!(origins.verdict("acme-x", false), Verdict::Nothing);
    assert_eq!(origins.verdict("flask", false), Verdict::Nothing);
    assert!(changes.unreserve(&"acme-*".parse().unwrap(), &by).await.unwrap());
    assert_eq!(changes.set_origin(&name("flask"), None, &by).await.unwrap(), Some(Origin::Internal));
    follower.look().await.unwrap();
    assert_eq!(origins.verdict("acme-x", false), Verdict::Open);
    // what was changed here is not rendered again
    let project = || catalog.snapshot().index("main").unwrap().project("demo").map(Arc::as_ptr);
    let before = project();
    catalog.refresh(&IndexName::main(), &["demo".into()].into()).await.unwrap();
    assert_eq!(project(), before);
    assert_eq!(scene.origins.verdict("flask", false), Verdict::Open);
}
