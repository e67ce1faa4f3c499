//! Jobs as they are shown; who takes them, and how they end, is `queue`'s.

use std::fmt;

use opsctl_auth::{Act, Author};
use opsctl_store::{Row, Transaction, params};

use super::{MEDIA, Records, Result, WORK, parts};
use crate::clock::now;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It waits.
    Queued,
    /// A worker has it.
    Running,
    /// All that could be made is there.
    Done,
    /// It will not be tried again.
    Failed,
    /// It was not wanted any more.
    Cancelled,
}

impl State {
    const ALL: [State; 5] = [State::Queued, State::Running, State::Done, State::Failed, State::Cancelled];

    /// Its word in the database and in answers.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }

    pub(crate) fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Running)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) account: String,
    /// The item's name.
    pub(crate) name: String,
    pub(crate) profile: String,
    pub(crate) state: State,
    pub(crate) priority: i64,
    pub(crate) created: i64,
    pub(crate) started: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) attempt: u32,
    pub(crate) worker: Option<String>,
    /// Of 100.
    pub(crate) percent: Option<f64>,
    /// Seconds that are left.
    pub(crate) eta: Option<f64>,
    /// Why it failed, for programs and for people.
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    /// The last of what the worker wrote.
    pub(crate) log: Option<String>,
    pub(crate) warnings: Vec<String>,
}

/// What is asked of an item's upload.
#[derive(Debug, Clone)]
pub(crate) struct NewJob<'a> {
    pub(crate) media: i64,
    pub(crate) account: &'a str,
    pub(crate) source: &'a str,
    /// The profile's name.
    pub(crate) profile: &'a str,
    /// The profile: JSON.
    pub(crate) body: &'a str,
    pub(crate) priority: i64,
}

const COLUMNS: &str = "SELECT j.id, j.account, m.name, j.profile, j.state, j.priority, j.created, j.started, j.ended, \
                       j.attempt, j.worker, j.percent, j.eta, j.reason, j.message, j.log, j.warnings \
                       FROM job j JOIN media m ON m.id = j.media";

impl Records {
    /// The newest job of an item.
    pub(crate) async fn job_of(&self, media: i64) -> Result<Option<Job>> {
        let sql = opsctl_store::Sql::built(format!("{COLUMNS} WHERE j.media = $1 ORDER BY j.id DESC LIMIT 1"));
        self.db.fetch_optional(sql, params![media]).await?.as_ref().map(job).transpose()
    }

    /// Jobs, the newest first: those of an account, or all.
    pub(crate) async fn jobs(&self, account: Option<&str>, open: bool, limit: i64, offset: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "{COLUMNS} WHERE ($1 = '' OR j.account = $1) AND (NOT $2 OR j.state IN ('queued', 'running')) \
             ORDER BY j.id DESC LIMIT $3 OFFSET $4"
        );
        let params = params![account.unwrap_or_default(), open, limit, offset];
        self.db.fetch_all(opsctl_store::Sql::built(sql), params).await?.iter().map(job).collect()
    }

    /// How many jobs an account has.
    pub(crate) async fn count_jobs(&self, account: &str, open: bool) -> Result<u64> {
        let sql = "SELECT count(*) FROM job WHERE account = $1 AND (NOT $2 OR state IN ('queued', 'running'))";
        Ok(self.db.fetch_value(sql, params![account, open]).await?.unwrap_or(0))
    }

    /// Puts another job for an item into the queue, in place of one that is open. Returns its number.
    pub(crate) async fn enqueue(&self, job: NewJob<'_>, object: &str, by: &Author) -> Result<i64> {
        let mut tx = self.db.begin().await?;
        let id = enqueue(&mut tx, &job).await?;
        by.record(&mut tx, Act::new("encode", object).after(job.profile)).await?;
        tx.notify(MEDIA, &job.media.to_string()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Ends the open job of an item; whether there was one.
    pub(crate) async fn cancel(&self, media: i64, object: &str, by: &Author) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let cancelled = cancel(&mut tx, media).await?;
        if cancelled {
            by.record(&mut tx, Act::new("cancel", object)).await?;
            tx.notify(MEDIA, &media.to_string()).await?;
            tx.commit().await?;
        }
        Ok(cancelled)
    }
}

pub(super) async fn enqueue(tx: &mut Transaction, job: &NewJob<'_>) -> Result<i64> {
    cancel(tx, job.media).await?;
    let sql = "INSERT INTO job (media, account, profile, body, source, state, priority, created, run_after, attempt) \
               VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $7, 0) RETURNING id";
    let params = params![job.media, job.account, job.profile, job.body, job.source, job.priority, now()];
    let row = tx.fetch_optional(sql, params).await?;
    tx.notify(WORK, "").await?;
    row.map_or(Ok(0), |row| row.get(0_usize))
}

pub(super) async fn cancel(tx: &mut Transaction, media: i64) -> Result<bool> {
    let sql = "UPDATE job SET state = 'cancelled', ended = $2, lease_until = NULL \
               WHERE media = $1 AND state IN ('queued', 'running') RETURNING id";
    let cancelled = tx.fetch_all(sql, params![media, now()]).await?;
    for row in &cancelled {
        parts::forget(tx, row.get(0_usize)?).await?;
    }
    Ok(!cancelled.is_empty())
}

fn job(row: &Row) -> Result<Job> {
    let state: &str = row.get(4_usize)?;
    let warnings: Option<&str> = row.get(16_usize)?;
    Ok(Job {
        id: row.get(0_usize)?,
        account: row.get(1_usize)?,
        name: row.get(2_usize)?,
        profile: row.get(3_usize)?,
        // the table has no other words
        state: State::ALL.into_iter().find(|known| known.word() == state).unwrap_or(State::Failed),
        priority: row.get(5_usize)?,
        created: row.get(6_usize)?,
        started: row.get(7_usize)?,
        ended: row.get(8_usize)?,
        attempt: row.get(9_usize)?,
        worker: row.get(10_usize)?,
        percent: row.get(11_usize)?,
        eta: row.get(12_usize)?,
        reason: row.get(13_usize)?,
        message: row.get(14_usize)?,
        log: row.get(15_usize)?,
        warnings: warnings.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
    })
}
