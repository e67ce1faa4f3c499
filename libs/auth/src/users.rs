//! Users: making them, changing what they are and may do, and removing them.
//!
//! Every change is one transaction with its row in the audit trail. There is always an administrator left who can log
//! in and undo it.

mod write;

use jiff::Timestamp;
use opsctl_store::{Row, params};

use crate::auth::{Auth, moment};
use crate::error::Error;
use crate::name::Name;
use crate::rights::{Grant, Place, Role};

pub use write::NewUser;
pub(crate) use write::{find, insert, object, replace_roles, store_password};

/// Users in one list at most.
pub(crate) const MOST: i64 = 1000;

/// A user, as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) id: i64,
    /// What they are called.
    pub name: Name,
    /// Whether they may do everything everywhere, and manage users.
    pub administrator: bool,
    /// Since when they are locked out, if they are.
    pub disabled: Option<Timestamp>,
    /// Whether they have a password to log in with.
    pub has_password: bool,
    /// When they were made.
    pub created: Timestamp,
    /// When they last logged in.
    pub seen: Option<Timestamp>,
    /// What they may do, in the order of the places. Only given by [`Auth::user`].
    pub grants: Vec<Grant>,
}

const COLUMNS: &str = "id, name, administrator, disabled, password IS NOT NULL AS has_password, created, seen";

impl User {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get::<&str>("name")?.parse().map_err(|_| Error::Stored("name"))?,
            administrator: row.get("administrator")?,
            disabled: row.get::<Option<i64>>("disabled")?.map(moment),
            has_password: row.get("has_password")?,
            created: moment(row.get("created")?),
            seen: row.get::<Option<i64>>("seen")?.map(moment),
            grants: Vec::new(),
        })
    }

    /// In words, for the audit trail.
    pub(crate) fn describe(&self) -> String {
        let mut words: Vec<String> = self.grants.iter().map(ToString::to_string).collect();
        if self.administrator {
            words.insert(0, "administrator".to_owned());
        }
        if self.disabled.is_some() {
            words.push("disabled".to_owned());
        }
        if words.is_empty() { "no rights".to_owned() } else { words.join(" ") }
    }
}

impl Auth {
    /// Users by name, 1000 at most, those behind `after`.
    ///
    /// # Errors
    /// The database's.
    pub async fn users(&self, after: Option<&Name>) -> Result<Vec<User>, Error> {
        let sql = opsctl_store::Sql::built(format!(
            "SELECT {COLUMNS} FROM account WHERE name > $1 ORDER BY name LIMIT {MOST}"
        ));
        let rows = self.database().fetch_all(sql, params![after.map_or("", Name::as_str)]).await?;
        rows.iter().map(User::read).collect()
    }

    /// The user of this name, with their grants.
    ///
    /// # Errors
    /// The database's.
    pub async fn user(&self, name: &Name) -> Result<Option<User>, Error> {
        let sql = opsctl_store::Sql::built(format!("SELECT {COLUMNS} FROM account WHERE name = $1"));
        let Some(row) = self.database().fetch_optional(sql, params![name.as_str()]).await? else { return Ok(None) };
        let mut user = User::read(&row)?;
        let sql = "SELECT place, role FROM permission WHERE account = $1 ORDER BY place";
        user.grants = grants(&self.database().fetch_all(sql, params![user.id]).await?)?;
        Ok(Some(user))
    }

    /// Whether there is nobody yet: the first administrator is still to be made.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.database().fetch_optional("SELECT 1 FROM account LIMIT 1", params![]).await?.is_none())
    }
}

/// Grants from rows of `place` and `role`.
pub(crate) fn grants(rows: &[Row]) -> Result<Vec<Grant>, Error> {
    let grant = |row: &Row| {
        let place: Place = row.get::<&str>("place")?.parse().map_err(|_| Error::Stored("place"))?;
        let role: Role = row.get::<&str>("role")?.parse().map_err(|_| Error::Stored("role"))?;
        Ok(Grant { role, place })
    };
    rows.iter().map(grant).collect()
}
