//! Waiting for a condition, and saying how long something took. The only place of the workshop that sleeps.
use anyhow::{Result, bail};
use std::thread;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Asks `what` again and again until it has an answer; fails after `limit`, or when `what` does.
pub(crate) fn eventually<T>(limit: Duration, mut what: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = what()? {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("nothing happened for {}", text(limit));
        }
        thread::sleep(STEP);
    }
}

/// Lets time pass: only for measuring something that does nothing.
pub(crate) fn idle(time: Duration) {
    thread::sleep(time);
}

/// `850 ms`, `12.3 s`, `4 min 05 s`.
pub(crate) fn text(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(millis: u64, expected: &str) {
        assert_eq!(text(Duration::from_millis(millis)), expected);
    }

    #[test]
    fn times_are_short_texts() {
        check(850, "850 ms");
        check(12_300, "12.3 s");
        check(245_000, "4 min 05 s");
    }

    #[test]
    fn waiting_ends_with_the_answer_the_fault_or_the_limit() {
        let mut count = 0;
        let third = eventually(Duration::from_secs(60), || {
            count += 1;
            Ok((count == 3).then_some(count))
        });
        assert_eq!(third.unwrap(), 3);
        assert!(eventually(Duration::ZERO, || Ok(None::<()>)).is_err());
        assert!(eventually(Duration::from_secs(60), || -> Result<Option<()>> { bail!("no") }).is_err());
    }
}
