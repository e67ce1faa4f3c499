//! A long video that several machines encode together: whoever has the job cuts it up, does parts like everybody else,
//! and joins them when all are there.
//!
//! Parts travel through the store. What they made is reserved there and named by nothing but their rows: whatever becomes
//! of the job, it goes by itself.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Queue;
use super::run::{BEAT, Lost, Said};
use crate::asset::Asset;
use crate::job::{End, Outcome};
use crate::part::Part;
use crate::profile::Profile;
use crate::records::{Claimed, ClaimedPart, Finished};
use crate::task::Order;

/// Between two looks at the parts of others.
const LOOK: Duration = Duration::from_millis(500);

/// What was made of a part.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// From the job's folder, with the key of each.
    files: Vec<(String, String)>,
    /// What is complete: pictures, which are a part of their own.
    assets: Vec<Asset>,
}

/// What became of the parts.
enum Together {
    All,
    Failed(String),
    Lost(Lost),
}

impl Queue {
    /// Encodes an upload in these parts, which belong to the job that was claimed.
    pub(super) async fn in_parts(
        &self,
        claimed: &Claimed,
        profile: Profile,
        parts: Vec<Part>,
        folder: &Path,
        source: &Path,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Finished>> {
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        info!(job = claimed.held.job, parts = count, "is cut up");
        let part = |part| Order::Part { profile: profile.clone(), part };
        let orders = parts.into_iter().map(part).chain(profile.pictures().map(Order::Encode));
        let bodies = orders.map(|order| serde_json::to_string(&order)).collect::<Result<Vec<_>, _>>()?;
        if !self.records.cut_up(claimed.held, &bodies).await? {
            return Ok(None);
        }
        match self.together(claimed, stop).await? {
            Together::All => {}
            Together::Failed(message) => {
                return Ok(Some(Finished::Again {
                    after: super::backoff(claimed.held.attempt),
                    message,
                    log: String::new(),
                }));
            }
            Together::Lost(lost) => return Ok(lost.finished()),
        }
        let (mut keys, mut assets) = (Vec::new(), Vec::new());
        for text in self.records.files_of_parts(claimed.held).await? {
            let kept: Kept = serde_json::from_str(&text).context("failed to read what was made of a part")?;
            for (path, key) in kept.files {
                let path = folder.join(path);
                tokio::fs::create_dir_all(path.parent().unwrap_or(folder)).await?;
                self.fetch(&key, &path).await?;
                keys.push(key);
            }
            assets.extend(kept.assets);
        }
        let order = Order::Join { profile, parts: count };
        let mut outcome = match self.order(claimed, order, folder, source, stop).await? {
            Ok(outcome) => outcome,
            Err(lost) => return Ok(lost.finished()),
        };
        outcome.assets.extend(assets);
        let finished = self.conclude(claimed, folder, outcome).await?;
        self.records.leave_all(&keys).await?;
        Ok(Some(finished))
    }

    /// Does parts until all of this job's are done, by whomever.
    async fn together(&self, claimed: &Claimed, stop: &CancellationToken) -> anyhow::Result<Together> {
        loop {
            let parts = self.records.parts(claimed.held).await?;
            if !self.records.beat(claimed.held, self.lease, Some(parts.percent), None).await? {
                return Ok(Together::Lost(Lost::Elsewhere));
            }
            if let Some(message) = parts.failed {
                return Ok(Together::Failed(message));
            }
            if parts.done == parts.total {
                return Ok(Together::All);
            }
            if stop.is_cancelled() {
                return Ok(Together::Lost(Lost::Stopping));
            }
            // those of workers that are lost
            self.records.reclaim(self.attempts).await?;
            match self.records.claim_part(&self.name, self.lease).await? {
                // the job's own lease is renewed while one of its parts is worked on here
                Some(part) => {
                    let mut done = std::pin::pin!(self.part(part, stop));
                    while tokio::time::timeout(BEAT, &mut done).await.is_err() {
                        // a database that is away for a moment ends no part; one that is away for longer ends the lease
                        if let Ok(parts) = self.records.parts(claimed.held).await {
                            let _ = self.records.beat(claimed.held, self.lease, Some(parts.percent), None).await;
                        }
                    }
                }
                None => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Does a part; what goes wrong is in its row, or will be found by whoever takes it next.
    pub(super) async fn part(&self, part: ClaimedPart, stop: &CancellationToken) {
        let held = part.held;
        info!(job = held.job, part = held.number, "begins");
        let made = match self.part_made(&part, stop).await {
            Ok(Some(kept)) => serde_json::to_string(&kept).map_err(|error| error.to_string()),
            Ok(None) => return,
            Err(error) => {
                warn!(job = held.job, part = held.number, error = format!("{error:#}"), "failed to do a part");
                Err(format!("{error:#}"))
            }
        };
        if let Err(error) = self.records.finish_part(held, &made, self.attempts).await {
            warn!(error = %opsctl_logging::chain(&error), "failed to write down how a part ended");
        }
    }

    /// `None` if it is nobody's here any more.
    async fn part_made(&self, part: &ClaimedPart, stop: &CancellationToken) -> anyhow::Result<Option<Kept>> {
        let bench = self.workshop.bench().context("failed to make a folder for the part")?;
        let folder = bench.path();
        let order: Order = serde_json::from_str(&part.body).context("failed to read what is to be done")?;
        let source = self.source(&part.source, folder).await?;
        let said = Arc::default();
        let lost = self.watch_part(part, &said, stop);
        match self.drive(order, folder, &source, &said, lost).await? {
            Ok(outcome) => self.keep_part(part, folder, outcome).await.map(Some),
            Err(Lost::Elsewhere) => Ok(None),
            Err(Lost::Stopping) => anyhow::bail!("the worker was stopped"),
        }
    }

    /// Says how far a part is, until it is not ours any more.
    async fn watch_part(&self, part: &ClaimedPart, said: &Mutex<Said>, stop: &CancellationToken) -> Lost {
        while stop.run_until_cancelled(tokio::time::sleep(BEAT)).await.is_some() {
            let progress = said.lock().unwrap_or_else(PoisonError::into_inner).progress;
            let percent = progress.and_then(|progress| progress.percent);
            if let Ok(false) = self.records.beat_part(part.held, self.lease, percent).await {
                return Lost::Elsewhere;
            }
        }
        Lost::Stopping
    }

    async fn keep_part(&self, part: &ClaimedPart, folder: &Path, outcome: Outcome) -> anyhow::Result<Kept> {
        let Outcome { end, assets, piece, log, .. } = outcome;
        match end {
            End::Done => {}
            End::Refused(refusal) => anyhow::bail!("{refusal}"),
            End::Failed { text, .. } => anyhow::bail!("{text}\n{log}"),
            End::Cancelled => anyhow::bail!("the worker was stopped"),
        }
        let top = part.source.rsplit_once('/').map_or("", |(top, _)| top);
        let held = part.held;
        let key =
            |file: &str| format!("{top}/{}-{}/parts/{}-{}/{file}", held.job, held.attempt, held.number, held.tries);
        let made = piece.map_or_else(Vec::new, |piece| piece.files);
        let files: Vec<String> = made.into_iter().chain(assets.iter().flat_map(|asset| asset.files.clone())).collect();
        let keys: Vec<String> = files.iter().map(|file| key(file)).collect();
        self.records.reserve(&keys).await.context("failed to reserve room for a part")?;
        for (file, key) in files.iter().zip(&keys) {
            self.blobs.put_file(key, folder.join(file)).await.with_context(|| format!("failed to store `{file}`"))?;
        }
        Ok(Kept { files: files.into_iter().zip(keys).collect(), assets })
    }
}
