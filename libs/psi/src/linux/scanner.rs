//! Repeated scans: the summaries stay open from one scan to the next, which saves the two dearest of the three system
//! calls per process. A descriptor belongs to its process and not to the number, so a number that is used again is
//! noticed by the kernel and not by us.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::process::{Gone, snapshot};
use super::read::failed;
use super::scan::{add, light, list, open_folder, open_root, open_stat, read_light};
use crate::{Error, Fields, Process, System, Table};

/// Scans again and again, and keeps a descriptor per process meanwhile: at most half of what the process may have
/// open (`RLIMIT_NOFILE`). Processes beyond that are opened and closed as in a single scan.
#[derive(Debug)]
pub struct Scanner {
    system: System,
    fields: Fields,
    root: OwnedFd,
    /// By ascending number.
    kept: Vec<Kept>,
    most: usize,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    pid: u32,
    /// The summary, or the folder where more than the summary is asked for.
    file: OwnedFd,
}

impl Scanner {
    pub(crate) fn new(system: &System, fields: Fields) -> Result<Self, Error> {
        let root = open_root(system)?;
        let most = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit / 2).ok());
        Ok(Self {
            system: system.clone(),
            fields,
            root,
            kept: Vec::new(),
            most: most.unwrap_or(usize::MAX),
            buffer: Vec::new(),
        })
    }

    /// Keeps at most so many descriptors.
    pub fn keep(mut self, most: usize) -> Self {
        self.most = most;
        self.kept.truncate(most);
        self
    }

    /// How many descriptors are kept now, beside the one of the proc file system.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Reads the table as it is now.
    pub fn scan(&mut self) -> Result<Table, Error> {
        let pids = list(self.root.as_fd()).map_err(failed(self.system.proc("")))?;
        let mut table = Table { processes: Vec::with_capacity(pids.len()), ..Table::default() };
        let mut old = std::mem::take(&mut self.kept).into_iter().peekable();
        for pid in pids {
            while old.next_if(|kept| kept.pid < pid).is_some() {}
            let kept = old.next_if(|kept| kept.pid == pid);
            let mut found = self.process(pid, kept.map(|kept| kept.file));
            if matches!(found, Err(Gone::Failed(Errno::MFILE | Errno::NFILE))) {
                // what is kept here is what others lack
                self.most = self.kept.len() / 2;
                self.kept.clear();
                old = Vec::new().into_iter().peekable();
                found = self.process(pid, None);
            }
            add(&mut table, found, pid, &self.system)?;
        }
        Ok(table)
    }

    fn process(&mut self, pid: u32, kept: Option<OwnedFd>) -> Result<Process, Gone> {
        if let Some(file) = kept {
            match self.read(pid, &file) {
                // ended: the number may belong to a new process already
                Err(Gone::Vanished) => {}
                found => {
                    self.kept.push(Kept { pid, file });
                    return found;
                }
            }
        }
        let root = self.root.as_fd();
        let file = if light(self.fields) { open_stat(root, pid)? } else { open_folder(root, pid)? };
        let found = self.read(pid, &file)?;
        if self.kept.len() < self.most {
            self.kept.push(Kept { pid, file });
        }
        Ok(found)
    }

    fn read(&mut self, pid: u32, file: &OwnedFd) -> Result<Process, Gone> {
        if light(self.fields) {
            read_light(self.root.as_fd(), pid, file.as_fd(), self.fields)
        } else {
            snapshot(file.as_fd(), self.fields, &mut self.buffer)
        }
    }
}
