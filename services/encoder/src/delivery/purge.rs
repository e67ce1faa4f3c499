//! Tells a cache in front what is shown no more: a request with the method `PURGE`, as Varnish, Squid and nginx with a
//! module take it, for each address. What fails is tried again, later each time, for a day: by then a cache that was told
//! how long it may keep things has forgotten them by itself, or never will.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use opsctl_fetch::{Fetch, Reach, Settings, Url};
use opsctl_host::{Context, Troubles};
use tracing::{debug, error, warn};

use crate::clock::{SECOND, now};
use crate::records::{PURGE, Purge, Records};

/// Requests at a time.
const AT_ONCE: usize = 8;
/// Addresses that are read at once.
const PAGE: i64 = 200;
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks, if nobody says that there is something.
const PAUSE: Duration = Duration::from_secs(60);
/// For how long it is tried.
const LONGEST: i64 = 24 * 3600 * SECOND;

/// Tells a cache.
#[derive(Debug)]
pub(crate) struct Purger {
    records: Records,
    fetch: Fetch,
    url: Url,
    method: Method,
    headers: HeaderMap,
}

impl Purger {
    /// Goes to the origin of `url` alone, whatever its address is, with `host` as the host that is asked for.
    ///
    /// # Errors
    /// There are no certificate authorities.
    pub(crate) fn new(
        records: Records,
        url: &Url,
        host: Option<HeaderValue>,
        method: &Method,
    ) -> Result<Purger, opsctl_fetch::Error> {
        let settings = Settings {
            reach: Reach::trusting(url),
            connect_timeout: TIMEOUT,
            read_timeout: TIMEOUT,
            ..Settings::default()
        };
        let headers = host.into_iter().map(|host| (HOST, host)).collect();
        Ok(Purger { records, fetch: Fetch::new(settings)?, url: url.clone(), method: method.clone(), headers })
    }

    /// Tells it, until the service stops.
    pub(crate) async fn run(self: std::sync::Arc<Self>, cx: Context, troubles: Troubles) -> anyhow::Result<()> {
        let mut listener = self.records.listen(&[PURGE]);
        loop {
            let all = self.all(&troubles);
            tokio::select! {
                result = all => if let Err(error) = result {
                    warn!(error = %opsctl_logging::chain(&error), "failed to read what a cache is to be told");
                },
                () = cx.stopping() => return Ok(()),
            }
            tokio::select! {
                _ = listener.recv() => {}
                () = tokio::time::sleep(self.pause().await) => {}
                () = cx.stopping() => return Ok(()),
            }
        }
    }

    /// Until the next one's time comes.
    async fn pause(&self) -> Duration {
        let next = self.records.next_purge().await.ok().flatten();
        let until = next.and_then(|at| u64::try_from(at - now()).ok()).map(Duration::from_micros);
        // one that is due and was not told is tried again when the database can be read again
        until.unwrap_or(if next.is_some() { Duration::from_secs(1) } else { PAUSE }).min(PAUSE)
    }

    async fn all(&self, troubles: &Troubles) -> opsctl_store::Result<()> {
        loop {
            let due = self.records.purges(now(), PAGE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut told = stream::iter(due).map(|purge| self.one(purge, troubles)).buffer_unordered(AT_ONCE);
            while let Some(result) = told.next().await {
                result?;
            }
        }
    }

    async fn one(&self, purge: Purge, troubles: &Troubles) -> opsctl_store::Result<()> {
        match self.tell(&purge.path).await {
            Ok(()) => {
                troubles.clear("purge");
                self.records.purged(&purge).await
            }
            Err(why) if now() - purge.since > LONGEST => {
                error!(path = purge.path, why, "a cache was not told that something is shown no more");
                self.records.purged(&purge).await
            }
            Err(why) => {
                warn!(path = purge.path, attempt = purge.attempt, why, "failed to tell a cache");
                troubles
                    .set("purge", format!("failed to tell the cache that `{}` is shown no more: {why}", purge.path));
                self.records.purge_again(&purge, now() + backoff(purge.attempt)).await
            }
        }
    }

    /// # Errors
    /// Why it was not told.
    async fn tell(&self, path: &str) -> Result<(), String> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        let sent = self.fetch.send(self.method.clone(), &url, self.headers.clone(), Bytes::new()).await;
        let answer = sent.map_err(|error| opsctl_logging::chain(&error).to_string())?;
        debug!(path, status = answer.status().as_u16(), "a cache is told");
        match answer.status() {
            // it never had it
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
            status if status.is_success() => Ok(()),
            status => Err(format!("it answers {status}")),
        }
    }
}

/// A second, then twice as long each time, up to ten minutes.
fn backoff(attempt: u32) -> i64 {
    (1_i64 << attempt.min(10)).min(600) * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_each_time() {
        let seconds: Vec<i64> =
            [0, 1, 2, 9, 10, u32::MAX].into_iter().map(|attempt| backoff(attempt) / SECOND).collect();
        assert_eq!(seconds, [1, 2, 4, 512, 600, 600]);
    }
}
