//! A user base of its own for each test, on both databases, under a clock that the test moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use opsctl_auth::{
    Auth, Author, Browser, Clock, Credentials, Error, Filter, Identity, Intent, Name, NewUser, Settings,
};
use opsctl_config::Sources;
use opsctl_store::Location;
use opsctl_testkit::Postgres;

const DEFAULTS: &str = include_str!("../../../../config/opsctl.toml");

/// A password that anybody may have.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A user base and the time in it.
pub(crate) struct Bench {
    pub(crate) auth: Auth,
    pub(crate) by: Author,
    location: Location,
    now: Arc<Mutex<Timestamp>>,
}

/// Runs a test on both databases.
pub(crate) fn on_both(test: impl AsyncFn(&Bench)) {
    with("", test);
}

/// Runs a test that has nothing to do with the kind of database on SQLite alone.
pub(crate) fn on_one(set: &str, test: impl AsyncFn(&Bench)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async { test(&Bench::open(Location::local(folder.path()), set).await).await });
}

/// The same with keys set, a line `key=value` each.
pub(crate) fn with(set: &str, test: impl AsyncFn(&Bench)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let local = Location::local(folder.path());
    runtime.block_on(async { test(&Bench::open(local.clone(), set).await).await });
    let postgres = Postgres::start();
    let there = local.with_database(postgres.url().parse().unwrap());
    runtime.block_on(async { test(&Bench::open(there, set).await).await });
}

pub(crate) fn settings(set: &str) -> Settings {
    let set = set.split('\n').filter(|set| !set.is_empty()).map(|set| format!("auth.{set}"));
    let (document, faults) = Sources::new(DEFAULTS, std::path::Path::new("/")).set(set).read();
    assert!(faults.is_empty(), "{faults:?}");
    document.table("auth", &[]).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn browser() -> Browser {
    Browser { address: Some("192.0.2.1".parse().unwrap()), name: "a browser".to_owned() }
}

impl Bench {
    async fn open(location: Location, set: &str) -> Self {
        let now = Arc::new(Mutex::new("2026-08-01T12:00:00Z".parse().unwrap()));
        let auth = Auth::open(&location, settings(set), clock(&now)).await.unwrap();
        let by = auth.author(&Identity::console("root"), None::<&str>);
        Self { auth, by, location, now }
    }

    /// The same user base in another process.
    pub(crate) async fn another(&self) -> Auth {
        Auth::open(&self.location, self.auth.settings().clone(), clock(&self.now)).await.unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(Duration::from_secs(seconds)).unwrap();
    }

    /// Makes a user with [`PASSWORD`]; `rights` are grants, or `administrator`.
    pub(crate) async fn add(&self, user: &str, rights: &[&str]) -> Name {
        let administrator = rights.contains(&"administrator");
        let grants = rights.iter().filter(|right| **right != "administrator").map(|right| right.parse().unwrap());
        let new = NewUser {
            password: Some(PASSWORD.to_owned()),
            administrator,
            grants: grants.collect(),
            ..NewUser::new(name(user))
        };
        self.auth.add_user(&self.by, new).await.unwrap();
        name(user)
    }

    pub(crate) async fn identify(&self, credentials: &Credentials) -> Result<Identity, Error> {
        self.auth.identify(credentials, browser().address, Intent::Look).await
    }

    /// The actor of these credentials, or what is wrong with them.
    pub(crate) async fn who(&self, credentials: &Credentials) -> String {
        self.identify(credentials).await.map_or_else(|error| error.to_string(), |identity| identity.actor())
    }

    pub(crate) async fn login(&self, user: &str, password: &str) -> Result<Credentials, Error> {
        let (_, session) = self.auth.login(user, password, &browser()).await?;
        Ok(Credentials::Session(session.expose().to_owned()))
    }

    /// The last acts, the newest first: `actor action object before after`.
    pub(crate) async fn acts(&self, count: u32) -> Vec<String> {
        let records = self.auth.trail().page(&Filter::default(), None, count).await.unwrap();
        let text = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| format!("[{text}]"));
        let act = |record: opsctl_auth::Record| {
            let (before, after) = (text(record.before), text(record.after));
            format!("{} {} {} {before} {after}", record.actor, record.action, record.object)
        };
        records.into_iter().map(act).collect()
    }
}

pub(crate) fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
}

fn clock(now: &Arc<Mutex<Timestamp>>) -> Clock {
    let now = Arc::clone(now);
    Clock::new(move || *now.lock().unwrap())
}
