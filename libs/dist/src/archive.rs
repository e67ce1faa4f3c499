//! Archives: bytes that are read at any place, and the two forms that distributions are packed in.

pub(crate) mod names;
pub(crate) mod source;
pub(crate) mod tar;
pub(crate) mod zip;

/// Bounds of what is read from one archive. The defaults let everything pass that is on the public index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most members.
    pub members: usize,
    /// Most bytes of all members together, unpacked.
    pub unpacked: u64,
    /// An archive that unpacks to more than this many bytes is looked at for its ratio.
    pub ratio_from: u64,
    /// Most bytes unpacked per byte packed, from there on.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { members: 200_000, unpacked: 8 << 30, ratio_from: 64 << 20, ratio: 50 }
    }
}

impl Limits {
    /// Does it unpack to so much more than it has that somebody means harm?
    pub(crate) fn is_bomb(&self, packed: u64, unpacked: u64) -> bool {
        unpacked > self.unpacked || (unpacked > self.ratio_from && unpacked / packed.max(1) > self.ratio)
    }
}
