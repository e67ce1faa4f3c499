//! Webhooks: tells the servers that an account names what happens to its items.
//!
//! What happened was written down when it happened, so that nothing is lost, whatever crashes; a server may be told the
//! same twice, and knows it by the event's ID. Where messages go is the administrator's word, yet an address that is not
//! public is refused unless its origin is listed: names change what they mean. Answers are not read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opsctl_config::Secret;
use opsctl_fetch::{Fetch, Origin, Reach, Settings, Url};
use opsctl_host::{Context, Troubles};
use sha2::Sha256;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::{SECOND, now};
use crate::config::Config;
use crate::hex::hex;
use crate::records::{Delivery, HOOKS, Records};

/// Messages at a time.
const SLOTS: usize = 4;
/// For all of one attempt; shorter than a message's lease.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Between two looks, if nobody says that there is something.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two looks for what may be forgotten.
const SWEEP: Duration = Duration::from_secs(3600);
const SIGNATURE: HeaderName = HeaderName::from_static("flvio-signature");

/// Tells.
#[derive(Debug)]
pub(crate) struct Hooks {
    records: Records,
    fetch: Fetch,
    accounts: BTreeMap<String, Vec<Hook>>,
    wake: Notify,
}

#[derive(Debug)]
struct Hook {
    url: Url,
    secret: Secret,
}

impl Hooks {
    /// Reads the secrets.
    ///
    /// # Errors
    /// One cannot be read, or is not there.
    pub(crate) fn new(records: Records, config: &Config) -> anyhow::Result<Hooks> {
        let mut accounts = BTreeMap::new();
        for (account, settings) in &config.accounts {
            let mut hooks = Vec::new();
            for hook in &settings.hooks {
                let url = hook.url.0.clone();
                let secret = Secret::load(hook.secret.clone(), hook.secret_file.clone())?;
                let secret = secret.with_context(|| format!("the hook `{url}` of `{account}` has no secret"))?;
                hooks.push(Hook { url, secret });
            }
            accounts.insert(account.clone(), hooks);
        }
        let trusted = config.hook_origins.iter().filter_map(|origin| Origin::of(&origin.0)).collect();
        let settings = Settings { reach: Reach { trusted, hosts: Vec::new() }, ..Settings::default() };
        Ok(Hooks { records, fetch: Fetch::new(settings)?, accounts, wake: Notify::new() })
    }

    /// Sends what there is, until the service stops.
    pub(crate) async fn run(self: Arc<Self>, cx: Context, troubles: Troubles) -> anyhow::Result<()> {
        let senders = join_all((0..SLOTS).map(|_| self.work(&cx, &troubles)));
        tokio::join!(self.listen(&cx), self.sweep(&cx), senders);
        Ok(())
    }

    async fn listen(&self, cx: &Context) {
        let mut listener = self.records.listen(&[HOOKS]);
        loop {
            tokio::select! {
                _ = listener.recv() => self.wake.notify_waiters(),
                () = cx.stopping() => return,
            }
        }
    }

    async fn sweep(&self, cx: &Context) {
        loop {
            if let Err(error) = self.records.forget_events().await {
                warn!(error = %opsctl_logging::chain(&error), "failed to forget old events");
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = cx.stopping() => return,
            }
        }
    }

    async fn work(&self, cx: &Context, troubles: &Troubles) {
        while !cx.is_stopping() {
            let mut woken = std::pin::pin!(self.wake.notified());
            // what is said from here on is heard
            woken.as_mut().enable();
            match self.one().await {
                Ok(true) => {
                    troubles.clear("hooks");
                    continue;
                }
                Ok(false) => troubles.clear("hooks"),
                Err(error) => {
                    warn!(error = %opsctl_logging::chain(&error), "failed to look for what is to be told");
                    troubles.set("hooks", format!("failed to look for what is to be told: {error}"));
                }
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(self.pause().await) => {}
                () = cx.stopping() => {}
            }
        }
    }

    /// Until the next message can be sent.
    async fn pause(&self) -> Duration {
        let next = self.records.next_delivery().await.ok().flatten();
        let until = next.and_then(|at| u64::try_from(at - now()).ok()).map(Duration::from_micros);
        until.unwrap_or(PAUSE).clamp(Duration::from_millis(100), PAUSE)
    }

    /// Sends one message, if there is one.
    async fn one(&self) -> opsctl_store::Result<bool> {
        for (event, account) in self.records.new_events().await? {
            let hooks = self.accounts.get(&account).into_iter().flatten();
            let urls: Vec<String> = hooks.map(|hook| hook.url.to_string()).collect();
            self.records.spread(event, &urls).await?;
        }
        let Some(delivery) = self.records.claim_delivery().await? else { return Ok(false) };
        let hooks = self.accounts.get(&delivery.account).into_iter().flatten();
        let Some(hook) = hooks.into_iter().find(|hook| hook.url.as_str() == delivery.url) else {
            self.records.undelivered(&delivery, "it is not configured any more", None).await?;
            return Ok(true);
        };
        match tokio::time::timeout(TIMEOUT, self.send(hook, &delivery)).await {
            Ok(Ok(())) => {
                info!(account = delivery.account, url = delivery.url, "told");
                self.records.delivered(&delivery).await?;
            }
            failed => {
                let error = match failed {
                    Ok(Err(error)) => format!("{error:#}"),
                    _ => "there was no answer in time".to_owned(),
                };
                let next = Some(now() + backoff(delivery.attempt)).filter(|next| *next < delivery.give_up_at);
                warn!(account = delivery.account, url = delivery.url, error, again = next.is_some(), "failed to tell");
                self.records.undelivered(&delivery, &error, next).await?;
            }
        }
        Ok(true)
    }

    async fn send(&self, hook: &Hook, delivery: &Delivery) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(SIGNATURE, HeaderValue::try_from(signature(&hook.secret, now() / SECOND, &delivery.body))?);
        let body = Bytes::from(delivery.body.clone().into_bytes());
        let answer = self.fetch.send(Method::POST, &hook.url, headers, body).await?;
        // one that sends us elsewhere has not taken it
        anyhow::ensure!(answer.status().is_success(), "the answer was {}", answer.status());
        Ok(())
    }
}

/// `t=<unix>,v1=<hex>`: HMAC-SHA256 with the secret over the time, a dot, and the body.
fn signature(secret: &Secret, at: i64, body: &str) -> String {
    // a key of any length will do
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(format!("{at}.").as_bytes());
    mac.update(body.as_bytes());
    let code = mac.finalize().into_bytes();
    format!("t={at},v1={}", hex(&code))
}

/// How long to wait before the next attempt, in microseconds: 2 s, and twice as long each time, up to 6 h.
fn backoff(attempt: u32) -> i64 {
    let seconds = 1_i64.checked_shl(attempt.min(20)).unwrap_or(i64::MAX);
    seconds.min(6 * 3600) * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(signature(&Secret::new("secret"), 1_700_000_000, "{\"a\":1}"), expected);
    }

    #[test]
    fn each_attempt_waits_longer() {
        let seconds = [1, 2, 3, 14, 15, u32::MAX].map(|attempt| backoff(attempt) / SECOND);
        assert_eq!(seconds, [2, 4, 8, 16_384, 21_600, 21_600]);
    }
}
