//! What a service may count on, on both databases.

use futures_util::TryStreamExt;
use opsctl_store::{Database, Dialect, Error, Event, Sql, Value, params};

use crate::support::{Place, block_on, on_both};

const SCHEMA: &str = "
    CREATE TABLE file (
        id BIGINT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, size BIGINT, score DOUBLE PRECISION,
        yanked BOOLEAN NOT NULL DEFAULT FALSE, UNIQUE (project, name), CHECK (size >= 0)
    );
    CREATE UNIQUE INDEX file_lower ON file (lower(name));
    CREATE TABLE note (file BIGINT NOT NULL REFERENCES file (id), line TEXT);";

async fn open(place: &Place) -> Database {
    place.open(&[("0001_files", SCHEMA)]).await.unwrap()
}

async fn insert(db: &Database, id: i64, project: &str, name: &str) -> opsctl_store::Result<u64> {
    let sql = "INSERT INTO file (id, project, name, size, score, yanked) VALUES ($1, $2, $3, $4, $5, $6)";
    db.execute(sql, params![id, project, name, 5_u64, 0.5, true]).await
}

#[test]
fn rows_come_back_as_they_went_in() {
    on_both(async |place| {
        let db = open(place).await;
        let expected = if place.postgres.is_some() { Dialect::Postgres } else { Dialect::Sqlite };
        assert_eq!(db.dialect(), expected);
        assert_eq!(insert(&db, 1, "a", "x").await.unwrap(), 1);
        let row = db.fetch_optional("SELECT * FROM file WHERE name = $1", params!["x"]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>("id").unwrap(), 1);
        assert_eq!(row.get::<&str>("project").unwrap(), "a");
        assert_eq!(row.get::<Option<u64>>("size").unwrap(), Some(5));
        assert_eq!(row.get::<f64>("score").unwrap(), 0.5);
        assert!(row.get::<bool>("yanked").unwrap());
        assert!(db.fetch_optional("SELECT 1 FROM file WHERE name = $1", params!["y"]).await.unwrap().is_none());
        assert_eq!(db.fetch_value::<i64>("SELECT count(*) FROM file", params![]).await.unwrap(), Some(1));
        let total = "SELECT CAST(sum(size) AS BIGINT) FROM file";
        assert_eq!(db.fetch_value::<i64>(total, params![]).await.unwrap(), Some(5));
        assert_eq!(db.fetch_value::<bool>("SELECT EXISTS (SELECT 1 FROM note)", params![]).await.unwrap(), Some(false));
        let inserted = "INSERT INTO file (id, project, name) VALUES ($1, $2, $3) RETURNING id";
        assert_eq!(db.fetch_value::<i64>(inserted, params![2, "b", "y"]).await.unwrap(), Some(2));
        let all = db.fetch_all("SELECT name FROM file ORDER BY name LIMIT $1", params![10]).await.unwrap();
        assert_eq!(all.iter().map(|row| row.get::<String>("name").unwrap()).collect::<Vec<_>>(), ["x", "y"]);
    });
}

#[test]
fn a_transaction_that_found_no_room_is_not_in_the_way_of_the_next() {
    block_on(async {
        let place = Place::sqlite();
        let db = open(&place).await;
        let mut tx = db.begin().await.unwrap();
        tx.fetch_all("PRAGMA max_page_count = 20", params![]).await.unwrap();
        let sql = "INSERT INTO file (id, project, name) VALUES ($1, $2, $3)";
        let full = tx.execute(sql, params![1, "a", "x".repeat(200_000)]).await.unwrap_err();
        assert!(matches!(full, Error::NoSpace { .. }), "{full:?}");
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        tx.execute(sql, params![1, "a", "x"]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(db.fetch_value::<i64>("SELECT count(*) FROM file", params![]).await.unwrap(), Some(1));
    });
}

#[test]
fn every_type_and_null_in_every_order() {
    on_both(async |place| {
        let table = match place.postgres {
            None => "CREATE TABLE v (k BIGINT PRIMARY KEY, i INTEGER, r REAL, b BOOLEAN, t TEXT, y BLOB)",
            Some(_) => {
                "CREATE TABLE v (k BIGINT PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, b BOOLEAN, t TEXT, y BYTEA)"
            }
        };
        let db = place.open(&[("0001_values", table)]).await.unwrap();
        let full = || params![i64::MIN, -0.25, false, "ä\n'", vec![0_u8, 255]];
        let empty = || vec![Value::Null; 5];
        // a statement stays prepared: NULL first must not decide the type of what comes later, nor the other way round
        for (key, values) in [empty(), full(), empty(), full()].into_iter().enumerate() {
            let mut params = params![key];
            params.extend(values.clone());
            db.execute("INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6)", params).await.unwrap();
            let row =
                db.fetch_optional("SELECT i, r, b, t, y FROM v WHERE k = $1", params![key]).await.unwrap().unwrap();
            assert_eq!(row.get::<Option<i64>>("i").unwrap().is_none(), values[0] == Value::Null);
            if values[0] != Value::Null {
                assert_eq!(row.get::<i64>("i").unwrap(), i64::MIN);
                assert_eq!(row.get::<f64>("r").unwrap(), -0.25);
                assert!(!row.get::<bool>("b").unwrap());
                assert_eq!(row.get::<&str>("t").unwrap(), "ä\n'");
                assert_eq!(row.get::<&[u8]>("y").unwrap(), [0, 255]);
            }
        }
    });
}

#[test]
fn what_no_database_takes_is_refused_before() {
    on_both(async |place| {
        let db = open(place).await;
        let error = db.fetch_all("SELECT * FROM file WHERE name = $1", params!["a\0b"]).await.unwrap_err();
        assert_eq!(error.to_string(), "parameter $1 is text with a NUL character");
        let error = db.execute("UPDATE file SET size = $2 WHERE id = $1", params![1, u64::MAX]).await.unwrap_err();
        assert_eq!(error.to_string(), "parameter $2 is an integer beyond 64 bits with sign");
    });
}

#[test]
fn errors_say_what_can_be_done() {
    on_both(async |place| {
        let db = open(place).await;
        insert(&db, 1, "a", "x").await.unwrap();
        let conflict = |error: Error| match error {
            Error::Conflict { constraint } => constraint,
            other => panic!("{other:?}"),
        };
        assert_eq!(conflict(insert(&db, 1, "b", "y").await.unwrap_err()), "file.id");
        db.execute("DROP INDEX file_lower", params![]).await.unwrap();
        assert_eq!(conflict(insert(&db, 2, "a", "x").await.unwrap_err()), "file.project, file.name");
        db.execute("CREATE UNIQUE INDEX file_lower ON file (lower(name))", params![]).await.unwrap();
        assert_eq!(conflict(insert(&db, 2, "b", "X").await.unwrap_err()), "file_lower");

        let violation = async |sql: &'static str| {
            let error = db.execute(sql, params![]).await.unwrap_err();
            assert!(matches!(error, Error::Violation { .. }), "{error:?}");
        };
        violation("INSERT INTO note (file) VALUES (77)").await;
        violation("INSERT INTO file (id, project) VALUES (3, 'a')").await;
        violation("INSERT INTO file (id, project, name, size) VALUES (3, 'a', 'z', -1)").await;

        let error = db.fetch_all("SELECT name FROM nowhere", params![]).await.unwrap_err();
        assert_eq!(error.to_string(), "failed to run `SELECT name FROM nowhere`");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("nowhere") && !source.contains("returned from database"), "{source}");
        let error = db.fetch_all("SELECT name FROM file", params![]).await.unwrap()[0].get::<i64>("name").unwrap_err();
        assert_eq!(error.to_string(), "column `name` is text instead of an integer");
    });
}

#[test]
fn a_transaction_is_all_or_nothing() {
    on_both(async |place| {
        let db = open(place).await;
        let count = async || db.fetch_value::<i64>("SELECT count(*) FROM note", params![]).await.unwrap().unwrap();
        insert(&db, 1, "a", "x").await.unwrap();
        let note = "INSERT INTO note (file, line) VALUES ($1, $2)";

        let mut tx = db.begin().await.unwrap();
        tx.execute(note, params![1, "dropped"]).await.unwrap();
        assert_eq!(tx.fetch_value::<i64>("SELECT count(*) FROM note", params![]).await.unwrap(), Some(1));
        assert_eq!(count().await, 0, "others see it when it is committed");
        drop(tx);
        assert_eq!(count().await, 0);

        let mut tx = db.begin().await.unwrap();
        tx.execute(note, params![1, "taken back"]).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(count().await, 0);

        let mut tx = db.begin().await.unwrap();
        tx.execute(note, params![1, "one"]).await.unwrap();
        assert_eq!(tx.fetch_all("SELECT line FROM note", params![]).await.unwrap().len(), 1);
        tx.execute(note, params![1, None::<String>]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(count().await, 2);
    });
}

#[test]
fn many_writers_at_once_lose_nothing() {
    on_both(async |place| {
        let db = open(place).await;
        insert(&db, 1, "a", "x").await.unwrap();
        let add = async || {
            for _ in 0..20 {
                let mut tx = db.begin().await.unwrap();
                tx.lock("sizes").await.unwrap();
                let size =
                    tx.fetch_value::<i64>("SELECT size FROM file WHERE id = 1", params![]).await.unwrap().unwrap();
                tx.execute("UPDATE file SET size = $1 WHERE id = 1", params![size + 1]).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        futures_util::future::join_all((0..8).map(|_| add())).await;
        let size = db.fetch_value::<i64>("SELECT size FROM file WHERE id = 1", params![]).await.unwrap();
        assert_eq!(size, Some(5 + 8 * 20));
    });
}

#[test]
fn long_results_come_row_by_row() {
    on_both(async |place| {
        let db = open(place).await;
        let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                       SELECT CAST(i AS BIGINT) AS i FROM n";
        let mut rows = db.fetch(numbers, params![]);
        let mut sum = 0;
        while let Some(row) = rows.try_next().await.unwrap() {
            sum += row.get::<i64>("i").unwrap();
        }
        assert_eq!(sum, 5000 * 5001 / 2);
        drop(rows);
        let mut rows = db.fetch(Sql::built("SELECT x FROM nowhere".to_owned()), params![]);
        assert!(matches!(rows.try_next().await, Err(Error::Statement { .. })));
    });
}

#[test]
fn what_is_committed_is_there_for_the_next_who_opens() {
    on_both(async |place| {
        let db = open(place).await;
        insert(&db, 1, "a", "x").await.unwrap();
        let again = open(place).await;
        assert_eq!(again.fetch_value::<i64>("SELECT count(*) FROM file", params![]).await.unwrap(), Some(1));
        db.close().await;
        drop(db);
        let again = open(place).await;
        assert_eq!(again.fetch_value::<i64>("SELECT count(*) FROM file", params![]).await.unwrap(), Some(1));
    });
}

#[test]
fn listeners_wake() {
    on_both(async |place| {
        let db = open(place).await;
        // on PostgreSQL another node hears it too
        let other = if place.postgres.is_some() { open(place).await } else { db.clone() };
        let mut listener = other.listen(&["videos", "jobs"]);
        assert_eq!(listener.recv().await, Event::Missed);
        let heard = |channel: &str, payload: &str| Event::Notified { channel: channel.into(), payload: payload.into() };
        db.notify("nobody", "x").await.unwrap();
        db.notify("jobs", "1").await.unwrap();
        assert_eq!(listener.recv().await, heard("jobs", "1"));

        let mut tx = db.begin().await.unwrap();
        tx.notify("videos", "taken back").await.unwrap();
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        tx.notify("videos", "2").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(listener.recv().await, heard("videos", "2"));

        if place.postgres.is_none() {
            // another process, such as a verb, is noticed
            let verb = open(place).await;
            verb.notify("jobs", "x").await.unwrap();
            assert_eq!(listener.recv().await, Event::Missed);
            db.notify("jobs", "4").await.unwrap();
            assert_eq!(listener.recv().await, heard("jobs", "4"));
        }

        let error = db.notify("videos", &"x".repeat(8000)).await.unwrap_err();
        assert!(error.to_string().contains("7999"), "{error}");
        if let Some(postgres) = &place.postgres {
            postgres.cut_connections();
            assert_eq!(listener.recv().await, Event::Missed);
            other.notify("videos", "3").await.unwrap();
            assert_eq!(listener.recv().await, heard("videos", "3"));
        }
    });
}
