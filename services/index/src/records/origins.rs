//! Where names come from, as it was decided.

use std::collections::{HashMap, HashSet};

use opsctl_store::params;

use super::{Change, Records, Result};
use crate::changes::By;
use crate::origins::{Origin, Reservation};

impl Records {
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
