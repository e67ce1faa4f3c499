//! The time as the tables and the pages have it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// Such a time as RFC 3339 has it.
pub(crate) fn rfc3339<S: serde::Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    match opsctl_dist::simple::UploadTime::from_micros(*micros) {
        Ok(time) => serializer.collect_str(&time),
        Err(error) => Err(serde::ser::Error::custom(error)),
    }
}
