//! One process: its summary, and the files that the asked fields need.
//!
//! Everything beyond the summary is read below one descriptor of the process's folder. That descriptor belongs to the
//! process and not to its number, so a snapshot can never be sewn together from two processes.

use std::ffi::{CStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::read::{failed, malformed, open_at, read_at};
use super::{stat, status};
use crate::{Attr, Error, Fields, Ids, Missing, Owner, Process, Strings, System};

/// A summary is at most 52 numbers of 20 digits and a name of 64 bytes.
pub(super) const LINE: usize = 2048;

/// Why a process could not be read.
#[derive(Debug)]
pub(super) enum Gone {
    /// It has ended.
    Vanished,
    /// It is there, but hidden from us (the proc file system is mounted with `hidepid`).
    Hidden,
    /// Its summary is none.
    Malformed,
    /// Something that concerns the reader, not the process.
    Failed(Errno),
}

impl From<Errno> for Gone {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT | Errno::SRCH => Self::Vanished,
            Errno::ACCESS | Errno::PERM => Self::Hidden,
            error => Self::Failed(error),
        }
    }
}

pub(crate) fn process(system: &System, pid: u32, fields: Fields) -> Result<Process, Error> {
    let path = system.proc(pid.to_string());
    let mut buffer = Vec::new();
    // whether the number is a process's or only a thread's stands beside the user numbers
    let read = |buffer: &mut Vec<u8>| -> Result<Process, Gone> {
        let folder = openat(rustix::fs::CWD, &path, FOLDER, Mode::empty())?;
        snapshot(folder.as_fd(), fields | Fields::IDS, buffer)
    };
    match read(&mut buffer) {
        Ok(process) if process.pid() == pid => Ok(process),
        Ok(_) | Err(Gone::Vanished) => Err(Error::NoSuchProcess { pid }),
        Err(Gone::Hidden) => Err(Error::Denied { what: "look at", pid }),
        Err(Gone::Malformed) => Err(malformed(&path.join("stat"), "process")),
        Err(Gone::Failed(error)) => Err(failed(path)(error)),
    }
}

pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Reads a process through its folder.
pub(super) fn snapshot(folder: BorrowedFd<'_>, fields: Fields, buffer: &mut Vec<u8>) -> Result<Process, Gone> {
    let file = open_at(folder, c"stat")?;
    let mut process = summary(file.as_fd())?;
    drop(file);
    let mut reader = Reader { folder, buffer, doubtful: false, leader: process.pid() };
    reader.fill(&mut process, fields);
    if reader.leader != process.pid() {
        return Err(Gone::Vanished);
    }
    if reader.doubtful {
        // something that this process should have was not there: has it ended meanwhile?
        process.state = summary(open_at(folder, c"stat")?.as_fd())?.state;
    }
    Ok(process)
}

/// Reads the summary from the start of an open `stat` file.
pub(super) fn summary(file: BorrowedFd<'_>) -> Result<Process, Gone> {
    let mut line = [MaybeUninit::uninit(); LINE];
    let (line, _) = rustix::io::pread(file, &mut line, 0)?;
    match &*line {
        // a process that ends while it is read has nothing to say
        [] => Err(Gone::Vanished),
        // and one that was reaped in this moment has a line, but no threads, group or session any more
        line => stat::parse(line).ok_or(Gone::Malformed).and_then(|process| match process.threads {
            0 => Err(Gone::Vanished),
            _ => Ok(process),
        }),
    }
}

struct Reader<'a> {
    folder: BorrowedFd<'a>,
    buffer: &'a mut Vec<u8>,
    /// Something was missing that a living process has.
    doubtful: bool,
    leader: u32,
}

impl Reader<'_> {
    fn fill(&mut self, process: &mut Process, fields: Fields) {
        // what has no memory has no arguments, environment or executable, and its files say so in many ways
        let empty = process.kernel || matches!(process.state, crate::State::Zombie | crate::State::Dead);
        if fields.has(Fields::IDS) {
            self.status(process, empty);
        }
        if fields.has(Fields::OWNER) {
            process.owner = match process.ids {
                Ok(Ids { effective_uid: uid, effective_gid: gid, .. }) => Ok(Owner { uid, gid }),
                Err(_) => self.owner(),
            };
        }
        if fields.has(Fields::ARGS) {
            process.args = if empty { Ok(Strings::default()) } else { self.file(c"cmdline").map(arguments) };
        }
        if fields.has(Fields::ENV) {
            process.env = if empty { Err(Missing::Absent) } else { self.file(c"environ").map(Strings::new) };
        }
        if fields.has(Fields::EXE) {
            process.exe = if empty { Err(Missing::Absent) } else { self.link(c"exe") };
        }
        if fields.has(Fields::CWD) {
            process.cwd = if empty && !process.kernel { Err(Missing::Absent) } else { self.cwd() };
        }
        if fields.has(Fields::CGROUP) {
            process.cgroup = self.feature(c"cgroup").and_then(|text| {
                let path = status::cgroup(&text).ok_or(Missing::Absent)?;
                Ok(PathBuf::from(OsString::from_vec(path.to_vec())))
            });
        }
        if fields.has(Fields::IO) {
            process.io = self.feature(c"io").map(|text| status::io(&text));
        }
        if fields.has(Fields::FILES) {
            process.files = self.files();
        }
        if fields.has(Fields::MEMORY) {
            process.memory = if empty {
                Err(Missing::Absent)
            } else {
                self.feature(c"smaps_rollup").and_then(|text| status::memory(&text).ok_or(Missing::Absent))
            };
        }
    }

    fn status(&mut self, process: &mut Process, empty: bool) {
        let status = match self.file(c"status") {
            Ok(text) => status::parse(&text),
            Err(missing) => {
                (process.ids, process.swap, process.switches) = (Err(missing), Err(missing), Err(missing));
                return;
            }
        };
        self.leader = status.leader.unwrap_or(self.leader);
        process.ids = status.ids.ok_or(Missing::Absent);
        process.swap = status.swap.ok_or(if empty { Missing::Absent } else { Missing::Platform });
        process.switches = Ok(status.switches);
    }

    /// The folder's own owner is the effective user, also where the files below it are root's because the program
    /// must not be looked into.
    fn owner(&mut self) -> Attr<Owner> {
        let found = fstat(self.folder).map(|stat| Owner { uid: stat.st_uid, gid: stat.st_gid });
        self.attr(found)
    }

    fn file(&mut self, name: &CStr) -> Attr<Vec<u8>> {
        let read = read_at(self.folder, name, self.buffer);
        self.attr(read).map(|()| self.buffer.clone())
    }

    /// A file that only some kernels have.
    fn feature(&mut self, name: &CStr) -> Attr<Vec<u8>> {
        match read_at(self.folder, name, self.buffer) {
            Err(Errno::NOENT) => {
                self.doubtful = true;
                Err(Missing::Platform)
            }
            read => self.attr(read).map(|()| self.buffer.clone()),
        }
    }

    fn link(&mut self, name: &CStr) -> Attr<PathBuf> {
        let target = readlinkat(self.folder, name, Vec::new());
        self.attr(target).map(|target| PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// A folder that was removed while the process stood in it has no name any more; the kernel shows the old one
    /// with a mark. A folder that is really called so has links, a removed one has none.
    fn cwd(&mut self) -> Attr<PathBuf> {
        let path = self.link(c"cwd")?;
        let marked = path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)");
        let removed = marked && statat(self.folder, c"cwd", AtFlags::empty()).is_ok_and(|stat| stat.st_nlink == 0);
        if removed { Err(Missing::Absent) } else { Ok(path) }
    }

    /// Kernels from 6.2 on tell the number as the folder's size; in older ones the size is 0 and the names are
    /// counted.
    fn files(&mut self) -> Attr<u32> {
        let told = statat(self.folder, c"fd", AtFlags::empty()).ok().and_then(|stat| u32::try_from(stat.st_size).ok());
        if let Some(told) = told.filter(|told| *told > 0) {
            return Ok(told);
        }
        let counted = super::scan::names(self.folder, c"fd").map(|names| names.len());
        self.attr(counted).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn attr<T>(&mut self, result: Result<T, Errno>) -> Attr<T> {
        result.map_err(|error| match error {
            Errno::ACCESS | Errno::PERM => Missing::Denied,
            Errno::SRCH | Errno::NOENT => {
                self.doubtful = true;
                Missing::Absent
            }
            _ => Missing::Absent,
        })
    }
}

/// A command line as the kernel keeps it. A program that writes a title over its arguments (`nginx: worker process`)
/// leaves a tail of zeros behind it that are no arguments.
fn arguments(mut block: Vec<u8>) -> Strings {
    let end = block.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let title = block.get(..end).is_some_and(|text| !text.contains(&0) && text.contains(&b' '));
    if title {
        block.truncate(end);
    }
    Strings::new(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, expected: &[&str]) {
        assert_eq!(arguments(block.as_bytes().to_vec()).iter().collect::<Vec<_>>(), expected, "{block:?}");
    }

    #[test]
    fn a_title_has_no_empty_arguments() {
        check("sh\0-c\0\0", &["sh", "-c", ""]);
        check("sh\0\0\0", &["sh", "", ""]);
        check("nginx: worker process\0\0\0\0", &["nginx: worker process"]);
        check("xx\0", &["xx"]);
        check("", &[]);
        check("\0\0\0", &["", "", ""]);
    }
}
