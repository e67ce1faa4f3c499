//! A real PostgreSQL: one cluster per test process, one database per test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::supervised::Supervised;
use crate::wait::eventually;

/// Where Debian has its versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The cluster is thrown away: nothing need survive.
const FAST: &[&str] = &["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200"];

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database of its own, for one test.
#[derive(Debug)]
pub struct Postgres {
    database: String,
}

#[derive(Debug)]
struct Cluster {
    bin: PathBuf,
    server: Supervised,
}

impl Postgres {
    /// Makes a database, and first the cluster if this is the first of the process.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let cluster = CLUSTER.get_or_init(Cluster::start);
        let database = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        cluster.run("createdb", &[&database]);
        Self { database }
    }

    /// `postgres://…`, over a unix socket.
    #[must_use]
    pub fn url(&self) -> String {
        let dir = cluster().server.dir().display();
        format!("postgres://postgres@localhost/{}?host={dir}", self.database)
    }

    /// Runs statements with psql and returns what it prints: values separated by `|`, a line per row.
    ///
    /// # Panics
    /// When a statement fails.
    #[must_use]
    pub fn sql(&self, statements: &str) -> String {
        let arguments = ["-v", "ON_ERROR_STOP=1", "-qXAt", "-d", &self.database, "-c", statements];
        cluster().run("psql", &arguments).trim_end().to_owned()
    }

    /// Cuts every connection to the database off, as a server that is started again does.
    pub fn cut_connections(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let _ = self.sql(cut);
    }
}

fn cluster() -> &'static Cluster {
    CLUSTER.get().expect("a database is made with its cluster")
}

impl Cluster {
    fn start() -> Self {
        let bin = newest(Path::new(VERSIONS)).unwrap_or_else(|| {
            panic!("PostgreSQL is missing: `apt-get install postgresql`, or `cargo xtask setup` for everything")
        });
        let dir = Supervised::folder("postgres");
        let data = dir.join("data");
        let mut initdb = Supervised::command(bin.join("initdb"));
        initdb.arg("-D").arg(&data);
        initdb.args(["-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"]);
        succeed(&mut initdb);
        let mut server = Command::new(bin.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&dir).args(["-c", "listen_addresses="]);
        for setting in FAST {
            server.args(["-c", setting]);
        }
        // INT is its fast way to stop
        let server = Supervised::start(dir, "INT", &server);
        let cluster = Self { bin, server };
        let ready = || {
            let mut ask = cluster.client("pg_isready", &["-q"]);
            ask.status().expect("pg_isready").success().then_some(())
        };
        eventually("PostgreSQL accepts connections", ready);
        cluster
    }

    fn client(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Supervised::command(self.bin.join(program));
        command.arg("-h").arg(self.server.dir()).args(["-U", "postgres"]).args(arguments);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        succeed(&mut self.client(program, arguments))
    }
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The programs of the newest version.
fn newest(versions: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let numbered = folders.filter_map(|path| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path)));
    let with_server = numbered.filter(|(_, path)| path.join("bin/postgres").is_file());
    with_server.max_by_key(|(number, _)| *number).map(|(_, path)| path.join("bin"))
}
