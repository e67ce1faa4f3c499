//! Parts of jobs that several machines do together. A part belongs to whoever took it last, and all of them to the attempt
//! at the job that they were made for.

use opsctl_store::{Dialect, Sql, Transaction, params};

use super::queue::Held;
use super::{Records, Result, WORK, blobs};
use crate::clock::now;

/// A part that was taken.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedPart {
    pub(crate) held: HeldPart,
    /// What is to be done: JSON.
    pub(crate) body: String,
    /// The upload's blob.
    pub(crate) source: String,
}

/// Whose a part is: the fence around everything that is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldPart {
    pub(crate) job: i64,
    /// At the job.
    pub(crate) attempt: u32,
    pub(crate) number: u32,
    /// At the part.
    pub(crate) tries: u32,
}

/// How far the parts of a job are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) total: u32,
    pub(crate) done: u32,
    /// Of 100, all together.
    pub(crate) percent: f64,
    /// What was wrong with one that will not be tried again.
    pub(crate) failed: Option<String>,
}

impl Records {
    /// Cuts a job up; whether it is still held.
    pub(crate) async fn cut_up(&self, held: Held, bodies: &[String]) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE job SET percent = 0.0 WHERE id = $1 AND attempt = $2 AND state = 'running'";
        if tx.execute(sql, params![held.job, held.attempt]).await? == 0 {
            return Ok(false);
        }
        tx.execute("DELETE FROM part WHERE job = $1", params![held.job]).await?;
        for (number, body) in bodies.iter().enumerate() {
            let sql =
                "INSERT INTO part (job, number, attempt, body, state, tries) VALUES ($1, $2, $3, $4, 'queued', 0)";
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            tx.execute(sql, params![held.job, number, held.attempt, body.as_str()]).await?;
        }
        tx.notify(WORK, "").await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a part of a job that somebody works on: the oldest job's first one.
    pub(crate) async fn claim_part(&self, worker: &str, lease: i64) -> Result<Option<ClaimedPart>> {
        let mut tx = self.db.begin().await?;
        let lock = if self.db.dialect() == Dialect::Postgres { " FOR UPDATE OF p SKIP LOCKED" } else { "" };
        let next = format!(
            "SELECT p.job, p.number FROM part p JOIN job j ON j.id = p.job AND j.attempt = p.attempt AND j.state = 'running' \
             WHERE p.state = 'queued' ORDER BY p.job, p.number LIMIT 1{lock}"
        );
        let Some(row) = tx.fetch_optional(Sql::built(next), params![]).await? else { return Ok(None) };
        let (job, number): (i64, u32) = (row.get(0_usize)?, row.get(1_usize)?);
        let sql = "UPDATE part SET state = 'running', tries = tries + 1, worker = $3, lease_until = $4, percent = NULL \
                   WHERE job = $1 AND number = $2 RETURNING attempt, tries, body, \
                   (SELECT source FROM job WHERE job.id = part.job)";
        let Some(row) = tx.fetch_optional(sql, params![job, number, worker, now() + lease]).await? else {
            return Ok(None);
        };
        tx.commit().await?;
        let held = HeldPart { job, number, attempt: row.get(0_usize)?, tries: row.get(1_usize)? };
        Ok(Some(ClaimedPart { held, body: row.get(2_usize)?, source: row.get(3_usize)? }))
    }

    /// Says that a part is worked on for another `lease`, and how far it is; whether it still belongs to the one who says so.
    pub(crate) async fn beat_part(&self, held: HeldPart, lease: i64, percent: Option<f64>) -> Result<bool> {
        let sql = "UPDATE part SET lease_until = $5, percent = $6 WHERE job = $1 AND number = $2 AND attempt = $3 AND \
                   tries = $4 AND state = 'running' AND EXISTS (SELECT 1 FROM job WHERE job.id = part.job AND \
                   job.attempt = part.attempt AND job.state = 'running')";
        let HeldPart { job, number, attempt, tries } = held;
        Ok(self.db.execute(sql, params![job, number, attempt, tries, now() + lease, percent]).await? > 0)
    }

    /// Ends a part: `files` is what was made, JSON, and `Err` what was wrong. One that was tried `attempts` times has failed.
    pub(crate) async fn finish_part(
        &self,
        held: HeldPart,
        made: &Result<String, String>,
        attempts: u32,
    ) -> Result<bool> {
        let (state, files, message) = match made {
            Ok(files) => ("done", Some(files.as_str()), None),
            Err(message) if held.tries >= attempts => ("failed", None, Some(message.as_str())),
            Err(message) => ("queued", None, Some(message.as_str())),
        };
        let sql = "UPDATE part SET state = $5, files = $6, message = $7, lease_until = NULL WHERE job = $1 AND number = $2 \
                   AND attempt = $3 AND tries = $4 AND state = 'running'";
        let HeldPart { job, number, attempt, tries } = held;
        let mut tx = self.db.begin().await?;
        let counted = tx.execute(sql, params![job, number, attempt, tries, state, files, message]).await? > 0;
        tx.notify(WORK, "").await?;
        tx.commit().await?;
        Ok(counted)
    }

    /// How far the parts of an attempt are.
    pub(crate) async fn parts(&self, held: Held) -> Result<Parts> {
        let sql = "SELECT state, percent, message FROM part WHERE job = $1 AND attempt = $2 ORDER BY number";
        let mut parts = Parts::default();
        for row in self.db.fetch_all(sql, params![held.job, held.attempt]).await? {
            parts.total += 1;
            match row.get::<&str>(0_usize)? {
                "done" => {
                    parts.done += 1;
                    parts.percent += 100.0;
                }
                "failed" => parts.failed = row.get::<Option<String>>(2_usize)?.or_else(|| Some(String::new())),
                _ => parts.percent += row.get::<Option<f64>>(1_usize)?.unwrap_or(0.0),
            }
        }
        parts.percent /= f64::from(parts.total.max(1));
        Ok(parts)
    }

    /// What was made of the parts of an attempt, in their order.
    pub(crate) async fn files_of_parts(&self, held: Held) -> Result<Vec<String>> {
        let sql = "SELECT files FROM part WHERE job = $1 AND attempt = $2 AND state = 'done' ORDER BY number";
        let rows = self.db.fetch_all(sql, params![held.job, held.attempt]).await?;
        rows.iter().map(|row| row.get(0_usize)).collect()
    }

    /// Leaves blobs to be removed.
    pub(crate) async fn leave_all(&self, keys: &[String]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for key in keys {
            blobs::leave(&mut tx, key).await?;
        }
        tx.commit().await
    }
}

/// The parts of attempts that are over go: those at the job `job`.
pub(super) async fn forget(tx: &mut Transaction, job: i64) -> Result<()> {
    let sql = "DELETE FROM part WHERE job = $1 AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = part.job AND \
               job.attempt = part.attempt AND job.state = 'running')";
    tx.execute(sql, params![job]).await.map(drop)
}
