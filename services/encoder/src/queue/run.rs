//! One attempt at one job.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::TryStreamExt;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Queue, backoff};
use crate::asset::Asset;
use crate::clock::now;
use crate::event::{Event, Progress};
use crate::facts::Facts;
use crate::job::{Cancel, End, Job, Outcome, Program};
use crate::profile::Profile;
use crate::records::{Claimed, Finished, Made};
use crate::refusal::Refusal;
use crate::task::{Order, SOURCE};

/// Between two words on how far a job is.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// In how many parts a lease is renewed.
const RENEW: i64 = 6;

/// What the worker has said so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) progress: Option<Progress>,
    facts: Option<Facts>,
}

impl Said {
    /// Writes down what is said.
    pub(super) fn hear(said: &Arc<Mutex<Said>>) -> impl FnMut(&Event) + Send + 'static {
        let said = Arc::clone(said);
        move |event| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Progress(progress) => said.progress = Some(*progress),
                Event::Facts(facts) => said.facts = Some((**facts).clone()),
                _ => {}
            }
        }
    }
}

impl Queue {
    /// Does a job that was taken; says how it ended.
    pub(super) async fn attempt(&self, claimed: &Claimed, stop: &CancellationToken) -> anyhow::Result<&'static str> {
        let held = claimed.held;
        let bench = self.workshop.bench().context("failed to make a folder for the job")?;
        let attempt = self.encode(claimed, bench.path(), stop).await;
        let finished = match attempt {
            Ok(Some(finished)) => finished,
            Ok(None) => return Ok("let go"),
            Err(error) => {
                let message = format!("{error:#}");
                warn!(job = held.job, error = message, "an attempt failed");
                Finished::Again { after: backoff(held.attempt), message, log: String::new() }
            }
        };
        let end = match &finished {
            Finished::Done { .. } => "done",
            Finished::Failed { .. } => "failed",
            Finished::Again { .. } => "again",
            Finished::Released => "released",
        };
        let counted = self.records.finish(held, &finished, self.attempts).await;
        match counted.context("failed to write down how a job ended")? {
            true => Ok(end),
            false => Ok("let go"),
        }
    }

    /// `None` if the job is nobody's here any more.
    async fn encode(
        &self,
        claimed: &Claimed,
        folder: &Path,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Finished>> {
        let profile: Profile = serde_json::from_str(&claimed.body).context("failed to read the job's profile")?;
        let source = self.source(&claimed.source, folder).await?;
        if let Some(seconds) = self.split {
            let cut = Order::Cut { profile: profile.clone(), seconds };
            match self.order(claimed, cut, folder, &source, stop).await? {
                Ok(Outcome { end: End::Done, parts, .. }) if parts.len() > 1 => {
                    return self.in_parts(claimed, profile, parts, folder, &source, stop).await;
                }
                Ok(Outcome { end: End::Done, .. }) => {}
                Ok(outcome) => return self.conclude(claimed, folder, outcome).await.map(Some),
                Err(lost) => return Ok(lost.finished()),
            }
        }
        match self.order(claimed, Order::Encode(profile), folder, &source, stop).await? {
            Ok(outcome) => self.conclude(claimed, folder, outcome).await.map(Some),
            Err(lost) => Ok(lost.finished()),
        }
    }

    /// The upload as a file: where it is, or a copy in `folder`.
    pub(super) async fn source(&self, key: &str, folder: &Path) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.blobs.local_path(key) {
            return Ok(path);
        }
        let path = folder.join(SOURCE);
        self.fetch(key, &path).await?;
        Ok(path)
    }

    /// Lets a worker do something for a job, and says how far it is; `Err` if the job is not ours any more by the end.
    pub(super) async fn order(
        &self,
        claimed: &Claimed,
        order: Order,
        folder: &Path,
        source: &Path,
        stop: &CancellationToken,
    ) -> anyhow::Result<Result<Outcome, Lost>> {
        let said = Arc::default();
        let lost = self.watch(claimed, &said, stop);
        let outcome = match self.drive(order, folder, source, &said, lost).await? {
            Ok(outcome) => outcome,
            Err(lost) => return Ok(Err(lost)),
        };
        if let Some(facts) = &outcome.facts {
            self.records.tell_facts(claimed.held, facts).await?;
        }
        Ok(Ok(outcome))
    }

    /// Lets a worker do something, until somebody says that it is `lost`.
    pub(super) async fn drive(
        &self,
        order: Order,
        folder: &Path,
        source: &Path,
        said: &Arc<Mutex<Said>>,
        lost: impl Future<Output = Lost>,
    ) -> anyhow::Result<Result<Outcome, Lost>> {
        let job = Job { folder: folder.to_owned(), source: source.to_owned(), order, limits: self.limits.clone() };
        let cancel = Cancel::new().context("failed to make the worker's brake")?;
        let mut running = std::pin::pin!(job.run(Program::itself(), cancel.clone(), Said::hear(said)));
        tokio::select! {
            outcome = &mut running => Ok(Ok(outcome.context("failed to start a worker")?)),
            lost = lost => {
                cancel.cancel();
                // the worker is gone before its folder is
                let _ = running.await;
                Ok(Err(lost))
            }
        }
    }

    /// Says how far a job is, until it is not ours any more.
    async fn watch(&self, claimed: &Claimed, said: &Mutex<Said>, stop: &CancellationToken) -> Lost {
        let mut told = None;
        let mut renewed = now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = stop.cancelled() => return Lost::Stopping,
            }
            let (progress, facts) = {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                (said.progress, said.facts.take())
            };
            if let Some(facts) = facts
                && let Err(error) = self.records.tell_facts(claimed.held, &facts).await
            {
                warn!(error = %opsctl_logging::chain(&error), "failed to write down what an upload is");
            }
            // a cancelled job is let go of within a beat
            if progress == told && now() - renewed < self.lease / RENEW {
                match self.records.is_held(claimed.held).await {
                    Ok(false) => return Lost::Elsewhere,
                    Ok(true) | Err(_) => continue,
                }
            }
            let (percent, eta) = progress.map_or((None, None), |progress| (progress.percent, progress.eta));
            match self.records.beat(claimed.held, self.lease, percent, eta).await {
                Ok(true) => (told, renewed) = (progress, now()),
                Ok(false) => return Lost::Elsewhere,
                // the lease lasts a while; if the database stays away, another takes the job and this one's end is void
                Err(error) => warn!(error = %opsctl_logging::chain(&error), "failed to say how far a job is"),
            }
        }
    }

    /// Copies an upload from the store.
    pub(super) async fn fetch(&self, key: &str, path: &Path) -> anyhow::Result<()> {
        let blob = self.blobs.get(key).await?.context("the upload is not in the store")?;
        let mut file = tokio::fs::File::create(path).await?;
        let mut stream = blob.stream;
        while let Some(piece) = stream.try_next().await? {
            file.write_all(&piece).await?;
        }
        file.flush().await.map_err(Into::into)
    }

    /// What an outcome means; the results are put into the store.
    pub(super) async fn conclude(
        &self,
        claimed: &Claimed,
        folder: &Path,
        outcome: Outcome,
    ) -> anyhow::Result<Finished> {
        let Outcome { end, assets, warnings, log, .. } = outcome;
        Ok(match end {
            End::Done => {
                let made = self.keep(claimed, folder, assets).await?;
                Finished::Done { made, warnings: warnings.iter().map(ToString::to_string).collect() }
            }
            End::Refused(refusal) => Finished::Failed { reason: reason(&refusal), message: refusal.to_string(), log },
            End::Failed { again: true, text } => {
                Finished::Again { after: backoff(claimed.held.attempt), message: text, log }
            }
            End::Failed { again: false, text } => {
                warn!(job = claimed.held.job, text, log, "a worker failed");
                let message = "the encoder failed; its administrator finds more in the log".to_owned();
                Finished::Failed { reason: "failed".to_owned(), message, log: format!("{text}\n{log}") }
            }
            End::Cancelled => Finished::Released,
        })
    }

    /// Puts results into the store, under keys of this attempt alone.
    async fn keep(&self, claimed: &Claimed, folder: &Path, assets: Vec<Asset>) -> anyhow::Result<Vec<Made>> {
        let top = claimed.source.rsplit_once('/').map_or("", |(top, _)| top);
        let key = |file: &str| format!("{top}/{}-{}/{file}", claimed.held.job, claimed.held.attempt);
        let keys: Vec<String> = assets.iter().flat_map(|asset| &asset.files).map(|file| key(file)).collect();
        self.records.reserve(&keys).await.context("failed to reserve room for results")?;
        let mut made = Vec::new();
        for Asset { name, kind, files, bytes, size, duration, copied } in assets {
            let mut kept = Vec::new();
            for file in files {
                let path = file.strip_prefix(&name).unwrap_or_default().to_owned();
                let meta = self.blobs.put_file(&key(&file), folder.join(&file)).await;
                let meta = meta.with_context(|| format!("failed to store `{file}`"))?;
                kept.push((path, key(&file), meta.size));
            }
            let size = size.map(|size| (size.width, size.height));
            made.push(Made { name, kind: kind.word().to_owned(), size, duration, bytes, copied, files: kept });
        }
        Ok(made)
    }
}

/// Why a job is let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It was cancelled, or another has it.
    Elsewhere,
    /// This process ends.
    Stopping,
}

impl Lost {
    /// What there is to say of the job.
    pub(super) fn finished(self) -> Option<Finished> {
        match self {
            Lost::Elsewhere => None,
            Lost::Stopping => Some(Finished::Released),
        }
    }
}

/// The word for it that programs get.
fn reason(refusal: &Refusal) -> String {
    let value = serde_json::to_value(refusal).unwrap_or_default();
    value.get("reason").and_then(serde_json::Value::as_str).unwrap_or("refused").replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        assert_eq!(reason(&Refusal::Empty), "empty");
        assert_eq!(reason(&Refusal::UnknownCodec { codec: "vvc".into() }), "unknown-codec");
    }

    #[test]
    fn each_attempt_waits_longer() {
        assert_eq!([1, 2, 3, 10, 4_000_000].map(|attempt| backoff(attempt) / 1_000_000), [10, 20, 40, 600, 600]);
    }
}
