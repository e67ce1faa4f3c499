//! All processes at once. The scan is built for its floor, which is opening, reading and closing one small file per
//! process: one descriptor of the proc file system, names made on the stack, one line buffer, nothing read that was
//! not asked for.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, RawDir, SeekFrom, openat, seek, statat};
use rustix::io::Errno;

use super::bytes::small;
use super::process::{FOLDER, Gone, snapshot, summary};
use super::read::{failed, malformed, open_at};
use crate::{Error, Fields, Owner, Process, System, Table};

/// How much of a folder is listed per system call.
const LISTING: usize = 32 << 10;

pub(crate) fn pids(system: &System) -> Result<Vec<u32>, Error> {
    list(open_root(system)?.as_fd()).map_err(failed(system.proc("")))
}

pub(crate) fn scan(system: &System, fields: Fields) -> Result<Table, Error> {
    let root = open_root(system)?;
    let pids = list(root.as_fd()).map_err(failed(system.proc("")))?;
    let mut table = Table { processes: Vec::with_capacity(pids.len()), ..Table::default() };
    let mut buffer = Vec::new();
    for pid in pids {
        let found = if light(fields) {
            open_stat(root.as_fd(), pid).and_then(|stat| read_light(root.as_fd(), pid, stat.as_fd(), fields))
        } else {
            open_folder(root.as_fd(), pid).and_then(|folder| snapshot(folder.as_fd(), fields, &mut buffer))
        };
        add(&mut table, found, pid, system)?;
    }
    Ok(table)
}

/// Opens the summary of a process.
pub(super) fn open_stat(root: BorrowedFd<'_>, pid: u32) -> Result<OwnedFd, Gone> {
    Ok(open_at(root, Name::stat(pid).as_c_str())?)
}

/// Opens the folder of a process.
pub(super) fn open_folder(root: BorrowedFd<'_>, pid: u32) -> Result<OwnedFd, Gone> {
    Ok(openat(root, Name::folder(pid).as_c_str(), FOLDER, Mode::empty())?)
}

/// Whether the summary and the folder's owner are all that is asked for.
pub(super) fn light(fields: Fields) -> bool {
    Fields::OWNER.has(fields)
}

/// Reads a process through its open summary. The owner is looked up by number, but before the summary is read: if
/// that works, the process was alive and the number was its own.
pub(super) fn read_light(
    root: BorrowedFd<'_>,
    pid: u32,
    stat: BorrowedFd<'_>,
    fields: Fields,
) -> Result<Process, Gone> {
    let owner = match fields.has(Fields::OWNER) {
        true => Some(statat(root, Name::folder(pid).as_c_str(), AtFlags::empty())?),
        false => None,
    };
    let mut process = summary(stat)?;
    if let Some(owner) = owner {
        process.owner = Ok(Owner { uid: owner.st_uid, gid: owner.st_gid });
    }
    Ok(process)
}

/// Puts what was found into the table.
pub(super) fn add(table: &mut Table, found: Result<Process, Gone>, pid: u32, system: &System) -> Result<(), Error> {
    match found {
        Ok(process) => table.processes.push(process),
        Err(Gone::Vanished) => table.vanished += 1,
        Err(Gone::Hidden) => table.hidden += 1,
        Err(Gone::Malformed) => return Err(malformed(&system.proc(format!("{pid}/stat")), "process")),
        Err(Gone::Failed(error)) => return Err(failed(system.proc(pid.to_string()))(error)),
    }
    Ok(())
}

pub(super) fn open_root(system: &System) -> Result<OwnedFd, Error> {
    let path = system.proc("");
    openat(rustix::fs::CWD, &path, FOLDER, Mode::empty()).map_err(failed(path))
}

/// The numbers of all processes, ascending.
pub(super) fn list(root: BorrowedFd<'_>) -> Result<Vec<u32>, Errno> {
    let mut pids = Vec::new();
    each(root, |name| pids.extend(small(name)))?;
    // the kernel lists them so already; another folder may not
    pids.sort_unstable();
    Ok(pids)
}

/// The names of all entries of a folder that are numbers.
pub(super) fn names(folder: BorrowedFd<'_>, name: &CStr) -> Result<Vec<u32>, Errno> {
    list(openat(folder, name, FOLDER, Mode::empty())?.as_fd())
}

fn each(folder: BorrowedFd<'_>, mut entry: impl FnMut(&[u8])) -> Result<(), Errno> {
    // a folder that is kept open goes on where its last listing ended
    seek(folder, SeekFrom::Start(0))?;
    let mut buffer = [MaybeUninit::uninit(); LISTING];
    let mut listing = RawDir::new(folder, &mut buffer);
    while let Some(found) = listing.next() {
        entry(found?.file_name().to_bytes());
    }
    Ok(())
}

/// `PID` or `PID/stat`, made without an allocation.
pub(super) struct Name {
    bytes: [u8; 24],
    start: usize,
}

impl Name {
    /// Room for the longest number.
    const DIGITS: usize = 10;

    /// The folder of a process.
    pub(super) fn folder(pid: u32) -> Self {
        let (mut bytes, mut start, mut rest) = ([0; 24], Self::DIGITS, pid);
        loop {
            start -= 1;
            bytes[start] = b"0123456789"[(rest % 10) as usize];
            rest /= 10;
            if rest == 0 {
                return Self { bytes, start };
            }
        }
    }

    /// The summary of a process.
    pub(super) fn stat(pid: u32) -> Self {
        let mut name = Self::folder(pid);
        name.bytes[Self::DIGITS..Self::DIGITS + 5].copy_from_slice(b"/stat");
        name
    }

    pub(super) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes[self.start..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers() {
        for pid in [0, 1, 9, 10, 4_194_304, u32::MAX] {
            assert_eq!(Name::folder(pid).as_c_str().to_bytes(), pid.to_string().as_bytes());
            assert_eq!(Name::stat(pid).as_c_str().to_bytes(), format!("{pid}/stat").as_bytes());
        }
    }
}
