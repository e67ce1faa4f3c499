//! What changes users.

use opsctl_store::{Row, Sql, Transaction, params};

use super::{COLUMNS, User, grants};
use crate::audit::{Act, Author};
use crate::auth::{Auth, micros};
use crate::error::Error;
use crate::name::Name;
use crate::password::acceptable;
use crate::rights::{Grant, Place};

/// Who tells whether an administrator is left must be alone.
const ADMINISTRATORS: &str = "administrators";

/// Somebody to be made a user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What they are called.
    pub name: Name,
    /// What they log in with; without it they need an invitation, or have tokens only.
    pub password: Option<String>,
    /// Whether they may do everything everywhere.
    pub administrator: bool,
    /// What they may do.
    pub grants: Vec<Grant>,
}

impl NewUser {
    /// Somebody without a password and without rights.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self { name, password: None, administrator: false, grants: Vec::new() }
    }
}

impl Auth {
    /// Makes a user.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Password`].
    pub async fn add_user(&self, by: &Author, new: NewUser) -> Result<(), Error> {
        let hash = self.hashed(new.password.as_deref(), &new.name).await?;
        let mut tx = self.database().begin().await?;
        insert(&mut tx, by, &new, hash.as_deref()).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Gives a user a new password, or takes the old one away. Ends their sessions and their open invitations.
    ///
    /// # Errors
    /// [`Error::NoUser`], [`Error::Password`].
    pub async fn set_password(&self, by: &Author, name: &Name, password: Option<&str>) -> Result<(), Error> {
        let hash = self.hashed(password, name).await?;
        let mut tx = self.database().begin().await?;
        let user = find(&mut tx, name).await?;
        store_password(&mut tx, &user, hash.as_deref()).await?;
        let act = Act::new(if hash.is_some() { "user passwd" } else { "user passwd remove" }, object(name));
        by.record(&mut tx, act).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Locks a user out, with all their sessions and tokens, or lets them in again (but for the sessions).
    ///
    /// # Errors
    /// [`Error::NoUser`], [`Error::LastAdministrator`].
    pub async fn set_disabled(&self, by: &Author, name: &Name, disabled: bool) -> Result<(), Error> {
        let action = if disabled { "user disable" } else { "user enable" };
        let since = disabled.then(|| micros(by.now()));
        let sql = "UPDATE account SET disabled = $2 WHERE id = $1";
        self.change(by, name, action, async |tx, user| {
            if user.disabled.is_some() == disabled {
                return Ok(());
            }
            tx.execute(sql, params![user.id, since]).await?;
            tx.execute("DELETE FROM session WHERE account = $1", params![user.id]).await?;
            tx.execute("DELETE FROM invite WHERE account = $1", params![user.id]).await?;
            Ok(())
        })
        .await
    }

    /// Makes a user an administrator of everything, or takes that away.
    ///
    /// # Errors
    /// [`Error::NoUser`], [`Error::LastAdministrator`].
    pub async fn set_administrator(&self, by: &Author, name: &Name, administrator: bool) -> Result<(), Error> {
        let sql = "UPDATE account SET administrator = $2 WHERE id = $1";
        self.change(by, name, "user role", async |tx, user| {
            tx.execute(sql, params![user.id, administrator]).await?;
            Ok(())
        })
        .await
    }

    /// Gives a user a role at a place, in place of the one that they have there.
    ///
    /// # Errors
    /// [`Error::NoUser`].
    pub async fn grant(&self, by: &Author, name: &Name, grant: &Grant) -> Result<(), Error> {
        self.change(by, name, "user role", async |tx, user| give(tx, user.id, grant).await).await
    }

    /// Takes away the role that a user has at a place; none at that very place is no error.
    ///
    /// # Errors
    /// [`Error::NoUser`].
    pub async fn revoke(&self, by: &Author, name: &Name, place: &Place) -> Result<(), Error> {
        let sql = "DELETE FROM permission WHERE account = $1 AND place = $2";
        self.change(by, name, "user role", async |tx, user| {
            tx.execute(sql, params![user.id, place.to_string()]).await?;
            Ok(())
        })
        .await
    }

    /// Removes a user and all that is theirs but for their place in the audit trails.
    ///
    /// # Errors
    /// [`Error::NoUser`], [`Error::LastAdministrator`].
    pub async fn remove_user(&self, by: &Author, name: &Name) -> Result<(), Error> {
        self.change(by, name, "user remove", async |tx, user| {
            tx.execute("DELETE FROM account WHERE id = $1", params![user.id]).await?;
            Ok(())
        })
        .await
    }

    /// Does `change` to a user in a transaction, unless that leaves nobody who can manage users, and writes down what
    /// they were and are.
    async fn change(
        &self,
        by: &Author,
        name: &Name,
        action: &'static str,
        change: impl AsyncFnOnce(&mut Transaction, &User) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut tx = self.database().begin().await?;
        tx.lock(ADMINISTRATORS).await?;
        let user = find(&mut tx, name).await?;
        let counted = user.administrator && user.disabled.is_none();
        change(&mut tx, &user).await?;
        let after = lookup(&mut tx, name).await?;
        let counts = after.as_ref().is_some_and(|user| user.administrator && user.disabled.is_none());
        if counted && !counts && !has_administrator(&mut tx).await? {
            return Err(Error::LastAdministrator(name.clone()));
        }
        let (before, after) = (user.describe(), after.map(|user| user.describe()));
        if after.as_ref() != Some(&before) {
            let act = Act::new(action, object(name)).before(before);
            by.record(&mut tx, if let Some(after) = after { act.after(after) } else { act }).await?;
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// The hash of a password that somebody may have.
    pub(crate) async fn hashed(&self, password: Option<&str>, name: &Name) -> Result<Option<String>, Error> {
        let Some(password) = password else { return Ok(None) };
        acceptable(password, name.as_str())?;
        self.0.passwords.hash(password).await.map(Some)
    }
}

/// A user's text as an object of the audit trail.
pub(crate) fn object(name: &Name) -> String {
    format!("auth/user/{name}")
}

/// Puts a user into the database.
pub(crate) async fn insert(tx: &mut Transaction, by: &Author, new: &NewUser, hash: Option<&str>) -> Result<i64, Error> {
    let NewUser { name, password: _, administrator, grants } = new;
    let sql = "INSERT INTO account (name, password, administrator, created) VALUES ($1, $2, $3, $4) RETURNING id";
    let params = params![name.as_str(), hash, *administrator, micros(by.now())];
    let inserted = tx.fetch_value::<i64>(sql, params).await;
    let id = match inserted {
        Err(error) if error.is_conflict() => return Err(Error::Taken(name.clone())),
        other => other?.ok_or(Error::Stored("id"))?,
    };
    for grant in grants {
        give(tx, id, grant).await?;
    }
    let user = find(tx, name).await?;
    by.record(tx, Act::new("user add", object(name)).after(user.describe())).await?;
    Ok(id)
}

/// Sets a password's hash; whoever knew the old one is out.
pub(crate) async fn store_password(tx: &mut Transaction, user: &User, hash: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE account SET password = $2 WHERE id = $1", params![user.id, hash]).await?;
    tx.execute("DELETE FROM session WHERE account = $1", params![user.id]).await?;
    tx.execute("DELETE FROM invite WHERE account = $1", params![user.id]).await?;
    Ok(())
}

/// Gives a user exactly these roles, in place of those that they have.
pub(crate) async fn replace_roles(
    tx: &mut Transaction,
    by: &Author,
    name: &Name,
    administrator: bool,
    grants: &[Grant],
) -> Result<(), Error> {
    tx.lock(ADMINISTRATORS).await?;
    let before = find(tx, name).await?;
    if before.administrator == administrator && before.grants == grants {
        return Ok(());
    }
    tx.execute("DELETE FROM permission WHERE account = $1", params![before.id]).await?;
    for grant in grants {
        give(tx, before.id, grant).await?;
    }
    tx.execute("UPDATE account SET administrator = $2 WHERE id = $1", params![before.id, administrator]).await?;
    if before.administrator && !administrator && !has_administrator(tx).await? {
        return Err(Error::LastAdministrator(name.clone()));
    }
    let after = find(tx, name).await?.describe();
    by.record(tx, Act::new("user role", object(name)).before(before.describe()).after(after)).await?;
    Ok(())
}

async fn give(tx: &mut Transaction, account: i64, grant: &Grant) -> Result<(), Error> {
    let sql = "INSERT INTO permission (account, place, role) VALUES ($1, $2, $3) \
               ON CONFLICT (account, place) DO UPDATE SET role = excluded.role";
    tx.execute(sql, params![account, grant.place.to_string(), grant.role.word()]).await?;
    Ok(())
}

async fn has_administrator(tx: &mut Transaction) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM account WHERE administrator AND disabled IS NULL LIMIT 1";
    Ok(tx.fetch_optional(sql, params![]).await?.is_some())
}

/// The user as they are in `tx`.
pub(crate) async fn find(tx: &mut Transaction, name: &Name) -> Result<User, Error> {
    lookup(tx, name).await?.ok_or_else(|| Error::NoUser(name.clone()))
}

async fn lookup(tx: &mut Transaction, name: &Name) -> Result<Option<User>, Error> {
    let sql = Sql::built(format!("SELECT {COLUMNS} FROM account WHERE name = $1"));
    let Some(row): Option<Row> = tx.fetch_optional(sql, params![name.as_str()]).await? else { return Ok(None) };
    let mut user = User::read(&row)?;
    let sql = "SELECT place, role FROM permission WHERE account = $1 ORDER BY place";
    user.grants = grants(&tx.fetch_all(sql, params![user.id]).await?)?;
    Ok(Some(user))
}
