//! Audit trails: what a transaction changes and its row are there together, and several trails read as one.

use opsctl_auth::{AUDIT, Act, Filter, Identity, Trail, Via};
use opsctl_store::{Database, Location, Migration, Migrations, params};

use crate::support::{Bench, name, on_both};

const THING: Migration = Migration {
    name: "0001_thing",
    sqlite: "CREATE TABLE thing (name TEXT PRIMARY KEY)",
    postgres: "CREATE TABLE thing (name TEXT PRIMARY KEY)",
};
/// A service with a trail of its own.
const MIGRATIONS: Migrations = Migrations(&[THING, AUDIT]);

async fn service(folder: &tempfile::TempDir) -> Database {
    Database::open(&Location::local(folder.path()), "thing", &MIGRATIONS).await.unwrap()
}

async fn page(trail: &Trail, filter: &Filter, count: u32) -> Vec<String> {
    let records = trail.page(filter, None, count).await.unwrap();
    records.iter().map(|record| format!("{} {} {}", record.service, record.action, record.object)).collect()
}

async fn add(bench: &Bench, database: &Database, thing: &str) {
    let mut tx = database.begin().await.unwrap();
    tx.execute("INSERT INTO thing VALUES ($1)", params![thing]).await.unwrap();
    bench.by.record(&mut tx, Act::new("upload", format!("thing/all/{thing}")).after(3)).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn an_act_that_was_taken_back_did_not_happen() {
    on_both(async |bench| {
        let folder = tempfile::tempdir().unwrap();
        let database = service(&folder).await;
        let trail = Trail::default().with("thing", database.clone());
        let mut tx = database.begin().await.unwrap();
        bench.by.record(&mut tx, Act::new("upload", "thing/all/x")).await.unwrap();
        drop(tx);
        assert!(page(&trail, &Filter::default(), 9).await.is_empty());
        add(bench, &database, "y").await;
        let record = &trail.page(&Filter::default(), None, 9).await.unwrap()[0];
        assert_eq!((record.actor.as_str(), record.address.as_str()), ("(console root)", ""));
        assert_eq!((record.time, record.after.as_deref(), record.before.as_deref()), (bench.now(), Some("3"), None));
    });
}

#[test]
fn several_trails_read_as_one() {
    on_both(async |bench| {
        let folder = tempfile::tempdir().unwrap();
        let database = service(&folder).await;
        // some of them at one moment
        for number in 0..12 {
            add(bench, &database, &number.to_string()).await;
            bench.auth.add_user(&bench.by, opsctl_auth::NewUser::new(name(&format!("u{number}")))).await.unwrap();
            bench.advance(number % 2);
        }
        let trail = bench.auth.trail().with("thing", database);
        let whole = page(&trail, &Filter::default(), 100).await;
        assert_eq!(whole.len(), 24);
        assert_eq!(whole[0], "auth user add auth/user/u11");
        for size in [1, 2, 3, 5, 7] {
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                let records = trail.page(&Filter::default(), after, size).await.unwrap();
                seen.extend(
                    records.iter().map(|record| format!("{} {} {}", record.service, record.action, record.object)),
                );
                let Some(last) = records.last() else { break };
                after = Some(last.cursor.to_string().parse().unwrap());
            }
            assert_eq!(seen, whole, "pages of {size}");
        }
        assert_eq!(trail.page(&Filter::default(), None, u32::MAX).await.unwrap().len(), 24);
    });
}

#[test]
fn filters() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        bench.add("al-ice", &["reader@index"]).await;
        let by_alice = |via| {
            let identity = Identity::user(alice.clone(), via, false, Vec::new(), [].into());
            bench.auth.author(&identity, Some("192.0.2.1"))
        };
        bench.auth.set_administrator(&by_alice(Via::Session), &alice, true).await.unwrap();
        bench.auth.set_disabled(&by_alice(Via::Token(7)), &name("al-ice"), true).await.unwrap();
        let trail = bench.auth.trail();
        let check = async |filter: Filter, expected: &[&str]| {
            assert_eq!(page(&trail, &filter, 9).await, expected, "{filter:?}");
        };
        let all = Filter::default;
        let text = |text: &str| Some(text.to_owned());
        let (disable, role) = ("auth user disable auth/user/al-ice", "auth user role auth/user/alice");
        check(Filter { actor: text("alice"), ..all() }, &[disable, role]).await;
        check(Filter { actor: text("alice (token 7)"), ..all() }, &[disable]).await;
        check(Filter { actor: text("al"), ..all() }, &[]).await;
        check(Filter { actor: text("a%"), ..all() }, &[]).await;
        check(Filter { action: text("user ro"), ..all() }, &[role]).await;
        check(Filter { object: text("AL-I"), ..all() }, &[disable, "auth user add auth/user/al-ice"]).await;
        check(Filter { object: text("al_i"), ..all() }, &[]).await;
        check(Filter { object: text("%"), ..all() }, &[]).await;
        check(Filter { object: text("\\"), ..all() }, &[]).await;
        check(Filter { object: text("\0"), ..all() }, &[]).await;
        check(Filter { service: text("index"), ..all() }, &[]).await;
        let both = Filter { actor: text("alice"), action: text("user disable"), service: text("auth"), ..all() };
        check(both, &[disable]).await;
    });
}
