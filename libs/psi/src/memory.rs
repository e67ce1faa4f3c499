//! Memory, swap and paging.

use std::path::PathBuf;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the kernel manages.
    pub total: u64,
    /// Used for nothing.
    pub free: u64,
    /// What programs could still get without swapping: free, and what can be dropped.
    pub available: u64,
    /// Cached blocks of devices.
    pub buffers: u64,
    /// Cached files; shared memory is in it.
    pub cached: u64,
    /// Shared memory and memory file systems.
    pub shared: u64,
    /// The kernel's own caches that can be dropped.
    pub reclaimable: u64,
    /// Waits to be written to storage.
    pub dirty: u64,
    /// Is being written to storage.
    pub writeback: u64,
    /// Promised to programs, used or not.
    pub committed: u64,
    /// Swap space.
    pub swap_total: u64,
    /// Swap space that is not used.
    pub swap_free: u64,
}

impl Memory {
    /// What cannot be had without swapping.
    pub const fn used(&self) -> u64 {
        self.total.saturating_sub(self.available)
    }

    /// Swap space in use.
    pub const fn swap_used(&self) -> u64 {
        self.swap_total.saturating_sub(self.swap_free)
    }
}

/// One place to swap to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Device or file.
    pub path: PathBuf,
    /// `partition` or `file`.
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// Bytes in use.
    pub used: u64,
    /// Higher is used first.
    pub priority: i64,
}

/// What memory costs in work, counted since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// Bytes read from storage for pages.
    pub read: u64,
    /// Bytes written to storage for pages.
    pub written: u64,
    /// Bytes swapped in.
    pub swapped_in: u64,
    /// Bytes swapped out.
    pub swapped_out: u64,
    /// Page faults.
    pub faults: u64,
    /// Page faults that waited for storage.
    pub major_faults: u64,
    /// Processes that were killed for want of memory.
    pub out_of_memory: u64,
}
