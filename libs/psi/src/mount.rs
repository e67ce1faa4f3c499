//! Mounted file systems and the room in them.

use std::ffi::OsString;
use std::path::PathBuf;

/// One mount. Its room is asked for apart ([`System::space`](crate::System::space)), because that may hang where the
/// file system is a remote one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mount {
    /// What is mounted: a device, `host:/path`, or any word for what has no device.
    pub device: OsString,
    /// Where.
    pub point: PathBuf,
    /// File system: `ext4`.
    pub kind: OsString,
    /// Options with commas between them.
    pub options: OsString,
    /// The other machine, if it is a remote one: what stands before `:`, or after `//`, in the device.
    pub host: Option<OsString>,
}

impl Mount {
    /// Whether the files are on another machine.
    pub fn is_remote(&self) -> bool {
        self.host.is_some()
    }

    /// Whether nothing can be written to it.
    pub fn is_read_only(&self) -> bool {
        self.options.as_encoded_bytes().split(|byte| *byte == b',').any(|option| option == b"ro")
    }
}

/// Room in a file system: bytes and inodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Preferred size of a transfer.
    pub block_size: u64,
    /// Bytes.
    pub total: u64,
    /// Bytes not used.
    pub free: u64,
    /// Bytes that an ordinary account may still use.
    pub available: u64,
    /// Inodes.
    pub inodes: u64,
    /// Inodes not used.
    pub free_inodes: u64,
    /// Inodes that an ordinary account may still use.
    pub available_inodes: u64,
}

impl Space {
    /// Share in use as `df` shows it: of what ordinary accounts may use. None for file systems without a size.
    pub fn used_share(&self) -> Option<f64> {
        let used = self.total.saturating_sub(self.free);
        let usable = used.saturating_add(self.available);
        (usable > 0).then(|| used as f64 / usable as f64)
    }
}
