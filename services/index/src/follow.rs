//! What others have changed: another server on the same database, or a verb of the command line. Their rows in the trail
//! say what has to be loaded again.
//!
//! The trail is asked once a second, and at once where the database tells of changes. A number that is missing between
//! two others may belong to a transaction that has not ended yet (PostgreSQL gives numbers away before that): it is
//! waited for, a minute at most. Changes of this process come by here as well, and find that nothing has to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opsctl_host::{Context, Troubles};
use tracing::error;

use crate::catalog::Catalog;
use crate::origins::Origins;
use crate::records::{self, Followed};

/// Between two looks at the trail.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a transaction may take that has got its number.
const GAP: Duration = Duration::from_secs(60);

/// Follows the trail.
#[derive(Debug)]
pub(crate) struct Follower {
    catalog: Arc<Catalog>,
    origins: Arc<Origins>,
    seen: Seen,
}

impl Follower {
    /// Follows what comes from now on. Made before the catalogue is loaded, it misses nothing.
    pub(crate) fn new(last: i64, catalog: Arc<Catalog>, origins: Arc<Origins>) -> Follower {
        Follower { catalog, origins, seen: Seen { all_until: last, ..Seen::default() } }
    }

    /// Follows until the service stops.
    ///
    /// # Errors
    /// None that is passing: those are troubles, and the next look tries again.
    pub(crate) async fn run(mut self, cx: Context, troubles: Troubles) -> anyhow::Result<()> {
        let mut listener = self.catalog.records().listen();
        loop {
            tokio::select! {
                _ = tokio::time::timeout(PAUSE, listener.recv()) => {}
                () = cx.stopping() => return Ok(()),
            }
            match self.look().await {
                Ok(_) => troubles.clear("trail"),
                Err(error) => {
                    error!(error = %opsctl_logging::chain(&error), "failed to look for changes of others");
                    troubles.set("trail", format!("failed to look for changes of others: {error}"));
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = cx.stopping() => return Ok(()),
                    }
                }
            }
        }
    }

    /// Takes on what has changed. Returns how many changes there were.
    pub(crate) async fn look(&mut self) -> records::Result<usize> {
        let mut count = 0;
        loop {
            let rows = self.catalog.records().changes_after(self.seen.last_read()).await?;
            let read = rows.len();
            let missed = self.catalog.records().changes_of(&self.seen.gaps()).await?;
            let rows: Vec<Followed> = missed.into_iter().chain(rows).collect();
            count += rows.len();
            self.take_on(&rows).await?;
            self.seen.note(rows.iter().map(|row| row.serial), Instant::now());
            if read == 0 {
                return Ok(count);
            }
        }
    }

    async fn take_on(&self, rows: &[Followed]) -> records::Result<()> {
        let mut projects: BTreeMap<&str, BTreeSet<Box<str>>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.index.is_empty()) {
            projects.entry(&row.index).or_default().insert(row.project.clone());
        }
        for (index, projects) in projects {
            if let Ok(index) = index.parse() {
                self.catalog.refresh(&index, &projects).await?;
            }
        }
        if rows.iter().any(|row| row.index.is_empty()) {
            self.origins.reload().await?;
        }
        Ok(())
    }
}

/// Which numbers of the trail were seen.
#[derive(Debug, Default)]
struct Seen {
    /// Up to this one all were seen, or are missing.
    all_until: i64,
    /// Those that are missing, since when.
    missing: BTreeMap<i64, Instant>,
}

impl Seen {
    fn last_read(&self) -> i64 {
        self.all_until
    }

    /// Numbers that may still come.
    fn gaps(&self) -> Vec<i64> {
        self.missing.keys().copied().collect()
    }

    fn note(&mut self, serials: impl Iterator<Item = i64>, now: Instant) {
        for serial in serials {
            self.missing.remove(&serial);
            if serial > self.all_until {
                // one server cannot have more transactions open than this; more are numbers that were never used
                let from = (self.all_until + 1).max(serial - GAPS_MAX);
                self.missing.extend((from..serial).map(|gap| (gap, now)));
                self.all_until = serial;
            }
        }
        self.missing.retain(|_, since| now.duration_since(*since) < GAP);
    }
}

/// Numbers that are waited for between two others.
const GAPS_MAX: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[(u64, &[i64])], all_until: i64, gaps: &[i64]) {
        let start = Instant::now();
        let mut seen = Seen::default();
        for (seconds, serials) in steps {
            seen.note(serials.iter().copied(), start + Duration::from_secs(*seconds));
        }
        assert_eq!((seen.last_read(), seen.gaps()), (all_until, gaps.to_vec()), "{steps:?}");
    }

    #[test]
    fn what_is_missing_is_waited_for() {
        check(&[(0, &[1, 2, 3])], 3, &[]);
        check(&[(0, &[1, 4])], 4, &[2, 3]);
        check(&[(0, &[1, 4]), (1, &[3, 5])], 5, &[2]);
        check(&[(0, &[1, 4]), (1, &[2, 3])], 4, &[]);
        check(&[(0, &[1, 4]), (60, &[5])], 5, &[]);
        check(&[(0, &[1]), (1, &[1_000_000])], 1_000_000, &(999_000..1_000_000).collect::<Vec<_>>());
    }
}
