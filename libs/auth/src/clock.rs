//! What time it is: handed in, so that tests decide.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// Whatever `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    /// A clock that stands still until it is moved.
    #[derive(Clone)]
    pub(crate) struct FakeClock(Arc<Mutex<Timestamp>>);

    impl FakeClock {
        pub(crate) fn new() -> Self {
            Self(Arc::new(Mutex::new("2026-08-01T12:00:00Z".parse().unwrap())))
        }

        pub(crate) fn clock(&self) -> Clock {
            let now = Arc::clone(&self.0);
            Clock::new(move || *now.lock().unwrap())
        }

        pub(crate) fn advance(&self, by: Duration) {
            let mut now = self.0.lock().unwrap();
            *now = now.checked_add(by).unwrap();
        }
    }
}
