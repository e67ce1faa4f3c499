//! Little-endian numbers at fixed places of a record.

/// A record whose length was checked when it was read; what lies outside of it reads as 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a>(pub(super) &'a [u8]);

impl<'a> Record<'a> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.slice(at, N).try_into().unwrap_or([0; N])
    }

    pub(super) fn slice(&self, at: usize, length: usize) -> &'a [u8] {
        self.0.get(at..at.saturating_add(length)).unwrap_or_default()
    }

    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    pub(super) fn has(&self, signature: [u8; 4]) -> bool {
        self.0.starts_with(&signature)
    }
}
