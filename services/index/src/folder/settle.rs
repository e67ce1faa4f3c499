//! When is a file complete? Its writer has closed it, or nobody has touched it for a while: until then it is left alone,
//! since half an archive would be refused, and half a tar file could even be taken for a whole one.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::stamp::Stamp;
use super::walk::Seen;

/// How long a file has to be left alone. A file shows up two seconds after it was written at the latest, and that is
/// this and two looks.
pub(crate) const SETTLE: Duration = Duration::from_secs(1);

/// Files that are waited for, by path.
#[derive(Debug, Default)]
pub(crate) struct Waiting(HashMap<Box<str>, Since>);

#[derive(Debug)]
struct Since {
    stamp: Stamp,
    when: Instant,
}

impl Waiting {
    /// Whether `seen` is complete by now. `closed` says that its writer was seen to close it.
    pub(crate) fn is_complete(&mut self, seen: &Seen, closed: bool, now: SystemTime) -> bool {
        // a clock that is wrong by hours, as on a network drive, must not make a file wait for hours: what counts then
        // is how long it was seen unchanged
        let complete = closed || rested(seen.touched, now) || self.unchanged(seen);
        if complete {
            self.0.remove(&seen.path);
        }
        complete
    }

    fn unchanged(&mut self, seen: &Seen) -> bool {
        let since = || Since { stamp: seen.stamp, when: Instant::now() };
        let known = self.0.entry(seen.path.clone()).or_insert_with(since);
        if known.stamp != seen.stamp {
            *known = since();
        }
        known.when.elapsed() >= SETTLE
    }

    /// Whether one should look again soon.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets those for which `is_there` does not hold.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|path, _| is_there(path));
    }
}

/// Whether a file that was last touched at `touched`, nanoseconds since 1970, has been left alone since.
fn rested(touched: i64, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    u128::try_from(touched).is_ok_and(|touched| now.saturating_sub(touched) >= SETTLE.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn seen(ago: Duration, size: u64) -> Seen {
        let touched = i64::try_from((NOW - ago).as_nanos()).unwrap();
        Seen { path: "a.whl".into(), stamp: Stamp { modified: touched, size, inode: 1 }, touched }
    }

    fn check(seen: &Seen, closed: bool, complete: bool) {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.is_complete(seen, closed, UNIX_EPOCH + NOW), complete, "{seen:?}");
        assert_eq!(waiting.is_empty(), complete);
    }

    #[test]
    fn old_or_closed() {
        check(&seen(SETTLE, 1), false, true);
        check(&seen(SETTLE / 2, 1), false, false);
        check(&seen(SETTLE / 2, 1), true, true);
        check(&Seen { touched: i64::MAX, ..seen(SETTLE, 1) }, false, false);
    }

    #[test]
    fn or_unchanged_for_a_while() {
        let young = |size| Seen { touched: i64::MAX, ..seen(SETTLE, size) };
        let mut waiting = Waiting::default();
        let now = UNIX_EPOCH + NOW;
        assert!(!waiting.is_complete(&young(1), false, now));
        waiting.0.get_mut("a.whl").unwrap().when -= SETTLE;
        assert!(!waiting.is_complete(&young(2), false, now), "it has grown");
        waiting.0.get_mut("a.whl").unwrap().when -= SETTLE;
        assert!(waiting.is_complete(&young(2), false, now));
        assert!(waiting.is_empty());
        assert!(!waiting.is_complete(&young(2), false, now));
        waiting.retain(|_| false);
        assert!(waiting.is_empty());
    }
}
