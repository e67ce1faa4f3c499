//! Where the tests keep their data.

use opsctl_store::{Database, Location, Migration, Migrations};
use opsctl_testkit::Postgres;
use tempfile::TempDir;

/// One kind of place for data, with what keeps it alive.
pub(crate) struct Place {
    pub(crate) location: Location,
    pub(crate) postgres: Option<Postgres>,
    _folder: TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { location: Location::local(folder.path()), postgres: None, _folder: folder }
    }

    pub(crate) fn postgres() -> Self {
        let postgres = Postgres::start();
        let place = Self::sqlite();
        let location = place.location.clone().with_database(postgres.url().parse().unwrap());
        Self { location, postgres: Some(postgres), ..place }
    }

    pub(crate) async fn open(&self, migrations: &[(&'static str, &'static str)]) -> opsctl_store::Result<Database> {
        Database::open(&self.location, "lab", &leaked(migrations)).await
    }
}

/// Migrations with the same text for both.
pub(crate) fn leaked(migrations: &[(&'static str, &'static str)]) -> Migrations {
    let both = |&(name, text)| Migration { name, sqlite: text, postgres: text };
    Migrations(migrations.iter().map(both).collect::<Vec<_>>().leak())
}

/// Runs a test on both databases.
pub(crate) fn on_both(test: impl AsyncFn(&Place)) {
    for place in [Place::sqlite(), Place::postgres()] {
        block_on(test(&place));
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}
