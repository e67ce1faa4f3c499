//! Doing jobs: takes one after the other from the database, lets a worker process do it, puts the results into the store.
//!
//! Any number of these work on one queue, in one process or on several machines. Everything that is said of a job goes
//! through its fence: one that was cancelled, or given to another after a lease ran out, is let go of, and whatever was
//! made goes by itself.

mod parts;
mod run;
mod workshop;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use opsctl_host::Troubles;
use opsctl_store::{Blobs, DatabaseUrl, Location, StoreUrl};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::workshop::Workshop;
use crate::clock::{SECOND, now};
use crate::config::Config;
use crate::limits::Limits;
use crate::records::{Claimed, ClaimedPart, Records, UNOWNED, WORK};

/// Between two looks at the queue, if nobody says that there is something.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two looks for what may go.
const SWEEP: Duration = Duration::from_secs(60);

/// Does jobs.
#[derive(Debug)]
pub(crate) struct Queue {
    records: Records,
    blobs: Blobs,
    workshop: Workshop,
    limits: Limits,
    attempts: u32,
    /// In microseconds.
    lease: i64,
    /// Seconds of a part, where several machines do one job together.
    split: Option<f64>,
    /// Who this is, among all that take jobs.
    name: String,
    wake: Notify,
}

/// What there is to do.
enum Taken {
    Job(Claimed),
    Part(ClaimedPart),
}

impl Queue {
    /// Jobs are done in `folder`; what a crash left there is removed.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(crate) async fn open(
        records: Records,
        blobs: Blobs,
        folder: &std::path::Path,
        config: &Config,
        location: &Location,
    ) -> anyhow::Result<Queue> {
        let folder = folder.to_owned();
        let workshop = tokio::task::spawn_blocking(move || Workshop::open(&folder)).await?;
        let workshop = workshop.context("failed to open the folder that jobs are done in")?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = format!("{host}/{}", workshop.name());
        let Config { limits, attempts, lease, split, .. } = config;
        let lease = i64::try_from(lease.get().as_micros()).unwrap_or(i64::MAX);
        let together = matches!((location.database(), location.store()), (DatabaseUrl::Postgres(_), StoreUrl::S3(_)));
        Ok(Queue {
            records,
            blobs,
            workshop,
            limits: limits.clone(),
            attempts: *attempts,
            lease,
            split: (together && !split.get().is_zero()).then(|| split.get().as_secs_f64()),
            name,
            wake: Notify::new(),
        })
    }

    /// Does up to `slots` jobs at a time, and removes what nobody needs, until it shall `stop`: jobs that are not done by
    /// then are given back.
    pub(crate) async fn run(self: Arc<Self>, slots: u32, stop: CancellationToken, troubles: Troubles) {
        let jobs = join_all((0..slots).map(|_| self.work(&stop, &troubles)));
        tokio::join!(self.listen(&stop), self.sweep(&stop, &troubles), jobs);
    }

    /// Wakes those that wait.
    async fn listen(&self, stop: &CancellationToken) {
        let mut listener = self.records.listen(&[WORK]);
        while stop.run_until_cancelled(listener.recv()).await.is_some() {
            self.wake.notify_waiters();
        }
    }

    async fn work(&self, stop: &CancellationToken, troubles: &Troubles) {
        while !stop.is_cancelled() {
            let mut woken = std::pin::pin!(self.wake.notified());
            // what is said from here on is heard
            woken.as_mut().enable();
            let claimed = async {
                self.records.reclaim(self.attempts).await?;
                // what was begun comes first
                if let Some(part) = self.records.claim_part(&self.name, self.lease).await? {
                    return Ok(Some(Taken::Part(part)));
                }
                Ok::<_, opsctl_store::Error>(self.records.claim(&self.name, self.lease).await?.map(Taken::Job))
            };
            match claimed.await {
                Ok(Some(taken)) => {
                    troubles.clear("queue");
                    match taken {
                        Taken::Job(job) => self.one(job, stop).await,
                        Taken::Part(part) => self.part(part, stop).await,
                    }
                    continue;
                }
                Ok(None) => troubles.clear("queue"),
                Err(error) => {
                    error!(error = %opsctl_logging::chain(&error), "failed to take a job");
                    troubles.set("queue", format!("failed to take a job: {error}"));
                }
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(self.pause().await) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Does one job; what goes wrong is in the job, or will be found by whoever takes it next.
    async fn one(&self, claimed: Claimed, stop: &CancellationToken) {
        let Claimed { held, account, name, .. } = &claimed;
        info!(job = held.job, attempt = held.attempt, account, item = name, "begins");
        match self.attempt(&claimed, stop).await {
            Ok(end) => info!(job = held.job, account, item = name, end, "ended"),
            Err(error) => warn!(job = held.job, error = format!("{error:#}"), "failed to do a job"),
        }
    }

    /// Until the next job may be there.
    async fn pause(&self) -> Duration {
        let next = self.records.next_at().await.ok().flatten();
        let until = next.and_then(|at| u64::try_from(at - now()).ok()).map(Duration::from_micros);
        until.unwrap_or(PAUSE).clamp(Duration::from_millis(50), PAUSE)
    }

    /// Removes blobs that are nobody's.
    async fn sweep(&self, stop: &CancellationToken, troubles: &Troubles) {
        let mut listener = self.records.listen(&[UNOWNED]);
        loop {
            match Queue::sweep_all(&self.records, &self.blobs).await {
                Ok(_) => troubles.clear("sweep"),
                Err(error) => {
                    warn!(error = %opsctl_logging::chain(&error), "failed to remove what nobody needs");
                    troubles.set("sweep", format!("failed to remove what nobody needs: {error}"));
                }
            }
            tokio::select! {
                _ = listener.recv() => {}
                () = tokio::time::sleep(SWEEP) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Removes what may go now; returns how many blobs that were.
    ///
    /// # Errors
    /// What the database or the store say.
    pub(crate) async fn sweep_all(records: &Records, blobs: &Blobs) -> opsctl_store::Result<usize> {
        let mut count = 0;
        loop {
            let keys = records.unowned(now()).await?;
            if keys.is_empty() {
                return Ok(count);
            }
            for key in &keys {
                blobs.delete(key).await?;
            }
            records.forget(&keys).await?;
            count += keys.len();
        }
    }
}

/// How long to wait before the next attempt, in microseconds: longer each time.
fn backoff(attempt: u32) -> i64 {
    let seconds = 5_i64.saturating_mul(1_i64.checked_shl(attempt.min(10)).unwrap_or(1024));
    seconds.min(600) * SECOND
}
