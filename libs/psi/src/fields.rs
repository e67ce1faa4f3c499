//! Which attributes of a process to read. Each bit is one file of the process (or one system call), so that what is
//! not asked for is not paid for.

use std::ops::{BitOr, BitOrAssign};

/// A set of attribute groups. The kernel's one-line summary of a process (name, state, parent, times, memory, start:
/// everything in [`Process`](crate::Process) that is not an [`Attr`](crate::Attr)) is always read: identity is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields(u16);

impl Fields {
    /// Nothing beyond the summary.
    pub const NONE: Self = Self(0);
    /// Effective user and group.
    pub const OWNER: Self = Self(1);
    /// Real, effective, saved user and group; swap and context switches come from the same file.
    pub const IDS: Self = Self(1 << 1);
    /// Command line.
    pub const ARGS: Self = Self(1 << 2);
    /// Environment.
    pub const ENV: Self = Self(1 << 3);
    /// Executable.
    pub const EXE: Self = Self(1 << 4);
    /// Current folder.
    pub const CWD: Self = Self(1 << 5);
    /// Control group, and from it the service manager's unit.
    pub const CGROUP: Self = Self(1 << 6);
    /// Bytes read and written.
    pub const IO: Self = Self(1 << 7);
    /// Number of open descriptors.
    pub const FILES: Self = Self(1 << 8);
    /// Proportional and unique memory. Dear: the kernel walks the process's pages.
    pub const MEMORY: Self = Self(1 << 9);

    /// What a process list shows.
    pub const LIST: Self = Self(Self::OWNER.0 | Self::ARGS.0);
    /// Everything.
    pub const ALL: Self = Self((1 << 10) - 1);

    /// Whether every group of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together, in a constant.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for Fields {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOrAssign for Fields {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.and(other);
    }
}
