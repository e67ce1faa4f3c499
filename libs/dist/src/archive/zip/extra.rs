//! Extra fields of headers (APPNOTE 4.5): pairs of a number and some bytes.

use super::bytes::Record;

/// Sizes and offsets of 64 bits.
pub(super) const ZIP64: u16 = 0x0001;
/// The name in UTF-8 once more (Info-ZIP).
pub(super) const UNICODE_PATH: u16 = 0x7075;
/// A number of 32 bits that stands in the ZIP64 field instead.
pub(super) const FULL: u64 = u32::MAX as u64;

/// The fields in their order; None where the bytes are no field, and then no more.
pub(super) fn fields(extra: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let mut rest = extra;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let record = Record(rest);
        let length = usize::from(record.u16(2));
        let field = rest.get(4..4 + length).map(|data| (record.u16(0), data));
        rest = rest.get(4 + length..).unwrap_or_default();
        Some(field)
    })
}

/// Replaces those of `numbers` that are [`FULL`] by those in `data`, in their order; None if there are too few.
pub(super) fn widen<const N: usize>(mut numbers: [u64; N], data: &[u8]) -> Option<[u64; N]> {
    let mut wide = data.chunks_exact(8).map(|bytes| Record(bytes).u64(0));
    for number in numbers.iter_mut().filter(|number| **number == FULL) {
        *number = wide.next()?;
    }
    Some(numbers)
}
