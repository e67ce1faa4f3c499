//! Linux: everything is read from the proc and sys file systems, in the forms that `proc(5)` and the kernel's
//! `Documentation/filesystems/proc.rst` describe.
//!
//! Parsers take bytes and know no files, so that they can be fed anything; readers know the files. Nothing here
//! trusts a name to be UTF-8, a number to be in range or a line to be whole.

mod account;
mod bytes;
mod cgroup;
mod cpu;
mod disk;
mod handle;
mod memory;
mod mount;
mod netlink;
mod network;
mod process;
mod read;
mod scan;
mod scanner;
mod sensor;
mod socket;
mod stat;
mod status;
mod terminal;
mod time;

pub(crate) use account::{accounts, logins};
pub(crate) use cgroup::{cgroup, cgroup_of, effective_cgroup, pressure};
pub(crate) use cpu::cpu;
pub(crate) use disk::disks;
pub use handle::Handle;
pub(crate) use handle::{exists, handle};
pub(crate) use memory::{memory, paging, swaps};
pub(crate) use mount::{mounts, refresh, space};
pub(crate) use network::{counters, interfaces};
pub(crate) use process::process;
pub(crate) use scan::{pids, scan};
pub use scanner::Scanner;
pub(crate) use sensor::sensors;
pub(crate) use socket::{socket_owners, sockets, unix_sockets};
pub(crate) use terminal::terminal;
pub(crate) use time::{arch, boot_time, load, ticks, uptime};
