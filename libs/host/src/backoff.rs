//! How long to wait before trying again: exponential, with jitter, so that many who failed together do not come back
//! together.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Waits that grow by half each time, up to a limit.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first` to `max`.
    #[must_use]
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first.min(max) }
    }

    /// The next wait: between 100 % and 120 % of the exponential one.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.mul_f64(1.5).min(self.max);
        wait.mul_f64(1.0 + 0.2 * random())
    }

    /// Begins anew, after success.
    pub fn reset(&mut self) {
        self.next = self.first.min(self.max);
    }
}

/// Uniform in `[0, 1)`, from the standard library's per-process random keys: good enough to spread clients.
fn random() -> f64 {
    let bits = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_half_to_the_limit_and_starts_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        for expected in [1.0, 1.5, 2.25, 3.0, 3.0] {
            let wait = backoff.wait().as_secs_f64();
            assert!((expected..expected * 1.2).contains(&wait), "{wait} is not within 20 % above {expected}");
        }
        backoff.reset();
        assert!(backoff.wait() < Duration::from_millis(1200));
    }
}
