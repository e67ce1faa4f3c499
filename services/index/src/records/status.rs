//! Whether projects are still looked after (PEP 792).

use std::collections::HashMap;

use opsctl_dist::simple::{ProjectStatus, State};
use opsctl_store::{Row, Transaction, params};

use super::change::unchanged;
use super::{Change, Records, Result};
use crate::changes::By;

impl Records {
    /// What somebody has said, by index and project.
    pub(crate) async fn statuses(&self) -> Result<HashMap<(Box<str>, Box<str>), ProjectStatus>> {
        let sql = "SELECT state, reason, index_name, project FROM status";
        let rows = self.db.fetch_all(sql, params![]).await?;
        let named =
            |row: &Row| Ok(((row.get::<&str>(2_usize)?.into(), row.get::<&str>(3_usize)?.into()), status(row)?));
        rows.iter().map(named).collect()
    }

    /// What somebody has said of one project.
    pub(crate) async fn status(&self, index: &str, project: &str) -> Result<Option<ProjectStatus>> {
        let sql = "SELECT state, reason FROM status WHERE index_name = $1 AND project = $2";
        self.db.fetch_optional(sql, params![index, project]).await?.as_ref().map(status).transpose()
    }

    /// Says how a project is, or nothing any more. Returns what was said before.
    pub(crate) async fn set_status(
        &self,
        index: &str,
        project: &str,
        status: Option<&ProjectStatus>,
        by: &By,
    ) -> Result<Option<ProjectStatus>> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, index, project, by).await?;
        let before = said(&mut tx, index, project).await?;
        if before.as_ref() != status {
            tx.execute("DELETE FROM status WHERE index_name = $1 AND project = $2", params![index, project]).await?;
            if let Some(ProjectStatus { state, reason }) = status {
                let insert = "INSERT INTO status (index_name, project, state, reason, changed_at, changed_by) \
                              VALUES ($1, $2, $3, $4, $5, $6)";
                let reason = reason.as_deref().unwrap_or_default();
                tx.execute(insert, params![index, project, state.marker(), reason, by.at, &*by.actor]).await?;
            }
            let (before, after) = (before.as_ref().map(text), status.map(text));
            let (before, after) = (before.as_deref(), after.as_deref());
            Change { index, project, before, after, ..Change::of("status") }.write(&mut tx, by).await?;
        }
        tx.commit().await?;
        Ok(before)
    }
}

/// What is said of a project, as this transaction sees it.
pub(super) async fn said(tx: &mut Transaction, index: &str, project: &str) -> Result<Option<ProjectStatus>> {
    let sql = "SELECT state, reason FROM status WHERE index_name = $1 AND project = $2";
    tx.fetch_optional(sql, params![index, project]).await?.as_ref().map(status).transpose()
}

/// A state of a later version offers nothing.
fn status(row: &Row) -> Result<ProjectStatus> {
    let state = State::from_marker(row.get(0_usize)?).unwrap_or(State::Quarantined);
    let reason: String = row.get(1_usize)?;
    Ok(ProjectStatus { state, reason: Some(reason).filter(|reason| !reason.is_empty()) })
}

/// `archived: no longer needed`.
fn text(status: &ProjectStatus) -> String {
    match &status.reason {
        Some(reason) => format!("{}: {reason}", status.state.marker()),
        None => status.state.marker().to_owned(),
    }
}
