//! File systems and disks.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use psi::{Disk, Error, Mount, Space, System};

use crate::report::Part;
use crate::value::Value;

/// How long a file system may think about its own size: one on a machine that is gone thinks for ever.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn mounts(system: &System) -> Result<Part<'static>, Error> {
    let mounts = system.mounts()?;
    let spaces = spaces(system, &mounts);
    let all = mounts.len();
    let mut silent = Vec::new();
    let mut rows = Vec::new();
    for (mount, space) in mounts.into_iter().zip(spaces) {
        let space = match space {
            Some(Ok(space)) if space.total == 0 => continue,
            Some(space) => space.ok(),
            None => {
                silent.push(crate::text::printable(mount.point.as_os_str().as_encoded_bytes()));
                None
            }
        };
        let size = |of: fn(&Space) -> u64| Value::some(space.as_ref(), |space| Value::Size(of(space)));
        rows.push(vec![
            Value::owned(mount.point),
            Value::owned(mount.kind),
            size(|space| space.total),
            size(|space| space.total.saturating_sub(space.free)),
            size(|space| space.available),
            Value::some(space.as_ref().and_then(Space::used_share), |share| Value::Percent(share * 100.0)),
            Value::some(space.as_ref().and_then(inodes), Value::Percent),
            Value::owned(mount.device),
        ]);
    }
    let mut notes = Vec::new();
    if rows.len() < all {
        notes.push(format!("and {} without a size", all - rows.len()));
    }
    if !silent.is_empty() {
        notes.push(format!("no answer within {} s from {}", PATIENCE.as_secs(), silent.join(", ")));
    }
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    let names = [
        "point",
        "kind~3",
        ">size",
        ">used~2",
        ">available|free",
        ">used_percent|used%",
        ">inodes_percent|inodes%~4",
        "device~5",
    ];
    Ok(Part { note, ..Part::table("mounts", &names, rows) })
}

/// Inodes in use, per cent; none where there is no end of them.
fn inodes(space: &Space) -> Option<f64> {
    let used = space.inodes.saturating_sub(space.free_inodes);
    (space.inodes > 0).then(|| used as f64 / space.inodes as f64 * 100.0)
}

/// The room in each mount; none where it does not answer. Those that may hang are asked beside, each by a thread of its
/// own, which ends with the program whether it was answered or not.
fn spaces(system: &System, mounts: &[Mount]) -> Vec<Option<Result<Space, Error>>> {
    let end = Instant::now() + PATIENCE;
    let asked: Vec<_> = mounts
        .iter()
        .map(|mount| {
            let (answer, answered) = mpsc::channel();
            if may_hang(mount) {
                let (system, mount) = (system.clone(), mount.clone());
                std::thread::spawn(move || answer.send(system.space(&mount)));
            } else {
                // nobody listens for it but us
                let _ = answer.send(system.space(mount));
            }
            answered
        })
        .collect();
    asked
        .into_iter()
        .map(|answered| answered.recv_timeout(end.saturating_duration_since(Instant::now())).ok())
        .collect()
}

/// Whether somebody else than the kernel answers for it.
fn may_hang(mount: &Mount) -> bool {
    mount.is_remote() || mount.kind.as_encoded_bytes().starts_with(b"fuse")
}

pub(super) fn disks(system: &System) -> Result<Part<'static>, Error> {
    let mut idle = 0;
    let mut rows = Vec::new();
    for disk in system.disks()? {
        let Disk {
            name, device: _, partition, reads, read_bytes, read_time, writes, written_bytes, write_time, ..
        } = disk;
        if reads == 0 && writes == 0 {
            idle += 1;
            continue;
        }
        rows.push(vec![
            Value::owned(name),
            Value::Word(if partition { "partition" } else { "disk" }),
            Value::Count(reads),
            Value::Size(read_bytes),
            Value::Time(read_time),
            Value::Count(writes),
            Value::Size(written_bytes),
            Value::Time(write_time),
            Value::Time(disk.busy),
            Value::Count(disk.in_flight),
        ]);
    }
    let note = (idle > 0).then(|| format!("and {idle} that have done nothing"));
    let names = [
        "name",
        "kind~5",
        ">reads~3",
        ">read_bytes|read",
        ">read_time|rtime~4",
        ">writes~3",
        ">written_bytes|written",
        ">write_time|wtime~4",
        ">busy_time|busy",
        ">in_flight~5",
    ];
    Ok(Part { note, ..Part::table("disks", &names, rows) })
}
