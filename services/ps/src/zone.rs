//! The time zone that dates are shown in, as tzset(3) finds it: the value of `TZ` is handed in, the files are read here.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::tz::TimeZone;

const LOCAL: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";
/// The largest file of the tz database has 4 KiB.
const LIMIT: u64 = 64 << 10;

/// The zone that `TZ` means; the machine's own if it is not set, and UTC if nothing else is understood.
pub(crate) fn find(tz: Option<&OsStr>) -> TimeZone {
    let Some(tz) = tz else { return file(Path::new(LOCAL)).unwrap_or(TimeZone::UTC) };
    let name = tz.as_bytes().strip_prefix(b":").unwrap_or(tz.as_bytes());
    if name.is_empty() {
        return TimeZone::UTC;
    }
    let named = file(&Path::new(ZONES).join(OsStr::from_bytes(name)));
    let rule = || std::str::from_utf8(name).ok().and_then(|rule| TimeZone::posix(rule).ok());
    named.or_else(rule).unwrap_or(TimeZone::UTC)
}

/// A file of the tz database (RFC 9636).
fn file(path: &Path) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut bytes).ok()?;
    TimeZone::tzif("local", &bytes).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_zone_is_a_rule_or_a_file() {
        let hour = |tz: &str| find(Some(OsStr::new(tz))).to_datetime(Timestamp::UNIX_EPOCH).hour();
        assert_eq!(hour(""), 0);
        assert_eq!(hour("<+05>-5"), 5);
        assert_eq!(hour("JST-9"), 9);
        assert_eq!(hour(":JST-9"), 9);
        assert_eq!(hour("no such zone"), 0);
        assert_eq!(hour("/etc/passwd"), 0);
        assert_eq!(find(Some(OsStr::from_bytes(b"\xff"))), TimeZone::UTC);
        find(None);
    }
}
