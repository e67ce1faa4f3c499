//! System information: processes and the process table, CPU, memory, disks, interfaces, sockets, file systems,
//! logins, cgroups, pressure and sensors.
//!
//! [`System`] is the door; everything else is a plain value that it hands out. A value is a snapshot: it stays
//! readable after what it describes is gone.
//!
//! What it never does: start a thread, need a runtime, keep a descriptor open (only [`Scanner`] does, because it is
//! asked to), look at the environment, or trust the wall clock to tell two processes apart: a process is its number
//! and its start in clock ticks ([`Id`]), and that is checked again before a signal is sent.
//!
//! A platform is one file beside this one (`linux.rs` and its folder), which answers every question that `system.rs`
//! puts to it. What a platform has no answer for is [`Missing::Platform`] in a value and [`Error::NotHere`] for a
//! whole question.

mod account;
mod arch;
mod cgroup;
mod cpu;
mod disk;
mod error;
mod fields;
mod memory;
mod mount;
mod network;
mod process;
mod sensor;
mod socket;
mod strings;
mod system;
mod table;

#[cfg(not(target_os = "linux"))]
compile_error!("psi has no file for this platform: write one beside `linux.rs` that answers what `system.rs` asks");
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

pub use account::{Accounts, Login};
pub use arch::{Arch, Load};
pub use cgroup::{Cgroup, CgroupCpu, CgroupIo, CgroupMemory, Pressure, Stall};
pub use cpu::{Core, Cpu, CpuTimes};
pub use disk::Disk;
pub use error::{Attr, Error, Missing};
pub use fields::Fields;
pub use memory::{Memory, Paging, Swap};
pub use mount::{Mount, Space};
pub use network::{Address, Counter, Counters, Interface};
pub use platform::{Handle, Scanner};
pub use process::{Id, Ids, Io, MemoryDetail, Owner, Process, State, Switches};
pub use sensor::{Sensor, SensorKind};
pub use socket::{Protocol, Socket, SocketState, UnixSocket};
pub use strings::Strings;
pub use system::System;
pub use table::{Key, Table};

/// The README's programs are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
