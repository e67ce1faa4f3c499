//! Schemas are brought up to date once, by one, and never by a program that does not know them.

use opsctl_store::{Database, Error, params};

use crate::support::{Place, leaked, on_both};

const FIRST: (&str, &str) = ("0001_a", "CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (1);");
const SECOND: (&str, &str) = ("0002_b", "CREATE TABLE b (x BIGINT); INSERT INTO a VALUES (2);");

async fn rows(db: &Database) -> i64 {
    db.fetch_value("SELECT count(*) FROM a", params![]).await.unwrap().unwrap()
}

fn why(outcome: opsctl_store::Result<Database>) -> String {
    match outcome {
        Err(error @ Error::Migration { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_runs_once() {
    on_both(async |place| {
        assert_eq!(rows(&place.open(&[FIRST]).await.unwrap()).await, 1);
        assert_eq!(rows(&place.open(&[FIRST]).await.unwrap()).await, 1);
        assert_eq!(rows(&place.open(&[FIRST, SECOND]).await.unwrap()).await, 2);
        assert_eq!(rows(&place.open(&[FIRST, SECOND]).await.unwrap()).await, 2);
    });
}

#[test]
fn schemas_of_services_are_apart() {
    on_both(async |place| {
        for service in ["index", "user", "with-hyphen"] {
            let db = Database::open(&place.location, service, &leaked(&[FIRST])).await.unwrap();
            assert_eq!(rows(&db).await, 1);
        }
        let error = Database::open(&place.location, "../x\"", &leaked(&[FIRST])).await.unwrap_err();
        assert!(error.to_string().contains("open a database for"), "{error}");
    });
}

#[test]
fn strange_schemas_are_refused() {
    on_both(async |place| {
        place.open(&[FIRST, SECOND]).await.unwrap();
        let edited = ("0001_a", "CREATE TABLE a (x BIGINT, y BIGINT)");
        assert_eq!(
            why(place.open(&[edited, SECOND]).await),
            "migration `0001_a` of `lab` is not the one that ran in the database: it was edited afterwards"
        );
        assert_eq!(
            why(place.open(&[FIRST]).await),
            "migration `0002_b` of `lab` ran in the database and is unknown here: a newer version of opsctl was there, use that"
        );
        let between = ("0001_b", "CREATE TABLE c (x BIGINT)");
        assert!(why(place.open(&[FIRST, between, SECOND]).await).contains("before one that sorts in front"));
        assert!(why(place.open(&[SECOND, FIRST]).await).contains("does not sort"));
        // and nothing happened to it
        assert_eq!(rows(&place.open(&[FIRST, SECOND]).await.unwrap()).await, 2);
    });
}

#[test]
fn a_migration_that_fails_leaves_nothing() {
    on_both(async |place| {
        place.open(&[FIRST]).await.unwrap();
        let broken = ("0003_c", "CREATE TABLE c (x BIGINT); INSERT INTO nowhere VALUES (1);");
        let error = place.open(&[FIRST, SECOND, broken]).await.unwrap_err();
        assert_eq!(error.to_string(), "failed to run migration `0003_c` of `lab`");
        // not even the second, which ran well
        let db = place.open(&[FIRST]).await.unwrap();
        assert_eq!(rows(&db).await, 1);
        assert!(db.fetch_all("SELECT * FROM b", params![]).await.is_err());
    });
}

#[test]
fn many_open_at_once() {
    on_both(async |place| {
        let opens = (0..6).map(|_| {
            let location = place.location.clone();
            // each with a runtime of its own, as a process has
            std::thread::spawn(move || {
                crate::support::block_on(async {
                    let db = Database::open(&location, "lab", &leaked(&[FIRST, SECOND])).await.unwrap();
                    db.execute("INSERT INTO b VALUES (1)", params![]).await.unwrap();
                    rows(&db).await
                })
            })
        });
        let opens: Vec<_> = opens.collect();
        for open in opens {
            assert_eq!(open.join().unwrap(), 2);
        }
        let db = place.open(&[FIRST, SECOND]).await.unwrap();
        assert_eq!(db.fetch_value::<i64>("SELECT count(*) FROM b", params![]).await.unwrap(), Some(6));
    });
}

#[test]
fn a_table_that_others_refer_to_can_be_rebuilt_on_sqlite() {
    crate::support::block_on(async {
        let tables =
            "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a (id) ON DELETE CASCADE);
            INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);";
        let rebuild = "CREATE TABLE new_a (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO new_a (id) SELECT id FROM a;
            DROP TABLE a; ALTER TABLE new_a RENAME TO a;";
        let place = Place::sqlite();
        place.open(&[("0001", tables)]).await.unwrap();
        let db = place.open(&[("0001", tables), ("0002", rebuild)]).await.unwrap();
        assert_eq!(db.fetch_value::<i64>("SELECT count(*) FROM b", params![]).await.unwrap(), Some(1));
        let orphans = "DELETE FROM a";
        let error = why(place.open(&[("0001", tables), ("0002", rebuild), ("0003", orphans)]).await);
        assert!(error.contains("`0003` of `lab` leaves rows that refer to nothing"), "{error}");
    });
}
