//! The time as the tables have it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Of a second.
pub(crate) const SECOND: i64 = 1_000_000;

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}
