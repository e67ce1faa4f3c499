//! The tables, on SQLite and on PostgreSQL: one final result for each job, whoever comes first or last.

mod hooks;
mod uploads;

use opsctl_auth::Author;
use opsctl_store::Location;
use opsctl_testkit::Postgres;

use super::*;
use crate::clock::{SECOND, now};

/// Runs a test on both databases.
fn on_both(test: impl AsyncFn(&Records)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::local(folder.path());
        let postgres = Postgres::start();
        for location in [location.clone(), location.with_database(postgres.url().parse().unwrap())] {
            test(&Records::new(Database::open(&location, "encoder", &MIGRATIONS).await.unwrap())).await;
        }
    });
}

fn by() -> Author {
    Author::program("test")
}

fn arrival<'a>(account: &'a str, name: &'a str, key: &'a str, digest: u8) -> Arrival<'a> {
    Arrival {
        account,
        name,
        title: "A party",
        filename: "party.avi",
        published: true,
        key,
        sha256: [digest; 32],
        bytes: 10,
        profile: "web",
        body: "{}",
        priority: 0,
        uploader: "test",
        upload: None,
        expected: Expected::Anything,
    }
}

async fn arrive(records: &Records, account: &str, name: &str, digest: u8) -> Outcome {
    let key = format!("{account}/{name}/{digest}");
    records.reserve(std::slice::from_ref(&key)).await.unwrap();
    let outcome = records.arrive(&arrival(account, name, &key, digest), &by()).await.unwrap();
    if !matches!(outcome, Outcome::Created | Outcome::Replaced) {
        records.leave(&key).await.unwrap();
    }
    outcome
}

fn made(key: &str) -> Finished {
    let files = vec![(".mp4".to_owned(), key.to_owned(), 5)];
    let asset = Made {
        name: "h264".into(),
        kind: "mp4".into(),
        size: Some((640, 360)),
        duration: Some(1.5),
        bytes: 5,
        copied: false,
        files,
    };
    Finished::Done { made: vec![asset], warnings: vec!["a hole".into()] }
}

async fn claim(records: &Records) -> Option<(String, String, queue::Held)> {
    let claimed = records.claim("w", 60 * SECOND).await.unwrap()?;
    Some((claimed.account, claimed.name, claimed.held))
}

#[test]
fn an_upload_becomes_an_item_with_results() {
    on_both(async |records| {
        assert_eq!(arrive(records, "acme", "a", 1).await, Outcome::Created);
        assert_eq!(arrive(records, "acme", "a", 1).await, Outcome::Same);
        let (_, _, held) = claim(records).await.unwrap();
        assert!(claim(records).await.is_none());
        assert!(records.beat(held, SECOND, Some(12.5), Some(3.0)).await.unwrap());
        records.reserve(&["r".to_owned()]).await.unwrap();
        assert!(records.finish(held, &made("r"), 3).await.unwrap());
        let item = records.item("acme", "a").await.unwrap().unwrap();
        assert_eq!((item.version, item.bytes, &*item.source), (2, 10, "acme/a/1"));
        let job = records.job_of(item.id).await.unwrap().unwrap();
        assert_eq!((job.state.word(), job.percent, job.warnings), ("done", Some(100.0), vec!["a hole".to_owned()]));
        let assets = records.assets(item.id).await.unwrap();
        assert_eq!((assets[0].width, &*assets[0].files[0].path), (Some(640), ".mp4"));
        let usage = Usage { items: 1, bytes: 15 };
        assert_eq!(records.usage("acme").await.unwrap(), usage);
        assert_eq!(records.days("acme", 10).await.unwrap().iter().map(|day| day.usage).collect::<Vec<_>>(), [usage]);
        // nothing but the second upload of the same bytes is left over
        assert_eq!(records.unowned(now() + 100 * 24 * 3600 * SECOND).await.unwrap(), ["acme/a/1"]);
    });
}

#[test]
fn what_is_replaced_or_deleted_is_left_to_be_removed() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let (_, _, held) = claim(records).await.unwrap();
        records.finish(held, &made("r1"), 3).await.unwrap();
        assert_eq!(arrive(records, "acme", "a", 2).await, Outcome::Replaced);
        assert_eq!(records.unowned(now()).await.unwrap(), ["acme/a/1"]);
        // the results of before are shown until there are new ones
        let item = records.item("acme", "a").await.unwrap().unwrap();
        assert_eq!(records.assets(item.id).await.unwrap()[0].files[0].key, "r1");
        let (_, _, held) = claim(records).await.unwrap();
        records.finish(held, &made("r2"), 3).await.unwrap();
        records.forget(&["acme/a/1".to_owned()]).await.unwrap();
        assert_eq!(records.unowned(now()).await.unwrap(), ["r1"]);
        assert!(!records.delete(&item, Some(item.version), &by()).await.unwrap(), "it has changed");
        assert!(records.delete(&item, None, &by()).await.unwrap());
        let mut left = records.unowned(now()).await.unwrap();
        left.sort();
        assert_eq!(left, ["acme/a/2", "r1", "r2"]);
        assert_eq!(records.usage("acme").await.unwrap(), Usage::default());
    });
}

#[test]
fn a_job_is_whose_lease_lasts() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let (_, _, first) = claim(records).await.unwrap();
        let sql = "UPDATE job SET lease_until = 1";
        records.database().execute(sql, vec![]).await.unwrap();
        records.reclaim(2).await.unwrap();
        let (_, _, second) = claim(records).await.unwrap();
        assert_eq!((first.job, first.attempt + 1), (second.job, second.attempt));
        // whatever the first one says comes too late
        assert!(!records.beat(first, SECOND, None, None).await.unwrap());
        assert!(!records.finish(first, &made("late"), 2).await.unwrap());
        assert!(records.finish(second, &made("r"), 2).await.unwrap());
        assert!(!records.finish(second, &made("twice"), 2).await.unwrap());
        let item = records.item("acme", "a").await.unwrap().unwrap();
        assert_eq!(records.assets(item.id).await.unwrap()[0].files[0].key, "r");
    });
}

#[test]
fn attempts_are_bounded() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let again = Finished::Again { after: 0, message: "no room".into(), log: String::new() };
        for _ in 0..2 {
            let (_, _, held) = claim(records).await.unwrap();
            assert!(records.finish(held, &again, 2).await.unwrap());
        }
        assert!(claim(records).await.is_none());
        let item = records.item("acme", "a").await.unwrap().unwrap();
        let job = records.job_of(item.id).await.unwrap().unwrap();
        assert_eq!((job.state.word(), job.reason.as_deref()), ("failed", Some("tried-too-often")));
        // a worker that was lost counts as well
        records.enqueue(new(&item), "x", &by()).await.unwrap();
        for _ in 0..2 {
            claim(records).await.unwrap();
            records.database().execute("UPDATE job SET lease_until = 1", vec![]).await.unwrap();
            records.reclaim(2).await.unwrap();
        }
        let job = records.job_of(item.id).await.unwrap().unwrap();
        assert_eq!((job.state.word(), job.reason.as_deref()), ("failed", Some("worker-lost")));
        // one that was given back does not
        records.enqueue(new(&item), "x", &by()).await.unwrap();
        for _ in 0..5 {
            let (_, _, held) = claim(records).await.unwrap();
            assert!(records.finish(held, &Finished::Released, 2).await.unwrap());
        }
    });
}

fn new(item: &Item) -> NewJob<'_> {
    NewJob { media: item.id, account: &item.account, source: &item.source, profile: "web", body: "{}", priority: 0 }
}

#[test]
fn accounts_take_turns_and_what_is_urgent_comes_first() {
    on_both(async |records| {
        for name in ["a1", "a2", "a3"] {
            arrive(records, "a", name, 1).await;
        }
        arrive(records, "b", "b1", 1).await;
        let urgent = Arrival { priority: 5, ..arrival("a", "a4", "k4", 4) };
        records.arrive(&urgent, &by()).await.unwrap();
        let mut order = Vec::new();
        while let Some((_, name, _)) = claim(records).await {
            order.push(name);
        }
        assert_eq!(order, ["a4", "b1", "a1", "a2", "a3"]);
    });
}

#[test]
fn conditions_hold_or_nothing_happens() {
    on_both(async |records| {
        let expected = |expected, digest| Arrival { expected, ..arrival("acme", "a", "k", digest) };
        let arrive = async |arrival| records.arrive(&arrival, &by()).await.unwrap();
        assert_eq!(arrive(expected(Expected::Version(1), 1)).await, Outcome::Unexpected);
        assert_eq!(arrive(expected(Expected::Nothing, 1)).await, Outcome::Created);
        assert_eq!(arrive(expected(Expected::Nothing, 1)).await, Outcome::Unexpected);
        assert_eq!(arrive(expected(Expected::Version(7), 2)).await, Outcome::Unexpected);
        assert_eq!(arrive(expected(Expected::Version(1), 2)).await, Outcome::Replaced);
        let item = records.item("acme", "a").await.unwrap().unwrap();
        let edit = Edit { title: Some("x".into()), published: Some(false) };
        assert_eq!(records.edit(&item, Some(1), &edit, &by()).await.unwrap(), None);
        assert_eq!(records.edit(&item, Some(2), &edit, &by()).await.unwrap(), Some(3));
        assert!(!records.is_published(item.id).await.unwrap());
    });
}

#[test]
fn lists_are_searched_and_paged() {
    on_both(async |records| {
        for name in ["one", "two_x", "twoyx"] {
            arrive(records, "acme", name, 1).await;
        }
        let names = async |text: &str, page: Page| {
            let wanted = Wanted { text, state: "queued", published: Some(true) };
            let (items, total) = records.items("acme", wanted, page).await.unwrap();
            (items.into_iter().map(|item| item.name).collect::<Vec<_>>(), total)
        };
        let all = Page { limit: 10, offset: 0 };
        assert_eq!(names("", all).await, (vec!["twoyx".into(), "two_x".into(), "one".into()], 3));
        assert_eq!(names("O_x", all).await, (vec!["two_x".into()], 1));
        assert_eq!(names("", Page { limit: 1, offset: 2 }).await, (vec!["one".into()], 3));
        assert_eq!(records.items("other", Wanted::default(), all).await.unwrap().1, 0);
    });
}

#[test]
fn parts_are_done_by_whoever_comes_and_belong_to_one_attempt() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let (_, _, held) = claim(records).await.unwrap();
        let take = async || records.claim_part("w", 60 * SECOND).await.unwrap();
        assert!(take().await.is_none());
        assert!(records.cut_up(held, &["x".to_owned(), "y".to_owned()]).await.unwrap());
        let (one, two) = (take().await.unwrap(), take().await.unwrap());
        assert_eq!((&*one.body, &*two.body, &*one.source), ("x", "y", "acme/a/1"));
        assert!(take().await.is_none());
        assert!(records.beat_part(one.held, SECOND, Some(50.0)).await.unwrap());
        assert!(records.finish_part(two.held, &Ok("2".to_owned()), 2).await.unwrap());
        let parts = records.parts(held).await.unwrap();
        assert_eq!((parts.total, parts.done, parts.percent, parts.failed), (2, 1, 75.0, None));
        // one whose worker is lost is somebody else's, and what the first one says comes too late
        records.database().execute("UPDATE part SET lease_until = 1 WHERE state = 'running'", vec![]).await.unwrap();
        records.reclaim(2).await.unwrap();
        let again = take().await.unwrap();
        assert_eq!((again.held.number, again.held.tries), (0, 2));
        assert!(!records.finish_part(one.held, &Ok("late".to_owned()), 2).await.unwrap());
        assert!(records.finish_part(again.held, &Ok("1".to_owned()), 2).await.unwrap());
        assert_eq!(records.files_of_parts(held).await.unwrap(), ["1", "2"]);
        // one that fails too often ends the job
        records.cut_up(held, &["x".to_owned()]).await.unwrap();
        for _ in 0..2 {
            let part = take().await.unwrap();
            records.finish_part(part.held, &Err("broken".to_owned()), 2).await.unwrap();
        }
        assert!(take().await.is_none());
        assert_eq!(records.parts(held).await.unwrap().failed.as_deref(), Some("broken"));
        // and with the attempt its parts are nobody's
        records.cut_up(held, &["x".to_owned()]).await.unwrap();
        records.finish(held, &Finished::Released, 2).await.unwrap();
        assert!(take().await.is_none());
        assert_eq!(records.parts(held).await.unwrap().total, 0);
        assert!(!records.cut_up(held, &[]).await.unwrap());
    });
}
