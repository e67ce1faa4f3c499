//! Control groups of the unified hierarchy (cgroup v2), and pressure.

use std::path::PathBuf;
use std::time::Duration;

/// How much time was lost waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stall {
    /// Per cent of the last 10, 60 and 300 seconds.
    pub averages: [f64; 3],
    /// Since boot, or since the group was made.
    pub total: Duration,
}

/// Pressure on one resource (the kernel's pressure stall information).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// Time in which somebody waited.
    pub some: Stall,
    /// Time in which nobody could go on. None for processors of a whole machine in older kernels.
    pub full: Option<Stall>,
}

/// A group's limits and what it uses. What the group's controllers do not count is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cgroup {
    /// Its path in the hierarchy.
    pub path: PathBuf,
    /// Processor time.
    pub cpu: CgroupCpu,
    /// Memory.
    pub memory: CgroupMemory,
    /// Devices it has used.
    pub io: Vec<CgroupIo>,
    /// Processes and threads in it and below.
    pub tasks: Option<u64>,
    /// Limit of these.
    pub tasks_max: Option<u64>,
    /// Pressure on processors.
    pub cpu_pressure: Option<Pressure>,
    /// Pressure on memory.
    pub memory_pressure: Option<Pressure>,
    /// Pressure on storage.
    pub io_pressure: Option<Pressure>,
}

/// A group's processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CgroupCpu {
    /// Time used.
    pub usage: Option<Duration>,
    /// The part in programs' own code.
    pub user: Option<Duration>,
    /// The part in the kernel.
    pub system: Option<Duration>,
    /// Time it may use in each period; none where there is no limit.
    pub quota: Option<(Duration, Duration)>,
    /// Share among its neighbours, 1 to 10000; 100 if nobody said otherwise.
    pub weight: Option<u64>,
    /// Periods in which it was stopped because its quota was used up.
    pub throttled_periods: Option<u64>,
    /// Time for which it was stopped.
    pub throttled: Option<Duration>,
}

impl CgroupCpu {
    /// The quota as a number of processors.
    pub fn processors(&self) -> Option<f64> {
        let (quota, period) = self.quota?;
        (!period.is_zero()).then(|| quota.as_micros() as f64 / period.as_micros() as f64)
    }
}

/// A group's memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CgroupMemory {
    /// In use, caches included.
    pub current: Option<u64>,
    /// Most that was ever in use.
    pub peak: Option<u64>,
    /// Limit; none where there is none.
    pub max: Option<u64>,
    /// From here on it is slowed down.
    pub high: Option<u64>,
    /// Up to here it is spared.
    pub low: Option<u64>,
    /// Swap in use.
    pub swap: Option<u64>,
    /// Limit of swap.
    pub swap_max: Option<u64>,
    /// The part of `current` that is programs' own.
    pub anonymous: Option<u64>,
    /// The part of `current` that is cached files.
    pub file: Option<u64>,
    /// Cached files that were not used of late, which a working set does not count.
    pub inactive_file: Option<u64>,
    /// Processes killed because the limit was reached.
    pub oom_kills: Option<u64>,
}

/// A group's use of one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CgroupIo {
    /// Device number, major and minor.
    pub device: (u32, u32),
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}
