//! The machine's own facts: what it is, when it started, how loaded it is.

use std::ffi::{CStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use super::bytes::{cut, decimal, lines, number, small, words};
use super::read;
use crate::{Arch, Error, Load, System};

/// Clock ticks as time. The unit is fixed for the life of the kernel.
pub(crate) fn ticks(ticks: u64) -> Duration {
    static PER_SECOND: OnceLock<u64> = OnceLock::new();
    let hertz = *PER_SECOND.get_or_init(|| rustix::param::clock_ticks_per_second().max(1));
    let (seconds, rest) = match hertz {
        // what Linux has told programs on every machine for decades: a division by a constant is none
        100 => (ticks / 100, ticks % 100 * 10_000_000),
        _ => (ticks / hertz, (ticks % hertz).saturating_mul(1_000_000_000) / hertz),
    };
    Duration::new(seconds, u32::try_from(rest).unwrap_or(0))
}

pub(crate) fn arch() -> Arch {
    let uname = rustix::system::uname();
    let owned = |text: &CStr| OsString::from_vec(text.to_bytes().to_vec());
    Arch {
        system: owned(uname.sysname()),
        node: owned(uname.nodename()),
        release: owned(uname.release()),
        version: owned(uname.version()),
        machine: owned(uname.machine()),
    }
}

/// The kernel's own boot time. It has whole seconds and moves only when the wall clock is set; `now - uptime` would
/// differ from call to call.
///
/// The file that has it is dear to read, and every process's start is counted from it. So it is read again only when
/// the clock was set: that is when the distance between the two clocks has changed by more than reading them takes.
pub(crate) fn boot_time(system: &System) -> Result<SystemTime, Error> {
    static LAST: Mutex<Option<(i128, SystemTime)>> = Mutex::new(None);
    const SET: u128 = 1_000_000;
    if !system.is_this_machine() {
        return read_boot_time(system);
    }
    let distance = nanoseconds(ClockId::Realtime) - nanoseconds(ClockId::Boottime);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match *last {
        Some((then, time)) if then.abs_diff(distance) < SET => Ok(time),
        _ => {
            let time = read_boot_time(system)?;
            *last = Some((distance, time));
            Ok(time)
        }
    }
}

fn nanoseconds(clock: ClockId) -> i128 {
    let now = clock_gettime(clock);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

fn read_boot_time(system: &System) -> Result<SystemTime, Error> {
    let path = system.proc("stat");
    let text = read::file(&path)?;
    let seconds = lines(&text).find_map(|line| number(line.strip_prefix(b"btime ")?));
    let time = seconds.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    time.ok_or_else(|| read::malformed(&path, "boot time"))
}

pub(crate) fn uptime(system: &System) -> Result<Duration, Error> {
    let path = system.proc("uptime");
    let text = read::file(&path)?;
    let seconds = words(&text).next().and_then(decimal);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| read::malformed(&path, "seconds"))
}

pub(crate) fn load(system: &System) -> Result<Load, Error> {
    let path = system.proc("loadavg");
    let mut load = parse_load(&read::file(&path)?).ok_or_else(|| read::malformed(&path, "three averages"))?;
    if system.is_this_machine() {
        // the file has two digits, the system call sixteen bits, as `getloadavg(3)` has
        load.averages = rustix::system::sysinfo().loads.map(|fixed| fixed as f64 / 65536.0);
    }
    Ok(load)
}

fn parse_load(text: &[u8]) -> Option<Load> {
    let mut words = words(text);
    let averages = [decimal(words.next()?)?, decimal(words.next()?)?, decimal(words.next()?)?];
    let (runnable, entities) = cut(words.next()?, b'/')?;
    Some(Load { averages, runnable: small(runnable)?, entities: small(entities)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn load_is_five_numbers() {
        let load = parse_load(b"0.20 1.50 30.00 3/467 9123\n");
        assert_eq!(load, Some(Load { averages: [0.2, 1.5, 30.0], runnable: 3, entities: 467 }));
    }

    #[test]
    fn ticks_are_hundredths() {
        assert_eq!(ticks(250), Duration::from_millis(2500));
        assert_eq!(ticks(u64::MAX).as_secs(), u64::MAX / 100);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = parse_load(&bytes);
        }
    }
}
