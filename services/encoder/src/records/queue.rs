//! Who does which job. A job belongs to the attempt that took it last, for as long as its lease lasts: whatever an earlier
//! attempt says finds nothing to change.

use opsctl_store::{Dialect, Row, Sql, Transaction, params};

use super::hooks::{self, Happened};
use super::{MEDIA, Records, Result, WORK, blobs, parts, usage};
use crate::clock::now;
use crate::facts::Facts;

/// A job that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) held: Held,
    pub(crate) account: String,
    /// The item's name.
    pub(crate) name: String,
    /// The profile: JSON.
    pub(crate) body: String,
    /// The upload's blob.
    pub(crate) source: String,
}

/// Whose a job is: the fence around everything that is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) job: i64,
    pub(crate) media: i64,
    pub(crate) attempt: u32,
}

/// A result that is in the store.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) duration: Option<f64>,
    pub(crate) bytes: u64,
    pub(crate) copied: bool,
    /// Path within the address, key and bytes.
    pub(crate) files: Vec<(String, String, u64)>,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub(crate) enum Finished {
    /// With these results, which replace all that there were.
    Done { made: Vec<Made>, warnings: Vec<String> },
    /// For good: the reason for programs and for people, and the end of the worker's log.
    Failed { reason: String, message: String, log: String },
    /// It shall be tried again after so many microseconds, if it may; `message` says what happened.
    Again { after: i64, message: String, log: String },
    /// It was not begun in earnest: somebody else shall have it.
    Released,
}

/// The account that has the fewest jobs in work comes first, then what is urgent, then the account that waited longest.
const NEXT: &str = "SELECT j.id FROM job j WHERE j.state = 'queued' AND j.run_after <= $1 ORDER BY \
                    (SELECT count(*) FROM job r WHERE r.account = j.account AND r.state = 'running'), j.priority DESC, \
                    coalesce((SELECT max(r.started) FROM job r WHERE r.account = j.account), 0), j.id LIMIT 1";

impl Records {
    /// Takes the job whose turn it is, for so many microseconds.
    pub(crate) async fn claim(&self, worker: &str, lease: i64) -> Result<Option<Claimed>> {
        let mut tx = self.db.begin().await?;
        let mut next = NEXT.to_owned();
        if self.db.dialect() == Dialect::Postgres {
            next.push_str(" FOR UPDATE OF j SKIP LOCKED");
        }
        let at = now();
        let sql = format!(
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $2, lease_until = $3, started = $1, \
             ended = NULL, percent = NULL, eta = NULL, message = NULL, log = NULL WHERE id = ({next}) \
             RETURNING id, media, attempt, account, body, source"
        );
        let Some(row) = tx.fetch_optional(Sql::built(sql), params![at, worker, at + lease]).await? else {
            return Ok(None);
        };
        let media: i64 = row.get(1_usize)?;
        let sql = "SELECT name FROM media WHERE id = $1";
        let Some(item) = tx.fetch_optional(sql, params![media]).await? else { return Ok(None) };
        tx.notify(MEDIA, &media.to_string()).await?;
        tx.commit().await?;
        Ok(Some(Claimed {
            held: Held { job: row.get(0_usize)?, media, attempt: row.get(2_usize)? },
            account: row.get(3_usize)?,
            name: item.get(0_usize)?,
            body: row.get(4_usize)?,
            source: row.get(5_usize)?,
        }))
    }

    /// Takes jobs back whose worker has said nothing for too long; the ones that were tried `attempts` times have failed.
    pub(crate) async fn reclaim(&self, attempts: u32) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE job SET state = CASE WHEN attempt >= $2 THEN 'failed' ELSE 'queued' END, ended = $1, \
                   reason = CASE WHEN attempt >= $2 THEN 'worker-lost' END, message = 'its worker was lost', \
                   lease_until = NULL, worker = NULL WHERE state = 'running' AND lease_until < $1 \
                   RETURNING media, state, reason, message, id";
        let lost = tx.fetch_all(sql, params![now(), attempts]).await?;
        for row in &lost {
            if row.get::<&str>(1_usize)? == "failed" {
                let (reason, message) = (row.get(2_usize)?, row.get(3_usize)?);
                hooks::note(&mut tx, row.get(0_usize)?, Happened::Failed { reason, message }).await?;
            }
            tx.notify(MEDIA, &row.get::<i64>(0_usize)?.to_string()).await?;
            tx.notify(WORK, "").await?;
            parts::forget(&mut tx, row.get(4_usize)?).await?;
        }
        let sql = "UPDATE part SET state = CASE WHEN tries >= $2 THEN 'failed' ELSE 'queued' END, lease_until = NULL, \
                   message = 'its worker was lost' WHERE state = 'running' AND lease_until < $1";
        let parts = tx.execute(sql, params![now(), attempts]).await?;
        if !lost.is_empty() || parts > 0 {
            tx.commit().await?;
        }
        Ok(())
    }

    /// When the next job that waits for its time can be taken, if there is one.
    pub(crate) async fn next_at(&self) -> Result<Option<i64>> {
        let sql = "SELECT min(run_after) FROM job WHERE state = 'queued'";
        Ok(self.db.fetch_value::<Option<i64>>(sql, params![]).await?.flatten())
    }

    /// Says that a job is worked on for another `lease`, and how far it is; whether it still belongs to the one who says so.
    pub(crate) async fn beat(&self, held: Held, lease: i64, percent: Option<f64>, eta: Option<f64>) -> Result<bool> {
        let sql = "UPDATE job SET lease_until = $3, percent = $4, eta = $5 \
                   WHERE id = $1 AND attempt = $2 AND state = 'running'";
        Ok(self.db.execute(sql, params![held.job, held.attempt, now() + lease, percent, eta]).await? > 0)
    }

    /// Whether a job still belongs to the one who asks.
    pub(crate) async fn is_held(&self, held: Held) -> Result<bool> {
        let sql = "SELECT 1 FROM job WHERE id = $1 AND attempt = $2 AND state = 'running'";
        Ok(self.db.fetch_optional(sql, params![held.job, held.attempt]).await?.is_some())
    }

    /// What an upload is.
    pub(crate) async fn tell_facts(&self, held: Held, facts: &Facts) -> Result<()> {
        let Ok(text) = serde_json::to_string(facts) else { return Ok(()) };
        let sql = "UPDATE media SET facts = $3 WHERE id = (SELECT media FROM job WHERE id = $1 AND attempt = $2 AND state = 'running')";
        self.db.execute(sql, params![held.job, held.attempt, text]).await.map(drop)
    }

    /// Ends an attempt; whether it counted. The blobs of results that do not count go by themselves.
    pub(crate) async fn finish(&self, held: Held, finished: &Finished, attempts: u32) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let (state, run_after, reason, message, log, warnings) = match finished {
            Finished::Done { warnings, .. } => ("done", 0, None, None, None, serde_json::to_string(warnings).ok()),
            Finished::Failed { reason, message, log } => {
                ("failed", 0, Some(reason.as_str()), Some(message.as_str()), Some(log.as_str()), None)
            }
            Finished::Again { message, log, .. } if held.attempt >= attempts => {
                ("failed", 0, Some("tried-too-often"), Some(message.as_str()), Some(log.as_str()), None)
            }
            Finished::Again { after, message, log } => {
                ("queued", now() + after, None, Some(message.as_str()), Some(log.as_str()), None)
            }
            Finished::Released => ("queued", 0, None, None, None, None),
        };
        // what was not begun in earnest was no attempt
        let back = u32::from(matches!(finished, Finished::Released));
        let sql = "UPDATE job SET state = $3, run_after = $4, reason = $5, message = $6, log = $7, warnings = $8, ended = $9, \
                   lease_until = NULL, eta = NULL, percent = CASE WHEN $3 = 'done' THEN 100.0 ELSE percent END, \
                   attempt = attempt - $10 WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING account";
        let ended = (state != "queued").then(now);
        let params = params![held.job, held.attempt, state, run_after, reason, message, log, warnings, ended, back];
        let Some(row) = tx.fetch_optional(sql, params).await? else { return Ok(false) };
        parts::forget(&mut tx, held.job).await?;
        if let Finished::Done { made, .. } = finished {
            self.note_purges(&mut tx, held.media).await?;
            replace(&mut tx, held.media, made).await?;
            let sql = "UPDATE media SET version = version + 1, changed = $2 WHERE id = $1";
            tx.execute(sql, params![held.media, now()]).await?;
            usage::note(&mut tx, row.get(0_usize)?).await?;
        }
        let message = message.unwrap_or_default();
        match (state, reason) {
            ("done", _) => hooks::note(&mut tx, held.media, Happened::Done).await?,
            ("failed", reason) => {
                let reason = reason.unwrap_or("failed");
                hooks::note(&mut tx, held.media, Happened::Failed { reason, message }).await?;
            }
            _ => {}
        }
        tx.notify(MEDIA, &held.media.to_string()).await?;
        tx.notify(WORK, "").await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Puts results in the place of those that there are.
async fn replace(tx: &mut Transaction, media: i64, made: &[Made]) -> Result<()> {
    let old: Vec<Row> = tx.fetch_all("SELECT key FROM asset_file WHERE media = $1", params![media]).await?;
    for row in &old {
        blobs::leave(tx, row.get(0_usize)?).await?;
    }
    tx.execute("DELETE FROM asset_file WHERE media = $1", params![media]).await?;
    tx.execute("DELETE FROM asset WHERE media = $1", params![media]).await?;
    for Made { name, kind, size, duration, bytes, copied, files } in made {
        let (name, kind) = (name.as_str(), kind.as_str());
        let (width, height) = size.unzip();
        let sql = "INSERT INTO asset (media, name, kind, width, height, duration, bytes, copied, made) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        tx.execute(sql, params![media, name, kind, width, height, *duration, *bytes, *copied, now()]).await?;
        for (position, (path, key, bytes)) in files.iter().enumerate() {
            let sql =
                "INSERT INTO asset_file (media, asset, path, position, key, bytes) VALUES ($1, $2, $3, $4, $5, $6)";
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            tx.execute(sql, params![media, name, path.as_str(), position, key.as_str(), *bytes]).await?;
            blobs::own(tx, key).await?;
        }
    }
    Ok(())
}
