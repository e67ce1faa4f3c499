//! `/proc/PID/stat`: the one line that every look at a process needs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::bytes::{cut, cut_last, number, signed, small};
use super::time::ticks;
use crate::{Id, Process, State};

/// The kernel's mark of its own threads (`PF_KTHREAD`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Takes the line apart. The name stands in parentheses and may hold anything, parentheses, blanks and newlines
/// included; the numbers after it hold none, so the last parenthesis ends it.
pub(crate) fn parse(line: &[u8]) -> Option<Process> {
    let (head, tail) = cut_last(line, b')')?;
    let (pid, name) = cut(head, b'(')?;
    let pid = small(pid.strip_suffix(b" ")?)?;
    let mut words = super::bytes::words(tail);
    let mut word = || words.next();

    let state = State::from_letter(*word()?.first()?);
    let parent = small(word()?)?;
    // -1 once the process has been reaped
    let (group, session) = (signed(word()?)?, signed(word()?)?);
    // a device number is unsigned, but older kernels print it with a sign
    let terminal = signed(word()?)?;
    let _foreground = word()?;
    let flags = number(word()?)?;
    let minor_faults = number(word()?)?;
    let _ = word()?;
    let major_faults = number(word()?)?;
    let _ = word()?;
    let (user, system) = (number(word()?)?, number(word()?)?);
    let children = signed(word()?)?.saturating_add(signed(word()?)?);
    let (priority, nice) = (signed(word()?)?, signed(word()?)?);
    let threads = small(word()?)?;
    let _timer = word()?;
    let start = number(word()?)?;
    let (virtual_size, resident_pages) = (number(word()?)?, signed(word()?)?);

    // limit, addresses, signals, exit signal: fields 25 to 38
    let mut rest = words.skip(14);
    let mut later = || rest.next().and_then(small).unwrap_or(0);
    let (processor, realtime) = (later(), later());

    let mut process = Process::bare(Id { pid, start });
    process.parent = parent;
    process.group = u32::try_from(group).unwrap_or(0);
    process.session = u32::try_from(session).unwrap_or(0);
    process.terminal = u32::try_from(terminal & i64::from(u32::MAX)).unwrap_or(0);
    process.name = OsString::from_vec(name.to_vec());
    process.state = state;
    process.kernel = flags & KERNEL_THREAD != 0;
    process.flags = flags;
    process.threads = threads;
    process.nice = i32::try_from(nice).ok()?;
    process.priority = i32::try_from(priority).ok()?;
    process.realtime = realtime;
    process.processor = processor;
    process.user_time = ticks(user);
    process.system_time = ticks(system);
    process.children_time = u64::try_from(children).map_or(Duration::ZERO, ticks);
    process.faults = (minor_faults, major_faults);
    process.virtual_size = virtual_size;
    process.resident_size = u64::try_from(resident_pages).unwrap_or(0).saturating_mul(page_size());
    Some(process)
}

/// Only number and start.
pub(crate) fn identity(line: &[u8]) -> Option<Id> {
    let (head, tail) = cut_last(line, b')')?;
    let pid = small(cut(head, b'(')?.0.strip_suffix(b" ")?)?;
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
