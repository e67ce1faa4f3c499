//! One process as it was when it was looked at.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Attr, Missing, Strings};

/// What a process is: its number, and when it began in clock ticks after boot. Numbers are used again, the pair is
/// not; and the pair does not move when the wall clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Process number.
    pub pid: u32,
    /// Start, in clock ticks after boot.
    pub start: u64,
}

impl Id {
    /// How long after boot it began. With [`System::uptime`](crate::System::uptime) this is its age, and with
    /// [`System::boot_time`](crate::System::boot_time) its start by the wall clock, each asked for once for all processes.
    pub fn after_boot(self) -> Duration {
        crate::platform::ticks(self.start)
    }
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Running, or ready to run (`R`).
    Running,
    /// Waits, can be interrupted (`S`).
    Sleeping,
    /// Waits for a device, cannot be interrupted (`D`).
    DiskSleep,
    /// Stopped by a signal (`T`).
    Stopped,
    /// Stopped by a debugger (`t`).
    Traced,
    /// Ended; its parent has not asked for the outcome yet (`Z`).
    Zombie,
    /// About to vanish (`X`, `x`).
    Dead,
    /// Paging (`W`; only in kernels before 2.6).
    Paging,
    /// A kernel thread with nothing to do (`I`).
    Idle,
    /// A kernel thread put aside (`P`).
    Parked,
    /// A letter that this crate does not know.
    Other(u8),
}

impl State {
    /// The state that the kernel's letter stands for.
    pub const fn from_letter(letter: u8) -> Self {
        match letter {
            b'R' => Self::Running,
            b'S' => Self::Sleeping,
            b'D' | b'K' => Self::DiskSleep,
            b'T' => Self::Stopped,
            b't' => Self::Traced,
            b'Z' => Self::Zombie,
            b'X' | b'x' => Self::Dead,
            b'W' => Self::Paging,
            b'I' => Self::Idle,
            b'P' => Self::Parked,
            other => Self::Other(other),
        }
    }

    /// The letter that `ps` shows.
    pub const fn letter(self) -> char {
        match self {
            Self::Running => 'R',
            Self::Sleeping => 'S',
            Self::DiskSleep => 'D',
            Self::Stopped => 'T',
            Self::Traced => 't',
            Self::Zombie => 'Z',
            Self::Dead => 'X',
            Self::Paging => 'W',
            Self::Idle => 'I',
            Self::Parked => 'P',
            Self::Other(letter) => letter as char,
        }
    }
}

/// Effective user and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Effective user number.
    pub uid: u32,
    /// Effective group number.
    pub gid: u32,
}

/// All user and group numbers of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ids {
    /// Real, effective, saved and file system user.
    pub real_uid: u32,
    /// What the process may do as.
    pub effective_uid: u32,
    /// What it can go back to.
    pub saved_uid: u32,
    /// Real group.
    pub real_gid: u32,
    /// Effective group.
    pub effective_gid: u32,
    /// Saved group.
    pub saved_gid: u32,
}

/// Bytes that a process has read and written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Io {
    /// Bytes through read calls, whatever they read from.
    pub read_chars: u64,
    /// Bytes through write calls.
    pub written_chars: u64,
    /// Read calls.
    pub read_calls: u64,
    /// Write calls.
    pub write_calls: u64,
    /// Bytes that came from storage.
    pub read_bytes: u64,
    /// Bytes that went to storage.
    pub written_bytes: u64,
}

/// How often a process gave up the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Switches {
    /// Because it waited for something.
    pub voluntary: u64,
    /// Because its time was up.
    pub involuntary: u64,
}

/// Memory beyond the resident size, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MemoryDetail {
    /// Resident pages, each divided by the number of processes that share it.
    pub proportional: u64,
    /// Resident pages that no other process shares.
    pub unique: u64,
    /// Swapped out, divided in the same way.
    pub swapped: u64,
}

/// One process: a snapshot. The first part is always there; an [`Attr`] is there if it was asked for and can be had.
#[derive(Clone, Debug)]
pub struct Process {
    /// Number and start.
    pub id: Id,
    /// Number of the parent; 0 for the first process and for kernel threads' root.
    pub parent: u32,
    /// Process group.
    pub group: u32,
    /// Session.
    pub session: u32,
    /// Device number of the controlling terminal, 0 for none; [`System::terminal`](crate::System::terminal) names it.
    pub terminal: u32,
    /// Accounting name (`comm`): at most 15 bytes for a program, the process may change it to anything.
    pub name: OsString,
    /// What it is doing.
    pub state: State,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
    /// The kernel's `PF_` flags.
    pub flags: u64,
    /// Threads.
    pub threads: u32,
    /// -20 (favoured) to 19.
    pub nice: i32,
    /// The scheduler's priority as the kernel counts it: 0..=39 for ordinary processes, below 0 for real-time ones.
    pub priority: i32,
    /// Real-time priority 1..=99, 0 for ordinary processes.
    pub realtime: u32,
    /// The processor it last ran on.
    pub processor: u32,
    /// Time spent in its own code.
    pub user_time: Duration,
    /// Time spent in the kernel for it.
    pub system_time: Duration,
    /// Both, of children that ended and were waited for.
    pub children_time: Duration,
    /// Page faults that needed no storage, and those that did.
    pub faults: (u64, u64),
    /// Address space in bytes.
    pub virtual_size: u64,
    /// Memory in use in bytes.
    pub resident_size: u64,
    /// Effective user and group.
    pub owner: Attr<Owner>,
    /// Every user and group number.
    pub ids: Attr<Ids>,
    /// Swapped out memory in bytes (with [`Fields::IDS`](crate::Fields::IDS)).
    pub swap: Attr<u64>,
    /// Context switches (with [`Fields::IDS`](crate::Fields::IDS)).
    pub switches: Attr<Switches>,
    /// Command line; empty for kernel threads and zombies.
    pub args: Attr<Strings>,
    /// Environment as the process was started with it.
    pub env: Attr<Strings>,
    /// Executable; ends in ` (deleted)` where the file was replaced.
    pub exe: Attr<PathBuf>,
    /// Current folder; absent where the folder is gone.
    pub cwd: Attr<PathBuf>,
    /// Path in the cgroup hierarchy, as `/proc/PID/cgroup` has it.
    pub cgroup: Attr<PathBuf>,
    /// Bytes read and written.
    pub io: Attr<Io>,
    /// Open descriptors.
    pub files: Attr<u32>,
    /// Proportional and unique memory.
    pub memory: Attr<MemoryDetail>,
}

impl Process {
    /// Its number.
    pub const fn pid(&self) -> u32 {
        self.id.pid
    }

    /// Time spent, in its own code and in the kernel.
    pub fn cpu_time(&self) -> Duration {
        self.user_time.saturating_add(self.system_time)
    }

    /// Effective user number, from whichever group was asked for.
    pub fn uid(&self) -> Attr<u32> {
        self.owner.map(|owner| owner.uid).or_else(|missing| self.ids.map(|ids| ids.effective_uid).map_err(|_| missing))
    }

    /// Effective group number, from whichever group was asked for.
    pub fn gid(&self) -> Attr<u32> {
        self.owner.map(|owner| owner.gid).or_else(|missing| self.ids.map(|ids| ids.effective_gid).map_err(|_| missing))
    }

    /// The command line with blanks between the arguments; the name where there is none.
    pub fn command(&self) -> OsString {
        match &self.args {
            Ok(args) if args.iter().any(|arg| !arg.is_empty()) => OsString::from_vec(args.join()),
            _ => self.name.clone(),
        }
    }

    /// The service manager's unit that it belongs to: the last part of the cgroup that is a service, scope, socket,
    /// mount or swap; otherwise the last slice.
    pub fn unit(&self) -> Option<&OsStr> {
        self.cgroup.as_deref().ok().and_then(unit)
    }

    /// A process about which only the summary is known yet.
    pub(crate) fn bare(id: Id) -> Self {
        Self {
            id,
            parent: 0,
            group: 0,
            session: 0,
            terminal: 0,
            name: OsString::new(),
            state: State::Other(b'?'),
            kernel: false,
            flags: 0,
            threads: 0,
            nice: 0,
            priority: 0,
            realtime: 0,
            processor: 0,
            user_time: Duration::ZERO,
            system_time: Duration::ZERO,
            children_time: Duration::ZERO,
            faults: (0, 0),
            virtual_size: 0,
            resident_size: 0,
            owner: Err(Missing::Unasked),
            ids: Err(Missing::Unasked),
            swap: Err(Missing::Unasked),
            switches: Err(Missing::Unasked),
            args: Err(Missing::Unasked),
            env: Err(Missing::Unasked),
            exe: Err(Missing::Unasked),
            cwd: Err(Missing::Unasked),
            cgroup: Err(Missing::Unasked),
            io: Err(Missing::Unasked),
            files: Err(Missing::Unasked),
            memory: Err(Missing::Unasked),
        }
    }
}

fn unit(cgroup: &Path) -> Option<&OsStr> {
    let ends = |part: &OsStr, ends: &[&str]| ends.iter().any(|end| part.as_bytes().ends_with(end.as_bytes()));
    let parts = || cgroup.iter().rev();
    parts()
        .find(|part| ends(part, &[".service", ".scope", ".socket", ".mount", ".swap"]))
        .or_else(|| parts().find(|part| ends(part, &[".slice"])))
}

/// Two processes are the same if number and start are.
impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Process {}

impl Hash for Process {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl PartialOrd for Process {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Process {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cgroup: &str, expected: Option<&str>) {
        assert_eq!(unit(Path::new(cgroup)), expected.map(OsStr::new), "{cgroup}");
    }

    #[test]
    fn a_unit_is_the_last_service_of_the_path() {
        check("/", None);
        check("/system.slice/cron.service", Some("cron.service"));
        check("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope"));
        check("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", Some("foo.service"));
        check("/system.slice/docker-abc.scope/init", Some("docker-abc.scope"));
        check("/system.slice", Some("system.slice"));
        check("/kubepods/pod1/abc", None);
    }

    #[test]
    fn letters_and_states_go_both_ways() {
        for letter in b"RSDTtZXWIP?" {
            assert_eq!(State::from_letter(*letter).letter(), char::from(*letter));
        }
    }
}
