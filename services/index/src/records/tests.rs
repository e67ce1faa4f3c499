//! The tables, on SQLite and on PostgreSQL: what is written is what is read, and names keep their bytes.

use std::collections::BTreeSet;

use opsctl_dist::simple::{ProjectStatus, State};
use opsctl_dist::{Digest, ProjectName};
use opsctl_store::{Database, Location};
use opsctl_testkit::Postgres;

use super::*;
use crate::changes::By;
use crate::folder::{Facts, Found, Refused, Stamp};
use crate::upload::Pending;

/// Runs a test on both databases.
fn on_both(test: impl AsyncFn(&Records)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::local(folder.path());
        let postgres = Postgres::start();
        for location in [location.clone(), location.with_database(postgres.url().parse().unwrap())] {
            test(&Records::new(Database::open(&location, "index", &MIGRATIONS).await.unwrap(), Home::Folder)).await;
        }
    });
}

fn facts(name: &str, version: &str, digest: u8) -> Facts {
    Facts {
        name: ProjectName::parse(name).unwrap(),
        version: version.into(),
        sha256: Digest([digest; 32]),
        requires_python: Some(">=3".into()),
        metadata: Some(Digest([digest + 100; 32])),
        summary: Some("for tests".into()),
    }
}

/// A file of project `Some.Thing` at this path, with an inode that no signed number holds.
fn found(path: &str, version: &str, digest: u8) -> Found {
    Found {
        path: path.into(),
        filename: path.rsplit('/').next().unwrap().into(),
        stamp: Stamp { modified: 7, size: 3, inode: u64::MAX },
        first_seen: 1000,
        facts: facts("Some.Thing", version, digest),
    }
}

async fn note(records: &Records, found: &[Found], volatile: bool) -> Vec<Noted> {
    records.note("main", volatile, found, 2000).await.unwrap()
}

async fn served(records: &Records) -> Vec<(String, u8)> {
    let files = records.files_of("main", "some-thing").await.unwrap();
    let mut files: Vec<_> = files.iter().map(|file| (file.path.to_string(), file.sha256.0[0])).collect();
    files.sort();
    files
}

fn names(names: &[&str]) -> BTreeSet<Box<str>> {
    names.iter().map(|name| Box::from(*name)).collect()
}

async fn actions(records: &Records) -> Vec<String> {
    let rows = records.db.fetch_all("SELECT action, object FROM change ORDER BY serial", vec![]).await.unwrap();
    rows.iter()
        .map(|row| format!("{} {}", row.get::<&str>(0_usize).unwrap(), row.get::<&str>(1_usize).unwrap()))
        .collect()
}

#[test]
fn what_is_noted_is_loaded() {
    on_both(async |records| {
        let file = found("deep/some_thing-1.zip", "1", 1);
        assert_eq!(note(records, &[file], false).await, [Noted::Served]);
        let loaded = Loaded {
            index: "main".into(),
            filename: "some_thing-1.zip".into(),
            project: "some-thing".into(),
            name: "Some.Thing".into(),
            version: "1".into(),
            sha256: Digest([1; 32]),
            first_seen: 1000,
            requires_python: Some(">=3".into()),
            metadata: Some(Digest([101; 32])),
            yanked: None,
            path: "deep/some_thing-1.zip".into(),
            stamp: Stamp { modified: 7, size: 3, inode: u64::MAX },
            summary: found("x", "1", 1).facts.summary,
            attested: false,
        };
        assert_eq!(records.files().await.unwrap(), std::slice::from_ref(&loaded));
        assert_eq!(records.files_of("main", "some-thing").await.unwrap(), [loaded]);
        assert_eq!(records.files_of("dev", "some-thing").await.unwrap(), []);
    });
}

#[test]
fn a_name_keeps_its_bytes_unless_the_index_is_volatile() {
    on_both(async |records| {
        let (first, other) = (found("a/t-1.zip", "1", 1), found("a/t-1.zip", "1", 2));
        note(records, std::slice::from_ref(&first), false).await;
        assert_eq!(note(records, std::slice::from_ref(&other), false).await, [Noted::Bound(Digest([1; 32]))]);
        assert_eq!(records.gone("main", &["a/t-1.zip".into()], 0).await.unwrap(), names(&["some-thing"]));
        assert_eq!(served(records).await, []);
        assert_eq!(note(records, std::slice::from_ref(&other), false).await, [Noted::Bound(Digest([1; 32]))]);
        assert_eq!(note(records, &[first], false).await, [Noted::Served]);
        assert_eq!(note(records, &[other], true).await, [Noted::Served]);
        assert_eq!(served(records).await, [("a/t-1.zip".to_owned(), 2)]);
        let trail = ["appear t-1.zip", "vanish t-1.zip", "appear t-1.zip", "appear t-1.zip"];
        assert_eq!(actions(records).await, trail);
    });
}

#[test]
fn of_two_of_one_name_the_first_is_served() {
    on_both(async |records| {
        let (one, two, other) = (found("a/t-1.zip", "1", 1), found("b/t-1.zip", "1", 1), found("c/t-1.zip", "1", 2));
        let twin = Noted::Twin("a/t-1.zip".into());
        let expected = [Noted::Served, twin.clone(), Noted::Bound(Digest([1; 32]))];
        assert_eq!(note(records, &[one.clone(), two.clone(), other], false).await, expected);
        assert_eq!(note(records, std::slice::from_ref(&two), false).await, [twin]);
        assert_eq!(served(records).await, [("a/t-1.zip".to_owned(), 1)]);
        records.gone("main", &["a/t-1.zip".into()], 0).await.unwrap();
        assert_eq!(note(records, &[two], false).await, [Noted::Served]);
        assert_eq!(served(records).await, [("b/t-1.zip".to_owned(), 1)]);
        assert_eq!(note(records, &[one], true).await, [Noted::Served], "the newest wins in a volatile index");
        assert_eq!(served(records).await, [("a/t-1.zip".to_owned(), 1)]);
    });
}

#[test]
fn a_file_that_is_touched_is_no_news() {
    on_both(async |records| {
        let file = found("a/t-1.zip", "1", 1);
        note(records, std::slice::from_ref(&file), false).await;
        let touched = Found { stamp: Stamp { modified: 8, ..file.stamp }, ..file };
        assert_eq!(note(records, &[touched], false).await, [Noted::Served]);
        assert_eq!(records.files().await.unwrap()[0].stamp.modified, 8);
        assert_eq!(actions(records).await, ["appear t-1.zip"]);
    });
}

#[test]
fn many_at_once() {
    on_both(async |records| {
        let path = |number: usize| format!("some/t-{number}.zip");
        let all: Vec<_> = (0..200).map(|number| found(&path(number), &number.to_string(), 1)).collect();
        assert_eq!(note(records, &all, false).await, vec![Noted::Served; 200]);
        assert_eq!(served(records).await.len(), 200);
        let gone: Vec<Box<str>> = (0..150).map(|number| path(number).into()).collect();
        assert_eq!(records.gone("main", &gone, 0).await.unwrap(), names(&["some-thing"]));
        assert_eq!(served(records).await.len(), 50);
        assert_eq!(actions(records).await.len(), 350);
    });
}

#[test]
fn what_is_set_aside_is_not_served() {
    on_both(async |records| {
        note(records, &[found("a/t-1.zip", "1", 1)], false).await;
        let stamp = Stamp { modified: 9, size: 4, inode: u64::MAX };
        let refused = |path: &str, reason: &str| Refused { path: path.into(), stamp, reason: reason.into() };
        let both = [refused("a/t-1.zip", "other bytes"), refused("b.whl", "no zip")];
        assert_eq!(records.set_aside("main", &both, 0).await.unwrap(), names(&["some-thing"]));
        assert_eq!(served(records).await, []);
        records.set_aside("main", &[refused("b.whl", "still no zip")], 0).await.unwrap();
        let mut aside = records.aside("main").await.unwrap();
        aside.sort_by(|one, other| one.path.cmp(&other.path));
        let seen: Vec<_> = aside.iter().map(|aside| (&*aside.path, &*aside.reason, aside.stamp)).collect();
        assert_eq!(seen, [("a/t-1.zip", "other bytes", stamp), ("b.whl", "still no zip", stamp)]);
        assert_eq!(records.gone("main", &["b.whl".into(), "nowhere".into()], 0).await.unwrap(), names(&[]));
        assert_eq!(records.aside("main").await.unwrap().len(), 1);
        assert_eq!(note(records, &[found("a/t-1.zip", "1", 1)], false).await, [Noted::Served]);
        assert_eq!(records.aside("main").await.unwrap().len(), 0, "it is served again");
    });
}

fn pending(digest: u8) -> Pending {
    Pending {
        index: "main".into(),
        filename: "t-1.zip".into(),
        path: "some-thing/t-1.zip".into(),
        spool: "x.part".into(),
        size: 3,
        facts: facts("Some.Thing", "1", digest),
        attestations: Some("[]".into()),
        actor: "token".into(),
        address: "::1".into(),
        at: 5000,
        beat: 5000,
        batch: None,
        source: None,
    }
}

async fn finish(records: &Records, pending: Pending, stamp: Stamp) -> bool {
    records.finish(&[(pending, stamp)]).await.unwrap()
}

#[test]
fn an_upload_is_claimed_and_finished_or_undone() {
    on_both(async |records| {
        let stamp = Stamp { modified: 7, size: 3, inode: 1 };
        let (upload, other) = (pending(1), pending(2));
        assert_eq!(records.claim(&upload, false).await.unwrap(), Claimed::Taken);
        assert_eq!(records.claim(&upload, false).await.unwrap(), Claimed::Busy);
        assert_eq!(records.pending("main").await.unwrap(), std::slice::from_ref(&upload));
        assert_eq!(records.pending("dev").await.unwrap(), []);
        assert_eq!(records.undo(std::slice::from_ref(&upload), &[]).await.unwrap(), 1);
        assert_eq!(records.pending("main").await.unwrap(), []);
        assert_eq!(records.claim(&upload, false).await.unwrap(), Claimed::Taken);
        assert!(finish(records, upload.clone(), stamp).await);
        assert_eq!(records.pending("main").await.unwrap(), []);
        assert_eq!(served(records).await, [("some-thing/t-1.zip".to_owned(), 1)]);
        assert_eq!(records.files().await.unwrap()[0].first_seen, 5000);

        let bound = |there| Claimed::Bound { sha256: Digest([1; 32]), there };
        assert_eq!(records.claim(&upload, false).await.unwrap(), Claimed::Same);
        assert_eq!(records.claim(&other, false).await.unwrap(), bound(true));
        records.gone("main", &["some-thing/t-1.zip".into()], 0).await.unwrap();
        assert_eq!(records.claim(&other, false).await.unwrap(), bound(false));
        assert_eq!(records.claim(&upload, false).await.unwrap(), Claimed::Taken, "the same bytes may come back");
        assert!(finish(records, upload.clone(), stamp).await);
        assert_eq!(records.claim(&other, true).await.unwrap(), Claimed::Taken, "in a volatile index others may, too");
        assert!(finish(records, other.clone(), stamp).await);
        assert_eq!(served(records).await, [("some-thing/t-1.zip".to_owned(), 2)]);
        assert_eq!(actions(records).await, ["upload t-1.zip", "vanish t-1.zip", "upload t-1.zip", "upload t-1.zip"]);
    });
}

#[test]
fn a_file_that_was_seen_lying_there_can_still_be_finished() {
    on_both(async |records| {
        records.claim(&pending(1), false).await.unwrap();
        note(records, &[found("some-thing/t-1.zip", "1", 1)], false).await;
        assert!(finish(records, pending(1), Stamp { modified: 7, size: 3, inode: 1 }).await);
        assert_eq!(served(records).await, [("some-thing/t-1.zip".to_owned(), 1)]);
        let uploader = records.db.fetch_value::<String>("SELECT uploader FROM file", vec![]).await.unwrap();
        assert_eq!(uploader.as_deref(), Some("token"));
    });
}

/// Another upload of the same file, in the index `dev`.
fn staged() -> Pending {
    Pending { index: "dev".into(), ..pending(1) }
}

#[test]
fn files_are_withdrawn_copied_and_removed() {
    on_both(async |records| {
        let (stamp, by) = (Stamp { modified: 7, size: 3, inode: 1 }, By::test(9));
        records.claim(&staged(), false).await.unwrap();
        assert!(finish(records, staged(), stamp).await);
        let (name, all) = (Box::from("t-1.zip"), ["t-1.zip".into(), "none.zip".into()]);
        let yank = async |reason| records.yank("dev", "some-thing", &all, reason, &by).await.unwrap();
        assert_eq!(yank(Some("why")).await, std::slice::from_ref(&name));
        assert_eq!(yank(Some("why")).await, []);
        assert_eq!(records.attestations("dev", "t-1.zip").await.unwrap().as_deref(), Some("[]"));
        let copied = Pending { source: Some("dev".into()), batch: Some("x".into()), ..pending(1) };
        let claimed = records.claim_all(std::slice::from_ref(&copied), false).await.unwrap();
        assert_eq!(claimed, [Claimed::Taken]);
        assert_eq!(records.pending("main").await.unwrap(), std::slice::from_ref(&copied));
        assert!(finish(records, copied, stamp).await);
        let copied = records.files_of("main", "some-thing").await.unwrap();
        assert_eq!(copied[0].yanked.as_deref(), Some("why"));
        assert_eq!(yank(None).await, [name]);
        records.date("main", "t-1.zip", 77).await.unwrap();
        assert_eq!(records.files_of("main", "some-thing").await.unwrap()[0].first_seen, 77);
        let removals = records.remove("main", "some-thing", "t-1.zip", &by).await.unwrap().unwrap();
        assert_eq!(removals, [Removal { path: "some-thing/t-1.zip".into(), stamp, sha256: Digest([1; 32]) }]);
        assert_eq!(records.removals("main").await.unwrap(), removals, "it still has to go");
        assert_eq!(records.removals("dev").await.unwrap(), []);
        records.removed("main", "some-thing/t-1.zip").await.unwrap();
        assert_eq!(records.removals("main").await.unwrap(), []);
        assert_eq!(records.remove("main", "some-thing", "t-1.zip", &by).await.unwrap(), None);
        let trail = ["upload t-1.zip", "yank t-1.zip", "promote t-1.zip", "unyank t-1.zip", "remove t-1.zip"];
        assert_eq!(actions(records).await, trail);
        let last = records.last_serial().await.unwrap();
        let two = records.changes_after(last - 2).await.unwrap();
        assert_eq!(two.iter().map(|row| &*row.index).collect::<Vec<_>>(), ["dev", "main"]);
        assert_eq!(records.changes_of(&[two[0].serial, last + 5]).await.unwrap(), two[..1]);
    });
}

#[test]
fn a_project_that_is_closed_takes_nothing() {
    on_both(async |records| {
        let by = By::test(9);
        let archived = ProjectStatus { state: State::Archived, reason: Some("done".into()) };
        let set = async |status| records.set_status("main", "some-thing", status, &by).await.unwrap();
        assert_eq!(set(Some(&archived)).await, None);
        assert_eq!(records.status("main", "some-thing").await.unwrap().as_ref(), Some(&archived));
        assert_eq!(records.status("dev", "some-thing").await.unwrap(), None);
        assert_eq!(records.statuses().await.unwrap().len(), 1);
        let closed = Claimed::Closed(State::Archived);
        assert_eq!(records.claim(&pending(1), false).await.unwrap(), closed);
        // of several, one that is refused keeps all from being taken
        assert_eq!(records.claim_all(&[staged(), pending(1)], false).await.unwrap(), [Claimed::Taken, closed]);
        assert_eq!(records.pending("dev").await.unwrap(), []);
        assert_eq!(set(None).await, Some(archived));
        assert_eq!(records.claim(&pending(1), false).await.unwrap(), Claimed::Taken);
        assert_eq!(actions(records).await, ["status ", "status "]);
    });
}
