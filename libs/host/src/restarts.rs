//! Whether and when a service that ended by itself is started again.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::settings::{HostSettings, Restart};

/// How an instance of a service ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Orderly,
    Failure,
}

/// Counts one service's restarts.
#[derive(Debug)]
pub(crate) struct Restarts {
    backoff: Backoff,
    limit: usize,
    window: Duration,
    recent: VecDeque<Instant>,
}

/// What to do after an end.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Start it again after this wait.
    After(Duration),
    /// Its table does not want it restarted.
    NotWanted,
    /// It was restarted too often.
    TooMany,
}

impl Restarts {
    pub(crate) fn new(settings: &HostSettings) -> Self {
        Self {
            backoff: Backoff::new(settings.restart_delay.into(), settings.restart_delay_max.into()),
            limit: usize::try_from(settings.restart_limit).unwrap_or(usize::MAX),
            window: settings.restart_window.into(),
            recent: VecDeque::new(),
        }
    }

    /// Decides at `now` on a service with policy `restart` that ended as `end` after it ran for `ran`.
    pub(crate) fn decide(&mut self, restart: Restart, end: End, ran: Duration, now: Instant) -> Verdict {
        let wanted = match restart {
            Restart::Never => false,
            Restart::OnFailure => end == End::Failure,
            Restart::Always => true,
        };
        if !wanted {
            return Verdict::NotWanted;
        }
        if ran >= self.window {
            self.backoff.reset();
        }
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= self.window) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.limit {
            return Verdict::TooMany;
        }
        self.recent.push_back(now);
        Verdict::After(self.backoff.wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    fn restarts(limit: usize, window: Duration) -> Restarts {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        Restarts { backoff, limit, window, recent: VecDeque::new() }
    }

    #[test]
    fn policy() {
        let check = |restart, end, wanted: bool| {
            let verdict = restarts(9, Duration::from_secs(60)).decide(restart, end, SHORT, Instant::now());
            assert_eq!(matches!(verdict, Verdict::After(_)), wanted, "{restart:?} {end:?}");
        };
        check(Restart::Never, End::Failure, false);
        check(Restart::Never, End::Orderly, false);
        check(Restart::OnFailure, End::Failure, true);
        check(Restart::OnFailure, End::Orderly, false);
        check(Restart::Always, End::Failure, true);
        check(Restart::Always, End::Orderly, true);
    }

    #[test]
    fn gives_up_after_too_many_within_the_window_only() {
        let start = Instant::now();
        let mut restarts = restarts(2, Duration::from_secs(60));
        let mut at =
            |seconds| restarts.decide(Restart::Always, End::Failure, SHORT, start + Duration::from_secs(seconds));
        assert!(matches!(at(0), Verdict::After(_)));
        assert!(matches!(at(59), Verdict::After(_)));
        assert_eq!(at(59), Verdict::TooMany);
        assert!(matches!(at(60), Verdict::After(_)), "the first one has left the window");
    }
}
