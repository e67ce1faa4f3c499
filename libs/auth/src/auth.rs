//! The user base: its database, its rules, and what is shared by everything that uses it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use opsctl_store::{Database, Location, Migrations, migrations, params};

use crate::audit::{AUDIT, Author, Trail};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::error::Error;
use crate::identity::Identity;
use crate::lookup::Found;
use crate::oidc::Oidc;
use crate::password::Passwords;
use crate::random;
use crate::rights::Scope;
use crate::settings::Settings;
use crate::throttle::Throttle;

/// The word of the user base: its database, its schema, and the service in audit trails and objects.
pub const NAME: &str = "auth";

const MIGRATIONS: Migrations = migrations!("auth", "0001_accounts", "0002_audit");

/// Tokens and sessions whose holder is known for a moment.
const FOUND: usize = 4096;

/// The user base of all services of this process. Cheap to clone.
#[derive(Clone)]
pub struct Auth(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) database: Database,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) found: Cache<Found>,
    oidc: Option<Arc<Oidc>>,
    everybody: Arc<[Scope]>,
    key: [u8; 32],
}

impl Auth {
    /// Opens the user base that lies at `location`, made if it is not there.
    ///
    /// # Errors
    /// The database's, or there are no random numbers; or `oidc` is not complete.
    pub async fn open(location: &Location, settings: Settings, clock: Clock) -> Result<Self, Error> {
        debug_assert_eq!(MIGRATIONS.0.last().map(|last| last.name), Some(AUDIT.name));
        let database = Database::open(location, NAME, &MIGRATIONS).await?;
        let key = shared_secret(&database, "web").await?;
        let oidc = Oidc::open(&settings, key)?;
        let everybody = settings.anonymous.iter().cloned().collect();
        let throttle = Throttle::new(settings.rule());
        let found = Cache::new(FOUND, settings.cache.get());
        let passwords = Passwords::new()?;
        Ok(Self(Arc::new(Inner { database, settings, clock, passwords, throttle, found, oidc, everybody, key })))
    }

    /// How it is set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Nobody in particular, who may do what everybody may.
    #[must_use]
    pub fn anonymous(&self) -> Identity {
        Identity::anonymous(self.everybody())
    }

    /// Who acts when `identity` asks from `address`.
    #[must_use]
    pub fn author(&self, identity: &Identity, address: Option<impl fmt::Display>) -> Author {
        Author::new(identity, address, self.0.clock.clone())
    }

    /// The trail of what was done to users, tokens and sessions; services add theirs.
    #[must_use]
    pub fn trail(&self) -> Trail {
        Trail::default().with(NAME, self.0.database.clone())
    }

    /// A secret of 32 bytes that all nodes share and that survives restarts: signs what browsers keep for the pages.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        self.0.key
    }

    /// The provider by which people can log in, if there is one.
    pub(crate) fn oidc(&self) -> Option<&Arc<Oidc>> {
        self.0.oidc.as_ref()
    }

    pub(crate) fn everybody(&self) -> Arc<[Scope]> {
        Arc::clone(&self.0.everybody)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Somebody's rights have changed: to be called after the commit.
    pub(crate) fn changed(&self) {
        self.0.found.clear();
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("database", &self.0.database).finish_non_exhaustive()
    }
}

/// The secret `name`, drawn by whoever comes first.
async fn shared_secret(database: &Database, name: &str) -> Result<[u8; 32], Error> {
    let sql = "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    database.execute(sql, params![name, random::bytes::<32>()?]).await?;
    let secret = database.fetch_value("SELECT value FROM secret WHERE name = $1", params![name]).await?;
    secret.ok_or(Error::Stored("secret"))
}

/// A moment as the database has it.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A moment from the database.
pub(crate) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
