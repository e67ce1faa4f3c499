//! What statements and blobs cost: processor time of this process, all of its threads, of the least of several batches.
//!
//! Beside each stands the same on sqlx alone, so that what the layer adds is seen. PostgreSQL's own work is not
//! counted, and the one of the tests leaves out synchronising; SQLite's inserts are on disk.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use std::time::{Duration, Instant};

use opsctl_store::{Blobs, Database, Location, Migration, Migrations, params};
use opsctl_testkit::Postgres;
use rustix::time::{ClockId, clock_gettime};
use sqlx::{Row as _, SqlitePool};
use tokio::runtime::Builder;

const SCHEMA: &str = "CREATE TABLE file (id BIGINT PRIMARY KEY, name TEXT NOT NULL, size BIGINT NOT NULL)";
const MIGRATIONS: Migrations = Migrations(&[Migration { name: "0001_files", sqlite: SCHEMA, postgres: SCHEMA }]);
const ONE: &str = "SELECT name, size FROM file WHERE id = $1";
const MANY: &str = "SELECT id, name, size FROM file ORDER BY id LIMIT $1";
const BATCHES: usize = 5;

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Microseconds of processor and on the clock for one of `count`, in the cheapest batch.
async fn measure(count: u32, mut one: impl AsyncFnMut(u32)) -> (f64, f64) {
    let mut best = (f64::MAX, f64::MAX);
    for batch in 0..BATCHES {
        let (before, start) = (cpu(), Instant::now());
        for number in 0..count {
            one(number + count * u32::try_from(batch).unwrap()).await;
        }
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(count);
        best = (best.0.min(micros(cpu() - before)), best.1.min(micros(start.elapsed())));
    }
    best
}

fn row(what: &str, (cpu, clock): (f64, f64)) {
    println!("| {what} | {cpu:.1} | {clock:.1} |");
}

async fn database(name: &str, location: &Location) {
    let open = async |_| drop(Database::open(location, "bench", &MIGRATIONS).await.unwrap());
    open(0).await;
    row(&format!("{name}: open, nothing to migrate"), measure(20, open).await);
    let db = Database::open(location, "bench", &MIGRATIONS).await.unwrap();
    let insert = async |number: u32| {
        let sql = "INSERT INTO file (id, name, size) VALUES ($1, $2, $3)";
        db.execute(sql, params![number, "numpy-2.0.0-cp313-cp313-manylinux_2_17_x86_64.whl", 5_000_000]).await.unwrap();
    };
    row(&format!("{name}: insert a row"), measure(200, insert).await);
    let one = async |number: u32| {
        let row = db.fetch_optional(ONE, params![number % 1000]).await.unwrap().unwrap();
        assert!(row.get::<i64>("size").unwrap() > 0);
    };
    row(&format!("{name}: select a row"), measure(2000, one).await);
    let many = async |_| assert_eq!(db.fetch_all(MANY, params![500]).await.unwrap().len(), 500);
    row(&format!("{name}: select 500 rows"), measure(50, many).await);
}

/// The same statements on sqlx.
async fn floor(location: &Location) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(location.data_dir().join("bench.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let one = async |number: u32| {
        let row = sqlx::query(ONE).bind(i64::from(number % 1000)).fetch_one(&pool).await.unwrap();
        assert!(row.get::<i64, _>("size") > 0);
    };
    row("sqlx alone on SQLite: select a row", measure(2000, one).await);
    let many = async |_| {
        let rows = sqlx::query(MANY).bind(500_i64).fetch_all(&pool).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.get::<String, _>("name").len() > 9).count(), 500);
    };
    row("sqlx alone on SQLite: select 500 rows", measure(50, many).await);
}

async fn blobs(location: &Location) {
    let blobs = Blobs::open(location, "bench").await.unwrap();
    let put = async |number: u32| drop(blobs.put_bytes(&format!("b/{number}"), vec![7; 1000]).await.unwrap());
    row("folder: put 1 KB, on disk", measure(100, put).await);
    let get = async |number: u32| {
        let blob = blobs.get(&format!("b/{}", number % 100)).await.unwrap().unwrap();
        assert_eq!(blob.bytes().await.unwrap().len(), 1000);
    };
    row("folder: get 1 KB", measure(1000, get).await);
    let head = async |number: u32| drop(blobs.head(&format!("b/{}", number % 100)).await.unwrap().unwrap());
    row("folder: look at one", measure(1000, head).await);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let local = Location::local(folder.path());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("| | CPU, µs | on the clock, µs |\n|---|--:|--:|");
    runtime.block_on(async {
        database("SQLite", &local).await;
        floor(&local).await;
        let postgres = Postgres::start();
        database("PostgreSQL", &local.clone().with_database(postgres.url().parse().unwrap())).await;
        blobs(&local).await;
    });
}
