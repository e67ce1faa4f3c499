//! Reading kernel files: they have no size, may end early, and may be endless where something is broken.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;

use crate::Error;

/// No file that is read whole may be larger: the table of a million sockets is 150 MB.
const LIMIT: u64 = 256 << 20;

/// Reads a file whole, after opening it below `folder`. `into` is emptied first and keeps its room.
pub(crate) fn read_at(folder: impl AsFd, name: impl Arg, into: &mut Vec<u8>) -> Result<(), Errno> {
    let file = open_at(folder, name)?;
    read_to_end(&file, into)
}

/// Opens a file below `folder` for reading.
pub(crate) fn open_at(folder: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Reads what is left of a file.
pub(crate) fn read_to_end(file: impl AsFd, into: &mut Vec<u8>) -> Result<(), Errno> {
    into.clear();
    let mut room = 4096;
    loop {
        into.reserve(room);
        let read = retry_on_intr(|| rustix::io::read(&file, spare_capacity(into)))?;
        if read == 0 {
            return Ok(());
        }
        if u64::try_from(into.len()).is_ok_and(|length| length > LIMIT) {
            return Err(Errno::FBIG);
        }
        room = into.len().max(4096);
    }
}

/// Reads a file whole.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(LIMIT).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    read().map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Reads a file that this kernel may not have, or may not let us read: then it is none.
pub(crate) fn optional(path: &Path) -> Option<Vec<u8>> {
    file(path).ok()
}

/// Reads a file that only some kernels have: where it is missing, the question cannot be answered here.
pub(crate) fn feature(path: &Path, what: &'static str) -> Result<Vec<u8>, Error> {
    file(path).map_err(|error| match error {
        // a kernel built with pressure but started without it says EOPNOTSUPP
        Error::Read { source, .. }
            if source.kind() == io::ErrorKind::NotFound || source.kind() == io::ErrorKind::Unsupported =>
        {
            Error::NotHere { what }
        }
        error => error,
    })
}

/// One line of a one-line file.
pub(crate) fn line(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = optional(path)?;
    while bytes.last().is_some_and(u8::is_ascii_whitespace) {
        bytes.pop();
    }
    Some(bytes)
}

/// The number that a one-line file holds.
pub(crate) fn number(path: &Path) -> Option<u64> {
    super::bytes::number(&line(path)?)
}

/// The names in a folder, sorted; empty where it cannot be read.
pub(crate) fn names(path: &Path) -> Vec<OsString> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

/// A file does not hold what it should.
pub(crate) fn malformed(path: &Path, what: &'static str) -> Error {
    Error::Malformed { path: path.to_owned(), what }
}

/// Adds to a system call's error which file it was about.
pub(crate) fn failed(path: impl Into<PathBuf>) -> impl FnOnce(Errno) -> Error {
    move |error| Error::Read { path: path.into(), source: error.into() }
}
