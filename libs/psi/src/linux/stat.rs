//! `/proc/PID/stat`: the one line that every look at a process needs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::bytes::{cut, number, small};
use super::time::ticks;
use crate::{Id, Process, State};

/// The kernel's mark of its own threads (`PF_KTHREAD`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Takes the line apart. The name stands in parentheses and may hold anything, parentheses, blanks and newlines
/// included; the numbers after it hold none, so the last parenthesis ends it.
pub(crate) fn parse(line: &[u8]) -> Option<Process> {
    let (pid, name, tail) = split(line)?;
    let (letter, numbers) = tail.strip_prefix(b" ")?.split_first()?;
    let mut numbers = Numbers(numbers);
    let mut next = || numbers.next();

    let parent = next()?;
    // -1 once the process has been reaped
    let (group, session) = (next()?, next()?);
    let (terminal, _foreground, flags) = (next()?, next()?, next()?);
    let (minor_faults, _, major_faults, _) = (next()?, next()?, next()?, next()?);
    let (user, system, children_user, children_system) = (next()?, next()?, next()?, next()?);
    let (priority, nice, threads, _timer) = (next()?, next()?, next()?, next()?);
    let (start, virtual_size, resident_pages) = (next()?, next()?, next()?);
    // limit, addresses, signals, exit signal: fields 25 to 38
    numbers.skip(14);
    let (processor, realtime) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));

    let mut process = Process::bare(Id { pid, start: count(start) });
    process.parent = u32::try_from(parent).ok()?;
    process.group = u32::try_from(group).unwrap_or(0);
    process.session = u32::try_from(session).unwrap_or(0);
    // a device number is unsigned, but older kernels print it with a sign
    process.terminal = u32::try_from(terminal & i64::from(u32::MAX)).unwrap_or(0);
    process.name = OsString::from_vec(name.to_vec());
    process.state = State::from_letter(*letter);
    process.flags = count(flags);
    process.kernel = process.flags & KERNEL_THREAD != 0;
    process.threads = u32::try_from(threads).ok()?;
    process.nice = i32::try_from(nice).ok()?;
    process.priority = i32::try_from(priority).ok()?;
    process.realtime = u32::try_from(realtime).unwrap_or(0);
    process.processor = u32::try_from(processor).unwrap_or(0);
    process.user_time = ticks(count(user));
    process.system_time = ticks(count(system));
    process.children_time = ticks(count(children_user.saturating_add(children_system)));
    process.faults = (count(minor_faults), count(major_faults));
    process.virtual_size = count(virtual_size);
    process.resident_size = count(resident_pages).saturating_mul(page_size());
    Some(process)
}

/// Numbers with one blank before each. This is where a scan spends what time it does not spend in the kernel, so it
/// goes over the line once.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    /// The next number. One that does not fit is as large as there are: the kernel says so of things without a limit.
    #[inline]
    fn next(&mut self) -> Option<i64> {
        let rest = self.0.strip_prefix(b" ")?;
        let (negative, rest) = match rest {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut sum = 0i64;
        let mut length = 0;
        for byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            sum = sum.saturating_mul(10).saturating_add(i64::from(digit));
            length += 1;
        }
        let rest = rest.get(length..)?;
        if length == 0 || !matches!(rest, [] | [b' ' | b'\n', ..]) {
            return None;
        }
        self.0 = rest;
        Some(if negative { -sum } else { sum })
    }

    /// Leaves numbers out.
    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            let end = self.0.iter().skip(1).position(|byte| *byte == b' ').map_or(self.0.len(), |at| at + 1);
            self.0 = self.0.get(end..).unwrap_or_default();
        }
    }
}

/// What the kernel counts is never negative, whatever a file says.
fn count(number: i64) -> u64 {
    number.max(0).unsigned_abs()
}

/// Number, name, and what stands behind them. The kernel cuts a name at 64 bytes, so its end need not be looked for from
/// the end of the line.
fn split(line: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    const REACH: usize = "4294967295 (".len() + 64 + ")".len();
    let near = line.get(..REACH).unwrap_or(line);
    let end = near.iter().rposition(|byte| *byte == b')')?;
    let (pid, name) = cut(line.get(..end)?, b'(')?;
    Some((small(pid.strip_suffix(b" ")?)?, name, line.get(end + 1..)?))
}

/// Only number and start.
pub(crate) fn identity(line: &[u8]) -> Option<Id> {
    let (pid, _, tail) = split(line)?;
    let start = number(super::bytes::words(tail).nth(19)?)?;
    Some(Id { pid, start })
}

pub(crate) fn page_size() -> u64 {
    u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAIL: &str = " S 5 7 8 34816 -1 4194560 11 12 13 14 15 16 17 18 -43 -7 3 0 4711 8192 2 18446744073709551615 \
                        1 1 0 0 0 0 0 4096 81922 0 0 0 17 1 42 1 0 0 0 0 0 0 0 0 0 0 0\n";

    fn check(name: &str) {
        let process = parse(format!("42 ({name}){TAIL}").as_bytes()).expect("a process");
        assert_eq!(process.id, Id { pid: 42, start: 4711 });
        assert_eq!(Some(process.id), identity(format!("42 ({name}){TAIL}").as_bytes()));
        assert_eq!(process.name, *name);
        assert_eq!((process.parent, process.group, process.session, process.terminal), (5, 7, 8, 34816));
        assert_eq!((process.priority, process.nice, process.realtime, process.processor), (-43, -7, 42, 1));
        assert_eq!((process.faults, process.threads, process.kernel), ((11, 13), 3, false));
        assert_eq!((process.virtual_size, process.resident_size), (8192, 2 * page_size()));
        assert_eq!((process.user_time, process.system_time), (ticks(15), ticks(16)));
        assert_eq!(process.children_time, ticks(35));
    }

    #[test]
    fn a_name_may_hold_anything() {
        for name in
            ["sh", ":-) 1 2 3", "a) R 1 (b", "(", ")", "", "new\nline", "42 (sh) S 1", "kworker/u8:1-events_unbound"]
        {
            check(name);
        }
    }

    #[test]
    fn a_reaped_process_has_no_threads() {
        let line = format!("42 (sh){TAIL}").replace(" 7 8 ", " -1 -1 ").replace(" -7 3 ", " -7 0 ");
        let process = parse(line.as_bytes()).expect("a process");
        assert_eq!((process.group, process.session, process.threads), (0, 0, 0));
    }

    #[test]
    fn a_cut_line_is_no_process() {
        let line = format!("42 (sh){TAIL}");
        let resident = line.find(" 8192 2").unwrap() + " 8192".len();
        for end in 0..resident {
            assert!(parse(&line.as_bytes()[..end]).is_none(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, name: Vec<u8>, numbers: Vec<i64>) {
            let _ = (parse(&bytes), identity(&bytes));
            let numbers = numbers.iter().map(|number| format!(" {number}")).collect::<String>();
            let line = [b"1 (", &name[..], b") R", numbers.as_bytes()].concat();
            let _ = (parse(&line), identity(&line));
        }
    }
}
