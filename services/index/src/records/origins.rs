//! Where names come from, as it was decided.

use std::collections::{HashMap, HashSet};

use opsctl_store::{Row, params};
use schemars::JsonSchema;
use serde::Serialize;

use super::change::unchanged;
use super::{Change, Records, Result};
use crate::changes::By;
use crate::origins::{Origin, Reservation};

/// Reservations that are shown.
const RESERVED_MAX: i64 = 10_000;

/// Where a name comes from, and who decided so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Decision {
    /// Normalised.
    pub(crate) project: String,
    /// `internal`, `upstream`, `merge`, `blocked`.
    pub(crate) origin: String,
    /// When.
    #[serde(serialize_with = "crate::clock::rfc3339")]
    #[schemars(with = "String")]
    pub(crate) at: i64,
    /// A user, a token of one, `first sight`.
    pub(crate) by: String,
}

/// Names that are ours, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Reserved {
    /// `acme` alone, or `acme-*` for it and all that begin with `acme-`.
    pub(crate) pattern: String,
    /// When.
    #[serde(serialize_with = "crate::clock::rfc3339")]
    #[schemars(with = "String")]
    pub(crate) at: i64,
    /// A user, a token of one.
    pub(crate) by: String,
}

impl Records {
    /// Decisions about names that have `part` in them, by name, and how many there are.
    pub(crate) async fn decisions(&self, part: &str, limit: i64, offset: i64) -> Result<(Vec<Decision>, u64)> {
        // a name has no `%`, and a `_` in what is looked for may stand for any one character
        let like = format!("%{}%", part.replace(['%', '\0'], ""));
        let sql = "SELECT project, origin, decided_at, decided_by FROM origin WHERE project LIKE $1 \
                   ORDER BY project LIMIT $2 OFFSET $3";
        let rows = self.db.fetch_all(sql, params![like.as_str(), limit, offset]).await?;
        let total = self.db.fetch_value("SELECT count(*) FROM origin WHERE project LIKE $1", params![like]).await?;
        Ok((rows.iter().map(decision).collect::<Result<_>>()?, total.unwrap_or_default()))
    }

    /// What was decided about one name.
    pub(crate) async fn decision(&self, project: &str) -> Result<Option<Decision>> {
        let sql = "SELECT project, origin, decided_at, decided_by FROM origin WHERE project = $1";
        self.db.fetch_optional(sql, params![project]).await?.as_ref().map(decision).transpose()
    }

    /// What is reserved, by pattern.
    pub(crate) async fn reserved(&self) -> Result<Vec<Reserved>> {
        let sql = "SELECT pattern, reserved_at, reserved_by FROM reservation ORDER BY pattern LIMIT $1";
        let rows = self.db.fetch_all(sql, params![RESERVED_MAX]).await?;
        let reserved =
            |row: &Row| Ok(Reserved { pattern: row.get(0_usize)?, at: row.get(1_usize)?, by: row.get(2_usize)? });
        rows.iter().map(reserved).collect()
    }

    /// All that was decided.
    pub(crate) async fn origins(&self) -> Result<HashMap<Box<str>, Origin>> {
        let rows = self.db.fetch_all("SELECT project, origin FROM origin", params![]).await?;
        let mut origins = HashMap::with_capacity(rows.len());
        for row in rows {
            // a word of a later version keeps the name closed
            let origin = row.get::<&str>(1_usize)?.parse().unwrap_or(Origin::Blocked);
            origins.insert(row.get::<&str>(0_usize)?.into(), origin);
        }
        Ok(origins)
    }

    /// Every name that ever had a file here.
    pub(crate) async fn names_ever(&self) -> Result<HashSet<Box<str>>> {
        let rows = self.db.fetch_all("SELECT DISTINCT project FROM file", params![]).await?;
        rows.iter().map(|row| Ok(row.get::<&str>(0_usize)?.into())).collect()
    }

    /// What is reserved; a pattern of a later version is left out.
    pub(crate) async fn reservations(&self) -> Result<Vec<Reservation>> {
        let rows = self.db.fetch_all("SELECT pattern FROM reservation ORDER BY pattern", params![]).await?;
        let patterns: Vec<String> = rows.iter().map(|row| row.get::<String>(0_usize)).collect::<Result<_>>()?;
        Ok(patterns.iter().filter_map(|pattern| pattern.parse().ok()).collect())
    }

    /// Decides about a name that nobody has decided about; returns what holds then.
    pub(crate) async fn first_sight(&self, project: &str, origin: Origin, now: i64) -> Result<Origin> {
        let mut tx = self.db.begin().await?;
        let insert = "INSERT INTO origin (project, origin, decided_at, decided_by) VALUES ($1, $2, $3, 'first sight') \
                      ON CONFLICT (project) DO NOTHING";
        tx.execute(insert, params![project, origin.to_string(), now]).await?;
        let held = tx.fetch_optional("SELECT origin FROM origin WHERE project = $1", params![project]).await?;
        tx.commit().await?;
        let held = held.map(|row| row.get::<String>(0_usize)).transpose()?;
        Ok(held.and_then(|word| word.parse().ok()).unwrap_or(origin))
    }

    /// Decides about a name, or takes a decision back; returns what was decided before.
    pub(crate) async fn decide(&self, project: &str, origin: Option<Origin>, by: &By) -> Result<Option<String>> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, "", project, by).await?;
        let before = tx.fetch_optional("SELECT origin FROM origin WHERE project = $1", params![project]).await?;
        let before = before.map(|row| row.get::<String>(0_usize)).transpose()?;
        tx.execute("DELETE FROM origin WHERE project = $1", params![project]).await?;
        let after = origin.map(|origin| origin.to_string());
        if let Some(word) = &after {
            let insert = "INSERT INTO origin (project, origin, decided_at, decided_by) VALUES ($1, $2, $3, $4)";
            tx.execute(insert, params![project, word.as_str(), by.at, &*by.actor]).await?;
        }
        if before != after {
            let (before, after) = (before.as_deref(), after.as_deref());
            Change { project, before, after, ..Change::of("origin") }.write(&mut tx, by).await?;
        }
        tx.commit().await?;
        Ok(before)
    }

    /// Reserves names; false if they were.
    pub(crate) async fn reserve(&self, names: &Reservation, by: &By) -> Result<bool> {
        let pattern = names.to_string();
        let mut tx = self.db.begin().await?;
        let insert = "INSERT INTO reservation (pattern, reserved_at, reserved_by) VALUES ($1, $2, $3) \
                      ON CONFLICT (pattern) DO NOTHING";
        let new = tx.execute(insert, params![pattern.as_str(), by.at, &*by.actor]).await? > 0;
        if new {
            Change { project: &pattern, after: Some(&pattern), ..Change::of("reserve") }.write(&mut tx, by).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Takes a reservation back; false if there is none.
    pub(crate) async fn unreserve(&self, names: &Reservation, by: &By) -> Result<bool> {
        let pattern = names.to_string();
        let mut tx = self.db.begin().await?;
        let there = tx.execute("DELETE FROM reservation WHERE pattern = $1", params![pattern.as_str()]).await? > 0;
        if there {
            Change { project: &pattern, before: Some(&pattern), ..Change::of("unreserve") }.write(&mut tx, by).await?;
        }
        tx.commit().await?;
        Ok(there)
    }
}

fn decision(row: &Row) -> Result<Decision> {
    Ok(Decision { project: row.get(0_usize)?, origin: row.get(1_usize)?, at: row.get(2_usize)?, by: row.get(3_usize)? })
}
