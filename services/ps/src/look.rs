//! One look at the machine: all that a list needs, read once, and no more than the columns and filters ask for.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use psi::{Accounts, Fields, Id, Process, Protocol, Socket, System, Table};

/// What has to be read besides the summary of each process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Of each process.
    pub(crate) fields: Fields,
    /// Who listens where: a look at every descriptor of every process.
    pub(crate) ports: bool,
}

impl Needs {
    pub(crate) const NONE: Self = Self { fields: Fields::NONE, ports: false };

    /// These fields of each process.
    pub(crate) const fn fields(fields: Fields) -> Self {
        Self { fields, ports: false }
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { fields: self.fields | other.fields, ports: self.ports || other.ports }
    }

    /// Whether all of `other` is in it.
    pub(crate) fn has(self, other: Self) -> bool {
        self.fields.has(other.fields) && (self.ports || !other.ports)
    }
}

/// The machine to look at.
pub(crate) fn system(proc_root: Option<&Path>, sys_root: Option<&Path>) -> System {
    let mut system = System::new();
    if let Some(root) = proc_root {
        // the host's, from inside of a container: its first process sees what is mounted and who listens there, and
        // knows what its accounts are called
        let host = root.join("1/root");
        system = system.proc_root(root).through(1).etc_root(host.join("etc")).run_root(host.join("run"));
    }
    if let Some(root) = sys_root {
        system = system.sys_root(root);
    }
    system
}

/// Processor time is counted in hundredths of a second: over less than this a share is noise.
pub(crate) const SHORTEST: Duration = Duration::from_millis(90);

/// How the share of a processor was measured.
#[derive(Clone, Debug)]
pub(crate) enum Busy {
    /// Since each process began.
    Life,
    /// Over that long.
    Over(Duration, BTreeMap<Id, f64>),
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) needs: Needs,
    pub(crate) table: Table,
    pub(crate) busy: Busy,
    pub(crate) accounts: Accounts,
    pub(crate) ports: HashMap<u32, Vec<Socket>>,
    pub(crate) memory: u64,
    pub(crate) boot: SystemTime,
    pub(crate) uptime: Duration,
    pub(crate) system: System,
}

impl Look {
    /// Looks once.
    ///
    /// # Errors
    /// Where the proc file system cannot be read.
    pub(crate) fn new(system: &System, needs: Needs) -> Result<Self, psi::Error> {
        Self::with(system, needs, system.processes(needs.fields)?)
    }

    /// Everything around a table that was read just now.
    ///
    /// # Errors
    /// Where the proc file system cannot be read.
    pub(crate) fn with(system: &System, needs: Needs, table: Table) -> Result<Self, psi::Error> {
        let uptime = system.uptime()?;
        let ports = if needs.ports { listeners(system.sockets()?) } else { HashMap::new() };
        // without the names there are still the numbers
        let accounts = system.accounts().unwrap_or_default();
        Ok(Self {
            needs,
            table,
            busy: Busy::Life,
            accounts,
            ports,
            memory: system.memory()?.total,
            boot: system.boot_time()?,
            uptime,
            system: system.clone(),
        })
    }

    /// Counts shares of a processor from `earlier` on, unless that is too short a while to tell anything.
    pub(crate) fn since(mut self, earlier: &Self) -> Self {
        let passed = self.uptime.saturating_sub(earlier.uptime);
        if passed < SHORTEST {
            return self;
        }
        self.busy = Busy::Over(passed, self.table.busy_since(&earlier.table, passed.as_secs_f64()));
        self
    }

    /// How long the process has been there.
    pub(crate) fn age(&self, process: &Process) -> Duration {
        self.uptime.saturating_sub(process.id.after_boot())
    }

    /// When it began, by the wall clock as it is set now.
    pub(crate) fn start(&self, process: &Process) -> SystemTime {
        self.boot.checked_add(process.id.after_boot()).unwrap_or(self.boot)
    }

    /// Per cent of one processor.
    pub(crate) fn cpu_percent(&self, process: &Process) -> f64 {
        match &self.busy {
            Busy::Over(_, shares) => shares.get(&process.id).copied().unwrap_or(0.0) * 100.0,
            Busy::Life => {
                let age = self.age(process).as_secs_f64();
                // what began within this very tick has no share yet
                if age > 0.0 { process.cpu_time().as_secs_f64() / age * 100.0 } else { 0.0 }
            }
        }
    }

    /// The time over which [`cpu_percent`](Self::cpu_percent) is counted.
    pub(crate) fn cpu_seconds(&self, process: &Process) -> Duration {
        match &self.busy {
            Busy::Over(passed, _) => *passed,
            Busy::Life => self.age(process),
        }
    }

    /// The user's name, or number where nobody knows a name.
    pub(crate) fn user(&self, uid: u32) -> OsString {
        self.accounts.user(uid).map_or_else(|| uid.to_string().into(), OsString::from)
    }

    /// Where the process listens.
    pub(crate) fn listens(&self, pid: u32) -> &[Socket] {
        self.ports.get(&pid).map_or(&[], Vec::as_slice)
    }
}

/// Listening sockets by the processes that hold them.
pub(crate) fn listeners(sockets: Vec<Socket>) -> HashMap<u32, Vec<Socket>> {
    let mut ports: HashMap<u32, Vec<Socket>> = HashMap::new();
    // a raw socket has a protocol where others have a port
    let has_port = |socket: &Socket| socket.protocol != Protocol::Raw && socket.local.port() > 0;
    for socket in sockets.into_iter().filter(|socket| socket.is_listening() && has_port(socket)) {
        for pid in &socket.owners {
            ports.entry(*pid).or_default().push(socket.clone());
        }
    }
    ports
}
