//! Conditions that are waited for, instead of time.

use std::time::{Duration, Instant};

/// How long a condition may take on a busy machine. Costs nothing when it holds.
pub const PATIENCE: Duration = Duration::from_secs(60);

const STEP: Duration = Duration::from_millis(3);

/// Waits until `condition` gives a value.
///
/// # Panics
/// When it never does.
#[track_caller]
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(STEP);
    }
}

/// The same where the condition has to be awaited; `wait` is the runtime's sleep.
///
/// # Panics
/// When it never does.
pub async fn eventually_async<T, S: Future<Output = ()>>(
    what: &str,
    wait: impl Fn(Duration) -> S,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        wait(STEP).await;
    }
}
