//! Processor time, in total and per core.

use std::time::Duration;

/// Where processor time went since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// Programs. Guests' time is in it.
    pub user: Duration,
    /// Programs that were made to wait for others.
    pub nice: Duration,
    /// The kernel.
    pub system: Duration,
    /// Nothing to do.
    pub idle: Duration,
    /// Nothing to do but wait for storage.
    pub iowait: Duration,
    /// Hardware interrupts.
    pub irq: Duration,
    /// Deferred interrupt work.
    pub softirq: Duration,
    /// Taken by the hypervisor for other machines.
    pub steal: Duration,
    /// Running virtual machines; also counted as user time.
    pub guest: Duration,
    /// The same for those made to wait; also counted as nice time.
    pub guest_nice: Duration,
}

impl CpuTimes {
    /// All of it.
    pub fn total(&self) -> Duration {
        let Self { user, nice, system, idle, iowait, irq, softirq, steal, guest: _, guest_nice: _ } = *self;
        [user, nice, system, idle, iowait, irq, softirq, steal]
            .iter()
            .fold(Duration::ZERO, |sum, time| sum.saturating_add(*time))
    }

    /// The part in which something was done. Waiting for storage is not doing anything.
    pub fn busy(&self) -> Duration {
        self.total().saturating_sub(self.idle).saturating_sub(self.iowait)
    }

    /// What was added since `earlier`; the kernel's counters may go back a little, which counts as nothing.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            nice: self.nice.saturating_sub(earlier.nice),
            system: self.system.saturating_sub(earlier.system),
            idle: self.idle.saturating_sub(earlier.idle),
            iowait: self.iowait.saturating_sub(earlier.iowait),
            irq: self.irq.saturating_sub(earlier.irq),
            softirq: self.softirq.saturating_sub(earlier.softirq),
            steal: self.steal.saturating_sub(earlier.steal),
            guest: self.guest.saturating_sub(earlier.guest),
            guest_nice: self.guest_nice.saturating_sub(earlier.guest_nice),
        }
    }

    /// Share of the time in which something was done, 0.0 to 1.0; of what [`since`](Self::since) gives, the share in
    /// that while. None where no time has passed.
    pub fn load(&self) -> Option<f64> {
        let total = self.total().as_secs_f64();
        (total > 0.0).then(|| self.busy().as_secs_f64() / total)
    }
}

/// One core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Core {
    /// Its number; numbers of cores that are switched off are missing.
    pub number: u32,
    /// Its times.
    pub times: CpuTimes,
}

/// The processors, and the counters that belong to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// All cores together.
    pub total: CpuTimes,
    /// Each core that is switched on.
    pub cores: Vec<Core>,
    /// Context switches since boot.
    pub switches: u64,
    /// Interrupts since boot.
    pub interrupts: u64,
    /// Processes and threads begun since boot.
    pub forks: u64,
    /// Threads that want to run now.
    pub running: u64,
    /// Threads that wait for storage now.
    pub blocked: u64,
}
