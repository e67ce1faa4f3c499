//! Block devices' work since boot.

use std::time::Duration;

/// One block device or partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its name: `sda`, `nvme0n1p2`.
    pub name: String,
    /// Device number, major and minor.
    pub device: (u32, u32),
    /// Whether it is a part of another one in the list, so that sums would count it twice.
    pub partition: bool,
    /// Finished reads.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Time that reads took, added up.
    pub read_time: Duration,
    /// Finished writes.
    pub writes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Time that writes took, added up.
    pub write_time: Duration,
    /// Discards; 0 in kernels before 4.18.
    pub discards: u64,
    /// Bytes discarded.
    pub discarded_bytes: u64,
    /// Flushes; 0 in kernels before 5.5.
    pub flushes: u64,
    /// Requests on their way now.
    pub in_flight: u64,
    /// Time in which there was something to do.
    pub busy: Duration,
}
