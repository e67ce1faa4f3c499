//! `/proc/PID/status` and the other many-line files of a process.

use super::bytes::{number, small, table, words};
use crate::{Ids, Io, MemoryDetail, Switches};

/// What `status` tells beyond `stat`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    pub(crate) ids: Option<Ids>,
    /// The process that this is a thread of: itself, unless a thread's number was looked at.
    pub(crate) leader: Option<u32>,
    /// Absent for kernel threads and zombies, which have no memory.
    pub(crate) swap: Option<u64>,
    pub(crate) switches: Switches,
}

pub(crate) fn parse(text: &[u8]) -> Status {
    let mut status = Status::default();
    let (mut uids, mut gids) = (None, None);
    // the name in the first line is escaped by the kernel: a newline in it cannot make a line
    for line in super::bytes::lines(text) {
        let mut words = words(line);
        match words.next() {
            Some(b"Tgid:") => status.leader = words.next().and_then(small),
            Some(b"Uid:") => uids = three(words),
            Some(b"Gid:") => gids = three(words),
            Some(b"VmSwap:") => status.swap = words.next().and_then(number).map(|size| size.saturating_mul(1024)),
            Some(b"voluntary_ctxt_switches:") => status.switches.voluntary = count(words.next()),
            Some(b"nonvoluntary_ctxt_switches:") => status.switches.involuntary = count(words.next()),
            _ => {}
        }
    }
    status.ids = uids.zip(gids).map(|(uids, gids)| Ids {
        real_uid: uids.0,
        effective_uid: uids.1,
        saved_uid: uids.2,
        real_gid: gids.0,
        effective_gid: gids.1,
        saved_gid: gids.2,
    });
    status
}

/// How many process namespaces lie between the reader and the process: 1 if they share one.
pub(crate) fn namespaces(text: &[u8]) -> Option<usize> {
    super::bytes::lines(text).find_map(|line| Some(words(line.strip_prefix(b"NSpid:")?).count()))
}

pub(crate) fn io(text: &[u8]) -> Io {
    let mut io = Io::default();
    for (name, value) in table(text) {
        match name {
            b"rchar" => io.read_chars = value,
            b"wchar" => io.written_chars = value,
            b"syscr" => io.read_calls = value,
            b"syscw" => io.write_calls = value,
            b"read_bytes" => io.read_bytes = value,
            b"write_bytes" => io.written_bytes = value,
            _ => {}
        }
    }
    io
}

/// `smaps_rollup`. None for a process without memory, whose file is empty.
pub(crate) fn memory(text: &[u8]) -> Option<MemoryDetail> {
    let mut found = false;
    let mut memory = MemoryDetail::default();
    for (name, value) in table(text) {
        match name {
            b"Pss" => {
                memory.proportional = value;
                found = true;
            }
            b"Private_Clean" | b"Private_Dirty" => memory.unique = memory.unique.saturating_add(value),
            b"SwapPss" => memory.swapped = value,
            _ => {}
        }
    }
    found.then_some(memory)
}

/// The path in the unified hierarchy; where processes are still kept in the old ones, the service manager's.
pub(crate) fn cgroup(text: &[u8]) -> Option<&[u8]> {
    let path = |line: &'_ [u8]| -> Option<(bool, usize)> {
        let (_, rest) = super::bytes::cut(line, b':')?;
        let (controllers, path) = super::bytes::cut(rest, b':')?;
        matches!(controllers, b"" | b"name=systemd").then_some((controllers.is_empty(), line.len() - path.len()))
    };
    let mut best: Option<&[u8]> = None;
    for line in super::bytes::lines(text) {
        if let Some((unified, at)) = path(line) {
            let found = line.get(at..)?;
            // in the hybrid set-up both are there, and the one that is used is longer than the root
            if best.is_none_or(|best| best == b"/" || (unified && found != b"/")) {
                best = Some(found);
            }
        }
    }
    best
}

fn three<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<(u32, u32, u32)> {
    let mut next = || words.next().and_then(small);
    Some((next()?, next()?, next()?))
}

fn count(word: Option<&[u8]>) -> u64 {
    word.and_then(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn status_has_every_number() {
        let status = parse(
            b"Name:\tevil\\nUid:\t9 9 9\nTgid:\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nVmSwap:\t  12 kB\n\
              voluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n",
        );
        let ids = Ids { real_uid: 1, effective_uid: 2, saved_uid: 3, real_gid: 5, effective_gid: 6, saved_gid: 7 };
        assert_eq!(status.ids, Some(ids));
        assert_eq!((status.leader, status.swap), (Some(7), Some(12 * 1024)));
        assert_eq!(status.switches, Switches { voluntary: 3, involuntary: 4 });
    }

    #[test]
    fn the_hierarchy_in_use_is_chosen() {
        let check =
            |text: &str, expected: &str| assert_eq!(cgroup(text.as_bytes()), Some(expected.as_bytes()), "{text}");
        check("0::/system.slice/a.service\n", "/system.slice/a.service");
        check("9:name=systemd:/\n4:memory:/x\n0::/\n", "/");
        check("1:name=systemd:/system.slice/a.service\n0::/\n", "/system.slice/a.service");
        check("1:name=systemd:/\n0::/a:b\n", "/a:b");
        assert_eq!(cgroup(b"4:memory:/x\n"), None);
    }

    #[test]
    fn memory_of_nothing_is_none() {
        assert_eq!(memory(b""), None);
        let text = b"00400000-7ffe ---p 00000000 00:00 0 [rollup]\nRss: 9 kB\nPss: 4 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\nSwapPss: 0 kB\n";
        assert_eq!(memory(text), Some(MemoryDetail { proportional: 4096, unique: 3072, swapped: 0 }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes), namespaces(&bytes), io(&bytes), memory(&bytes), cgroup(&bytes));
        }
    }
}
