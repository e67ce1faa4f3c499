//! The door: where the machine's files are, and every question that can be asked.
//!
//! This is the one interface between the crate's values and a platform: each method here is one function of
//! `platform`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::{
    Accounts, Arch, Cgroup, Counters, Cpu, Disk, Error, Fields, Handle, Id, Interface, Load, Login, Memory, Mount,
    Paging, Pressure, Process, Scanner, Sensor, Socket, Space, Swap, Table, UnixSocket, platform,
};

/// A machine to look at: this one, unless other folders are named. It holds nothing open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    proc: PathBuf,
    sys: PathBuf,
    etc: PathBuf,
    run: PathBuf,
    /// Whose mounts and network are looked at: ours if none.
    through: Option<u32>,
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

/// Where to look.
impl System {
    /// This machine: `/proc`, `/sys`, `/etc` and `/run`.
    pub fn new() -> Self {
        let path = PathBuf::from;
        Self { proc: path("/proc"), sys: path("/sys"), etc: path("/etc"), run: path("/run"), through: None }
    }

    /// Another proc file system: `/host/proc`, for an agent in a container.
    pub fn proc_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.proc = folder.into();
        self
    }

    /// Another sys file system.
    pub fn sys_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.sys = folder.into();
        self
    }

    /// Another `/etc`, for the names of accounts.
    pub fn etc_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.etc = folder.into();
        self
    }

    /// Another `/run`, for logins.
    pub fn run_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.run = folder.into();
        self
    }

    /// Mounts, network and sockets as this process sees them: with [`proc_root`](Self::proc_root) on the host's proc
    /// file system, 1 shows the host's. Without it they are the ones that we see ourselves, whatever the root.
    pub fn through(mut self, pid: u32) -> Self {
        self.through = Some(pid);
        self
    }

    pub(crate) fn proc(&self, name: impl AsRef<Path>) -> PathBuf {
        self.proc.join(name)
    }

    pub(crate) fn sys(&self, name: &str) -> PathBuf {
        self.sys.join(name)
    }

    pub(crate) fn etc(&self, name: &str) -> PathBuf {
        self.etc.join(name)
    }

    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.run.join(name)
    }

    /// A file of the process whose view is taken.
    pub(crate) fn view(&self, name: &str) -> PathBuf {
        match self.through {
            Some(pid) => self.proc(pid.to_string()).join(name),
            None => self.proc("self").join(name),
        }
    }

    /// Where a path of that view is for us.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        match self.through {
            Some(_) => self.view("root").join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// Whether the proc file system is where the system calls' answers come from, too.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.proc == Path::new("/proc")
    }

    pub(crate) fn is_own_view(&self) -> bool {
        self.through.is_none()
    }
}

/// Processes.
impl System {
    /// Numbers of all processes, ascending.
    pub fn pids(&self) -> Result<Vec<u32>, Error> {
        platform::pids(self)
    }

    /// One process. A number that is only a thread's is none.
    pub fn process(&self, pid: u32, fields: Fields) -> Result<Process, Error> {
        platform::process(self, pid, fields)
    }

    /// All processes. Those that end in the middle of it are left out and counted.
    pub fn processes(&self, fields: Fields) -> Result<Table, Error> {
        platform::scan(self, fields)
    }

    /// For scanning again and again.
    pub fn scanner(&self, fields: Fields) -> Result<Scanner, Error> {
        Scanner::new(self, fields)
    }

    /// A hold on a process, for signals and for waiting.
    pub fn handle(&self, id: Id) -> Result<Handle, Error> {
        platform::handle(self, id)
    }

    /// Whether the process is still there; a zombie is.
    pub fn exists(&self, id: Id) -> Result<bool, Error> {
        platform::exists(self, id)
    }

    /// Sends a signal to this process and no other.
    pub fn kill(&self, id: Id, signal: i32) -> Result<(), Error> {
        self.handle(id)?.kill(signal)
    }

    /// Waits until the process has ended; false if the time was up first. One that is not there has ended.
    pub fn wait(&self, id: Id, limit: Option<Duration>) -> Result<bool, Error> {
        match self.handle(id) {
            Ok(handle) => handle.wait(limit),
            Err(Error::NoSuchProcess { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// When a process began, by the wall clock as it is set now.
    pub fn start_time(&self, id: Id) -> Result<SystemTime, Error> {
        let boot = self.boot_time()?;
        Ok(boot.checked_add(platform::ticks(id.start)).unwrap_or(boot))
    }

    /// The file of a terminal device ([`Process::terminal`]).
    pub fn terminal(&self, device: u32) -> Option<PathBuf> {
        platform::terminal(self, device)
    }
}

/// The machine.
impl System {
    /// What it is. Always this machine, wherever its files are.
    pub fn arch(&self) -> Arch {
        platform::arch()
    }

    /// When it started, by the wall clock as it is set now; whole seconds.
    pub fn boot_time(&self) -> Result<SystemTime, Error> {
        platform::boot_time(self)
    }

    /// How long it has been up, sleep included.
    pub fn uptime(&self) -> Result<Duration, Error> {
        platform::uptime(self)
    }

    /// How many want to run.
    pub fn load(&self) -> Result<Load, Error> {
        platform::load(self)
    }

    /// Processors.
    pub fn cpu(&self) -> Result<Cpu, Error> {
        platform::cpu(self)
    }

    /// Memory and swap.
    pub fn memory(&self) -> Result<Memory, Error> {
        platform::memory(self)
    }

    /// Places to swap to.
    pub fn swaps(&self) -> Result<Vec<Swap>, Error> {
        platform::swaps(self)
    }

    /// Paging and swapping since boot.
    pub fn paging(&self) -> Result<Paging, Error> {
        platform::paging(self)
    }

    /// Block devices and their partitions.
    pub fn disks(&self) -> Result<Vec<Disk>, Error> {
        platform::disks(self)
    }

    /// Mounts in the order in which they were made.
    pub fn mounts(&self) -> Result<Vec<Mount>, Error> {
        platform::mounts(self)
    }

    /// The mount as it is now.
    pub fn mount(&self, mount: &Mount) -> Result<Mount, Error> {
        platform::refresh(self, mount)
    }

    /// Room in a mounted file system. This waits for the other machine where it is a remote one.
    pub fn space(&self, mount: &Mount) -> Result<Space, Error> {
        platform::space(self, mount)
    }

    /// Network interfaces.
    pub fn interfaces(&self) -> Result<Vec<Interface>, Error> {
        platform::interfaces(self)
    }

    /// The protocols' counters.
    pub fn counters(&self) -> Result<Counters, Error> {
        platform::counters(self)
    }

    /// TCP, UDP and raw sockets with the processes that hold them. This looks at every descriptor of every process;
    /// [`sockets_alone`](Self::sockets_alone) does not.
    pub fn sockets(&self) -> Result<Vec<Socket>, Error> {
        let mut sockets = self.sockets_alone()?;
        let mut owners = platform::socket_owners(self)?;
        for socket in &mut sockets {
            socket.owners = owners.remove(&socket.inode).unwrap_or_default();
        }
        Ok(sockets)
    }

    /// TCP, UDP and raw sockets without who holds them.
    pub fn sockets_alone(&self) -> Result<Vec<Socket>, Error> {
        platform::sockets(self)
    }

    /// Unix sockets with the processes that hold them.
    pub fn unix_sockets(&self) -> Result<Vec<UnixSocket>, Error> {
        let mut sockets = platform::unix_sockets(self)?;
        let mut owners = platform::socket_owners(self)?;
        for socket in &mut sockets {
            socket.owners = owners.remove(&socket.inode).unwrap_or_default();
        }
        Ok(sockets)
    }

    /// Who is logged in.
    pub fn logins(&self) -> Result<Vec<Login>, Error> {
        platform::logins(self)
    }

    /// Names of users and groups.
    pub fn accounts(&self) -> Result<Accounts, Error> {
        platform::accounts(self)
    }

    /// Pressure on `cpu`, `memory`, `io` or `irq`.
    pub fn pressure(&self, resource: &str) -> Result<Pressure, Error> {
        platform::pressure(self, resource)
    }

    /// The control group that we are in.
    pub fn own_cgroup(&self) -> Result<PathBuf, Error> {
        platform::cgroup_of(self, "self")
    }

    /// A control group by its path ([`Process::cgroup`]).
    pub fn cgroup(&self, path: &Path) -> Result<Cgroup, Error> {
        platform::cgroup(self, path)
    }

    /// A control group with the limits that hold for it, its own and those of all groups above it.
    pub fn effective_cgroup(&self, path: &Path) -> Result<Cgroup, Error> {
        platform::effective_cgroup(self, path)
    }

    /// Sensors; none in a virtual machine.
    pub fn sensors(&self) -> Result<Vec<Sensor>, Error> {
        Ok(platform::sensors(self))
    }
}
