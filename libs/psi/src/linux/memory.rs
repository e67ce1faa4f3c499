//! `/proc/meminfo`, `/proc/swaps` and `/proc/vmstat`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::bytes::{lines, number, signed, table, text, words};
use super::mount::unescape;
use super::{read, stat};
use crate::{Error, Memory, Paging, Swap, System};

pub(crate) fn memory(system: &System) -> Result<Memory, Error> {
    let path = system.proc("meminfo");
    parse(&read::file(&path)?).ok_or_else(|| read::malformed(&path, "total"))
}

pub(crate) fn swaps(system: &System) -> Result<Vec<Swap>, Error> {
    let text = read::feature(&system.proc("swaps"), "swap")?;
    Ok(lines(&text).skip(1).filter_map(parse_swap).collect())
}

pub(crate) fn paging(system: &System) -> Result<Paging, Error> {
    Ok(parse_paging(&read::file(&system.proc("vmstat"))?))
}

fn parse(text: &[u8]) -> Option<Memory> {
    let mut memory = Memory::default();
    let mut available = None;
    for (name, value) in table(text) {
        match name {
            b"MemTotal" => memory.total = value,
            b"MemFree" => memory.free = value,
            b"MemAvailable" => available = Some(value),
            b"Buffers" => memory.buffers = value,
            b"Cached" => memory.cached = value,
            b"Shmem" => memory.shared = value,
            b"SReclaimable" => memory.reclaimable = value,
            b"Dirty" => memory.dirty = value,
            b"Writeback" => memory.writeback = value,
            b"Committed_AS" => memory.committed = value,
            b"SwapTotal" => memory.swap_total = value,
            b"SwapFree" => memory.swap_free = value,
            _ => {}
        }
    }
    // before Linux 3.14 the kernel did not estimate it
    let droppable = memory.cached.saturating_sub(memory.shared);
    memory.available =
        available.unwrap_or_else(|| memory.free.saturating_add(memory.buffers).saturating_add(droppable));
    (memory.total > 0).then_some(memory)
}

fn parse_swap(line: &[u8]) -> Option<Swap> {
    let mut words = words(line);
    Some(Swap {
        path: PathBuf::from(OsString::from_vec(unescape(words.next()?))),
        kind: text(words.next()?),
        size: number(words.next()?)?.saturating_mul(1024),
        used: number(words.next()?)?.saturating_mul(1024),
        priority: signed(words.next()?)?,
    })
}

fn parse_paging(text: &[u8]) -> Paging {
    let mut paging = Paging::default();
    for (name, value) in table(text) {
        match name {
            b"pgpgin" => paging.read = value.saturating_mul(1024),
            b"pgpgout" => paging.written = value.saturating_mul(1024),
            b"pswpin" => paging.swapped_in = value.saturating_mul(stat::page_size()),
            b"pswpout" => paging.swapped_out = value.saturating_mul(stat::page_size()),
            b"pgfault" => paging.faults = value,
            b"pgmajfault" => paging.major_faults = value,
            b"oom_kill" => paging.out_of_memory = value,
            _ => {}
        }
    }
    paging
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn old_kernels_do_not_tell_what_is_available() {
        let memory = parse(b"MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\nShmem: 2 kB\n").unwrap();
        assert_eq!((memory.available, memory.used()), (33 * 1024, 67 * 1024));
        assert_eq!(parse(b"MemFree: 10 kB\n"), None);
    }

    #[test]
    fn swaps_have_odd_names() {
        let swap = parse_swap(b"/my\\040swap  file  1024  12  -2").unwrap();
        assert_eq!(swap.path, PathBuf::from("/my swap"));
        assert_eq!((swap.size, swap.used, swap.priority), (1 << 20, 12 << 10, -2));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes), parse_swap(&bytes), parse_paging(&bytes));
        }
    }
}
