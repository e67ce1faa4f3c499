//! `/proc/diskstats`, as `Documentation/admin-guide/iostats.rst` has it.

use std::time::Duration;

use super::bytes::{lines, number, small, text, words};
use super::read;
use crate::{Disk, Error, System};

/// Sectors are counted in this size whatever the device's own is.
const SECTOR: u64 = 512;

pub(crate) fn disks(system: &System) -> Result<Vec<Disk>, Error> {
    let text = read::feature(&system.proc("diskstats"), "disks' work")?;
    let mut disks: Vec<_> = lines(&text).filter_map(parse).collect();
    for disk in &mut disks {
        // a slash in a device's name is an exclamation mark in the folder's
        let folder = disk.name.replace('/', "!");
        disk.partition = system.sys("class/block").join(folder).join("partition").exists();
    }
    Ok(disks)
}

fn parse(line: &[u8]) -> Option<Disk> {
    let mut words = words(line);
    let device = (small(words.next()?)?, small(words.next()?)?);
    let name = text(words.next()?);
    let mut next = || words.next().map_or(Some(0), number);
    let (reads, _, read_sectors, read_time) = (next()?, next()?, next()?, next()?);
    let (writes, _, written_sectors, write_time) = (next()?, next()?, next()?, next()?);
    let (in_flight, busy, _) = (next()?, next()?, next()?);
    let (discards, _, discarded_sectors, _) = (next()?, next()?, next()?, next()?);
    Some(Disk {
        name,
        device,
        partition: false,
        reads,
        read_bytes: read_sectors.saturating_mul(SECTOR),
        read_time: Duration::from_millis(read_time),
        writes,
        written_bytes: written_sectors.saturating_mul(SECTOR),
        write_time: Duration::from_millis(write_time),
        discards,
        discarded_bytes: discarded_sectors.saturating_mul(SECTOR),
        flushes: next()?,
        in_flight,
        busy: Duration::from_millis(busy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn later_columns_may_be_missing() {
        let old = parse(b" 8 0 sda 1 2 3 4 5 6 7 8 9 10 11").unwrap();
        assert_eq!((old.reads, old.read_bytes, old.writes, old.written_bytes), (1, 3 * 512, 5, 7 * 512));
        assert_eq!((old.in_flight, old.busy, old.discards, old.flushes), (9, Duration::from_millis(10), 0, 0));
        let new = parse(b" 8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17").unwrap();
        assert_eq!((new.discards, new.discarded_bytes, new.flushes), (12, 14 * 512, 16));
        assert!(parse(b"8 0").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
