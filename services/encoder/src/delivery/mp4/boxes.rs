//! Boxes of ISO base media files (ISO/IEC 14496-12, section 4.2), read and written.

/// Why a part cannot be made of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("malformed: {0}")]
    Malformed(&'static str),
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    #[error("it would begin after the end")]
    PastTheEnd,
}

/// The head of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: [u8; 4],
    /// Bytes before the body.
    pub(crate) head: u64,
    /// Bytes with it.
    pub(crate) size: u64,
}

impl Header {
    /// Bytes that it takes to read one.
    pub(crate) const MOST: u64 = 16;

    /// The head of the box that `bytes` begin with, of which `left` are left in what it is in. None if it is no box, or
    /// one that is larger than that.
    pub(crate) fn read(bytes: &[u8], left: u64) -> Option<Header> {
        let kind = *bytes.get(4..)?.first_chunk()?;
        let (head, size) = match u32_at(bytes, 0)? {
            0 => (8, left),
            1 => (16, u64_at(bytes, 8)?),
            size => (8, size.into()),
        };
        (head <= size && size <= left).then_some(Header { kind, head, size })
    }
}

/// A box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boxed<'a> {
    pub(super) kind: [u8; 4],
    pub(super) body: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Boxes, one after the other. Ends after the first that is none.
#[derive(Debug)]
pub(super) struct Boxes<'a>(&'a [u8]);

impl<'a> Boxes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Boxes<'a> {
        Boxes(bytes)
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Boxed<'a>, Unfit>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let split = || {
            let header = Header::read(bytes, bytes.len() as u64)?;
            let (whole, rest) = bytes.split_at_checked(usize::try_from(header.size).ok()?)?;
            let body = whole.get(usize::try_from(header.head).ok()?..)?;
            Some((Boxed { kind: header.kind, body, whole }, rest))
        };
        let Some((found, rest)) = split() else { return Some(Err(Unfit::Malformed("a box that is none"))) };
        self.0 = rest;
        Some(Ok(found))
    }
}

/// The body of the first box of this kind.
pub(super) fn find(bytes: &[u8], kind: [u8; 4]) -> Result<Option<&[u8]>, Unfit> {
    for found in Boxes::new(bytes) {
        let found = found?;
        if found.kind == kind {
            return Ok(Some(found.body));
        }
    }
    Ok(None)
}

/// The same, for one that has to be there.
pub(super) fn need(bytes: &[u8], kind: [u8; 4]) -> Result<&[u8], Unfit> {
    find(bytes, kind)?.ok_or(Unfit::Malformed("a box is missing"))
}

/// The body of a single box.
pub(super) fn only(bytes: &[u8], kind: [u8; 4]) -> Result<&[u8], Unfit> {
    match Boxes::new(bytes).next() {
        Some(Ok(found)) if found.kind == kind => Ok(found.body),
        _ => Err(Unfit::Malformed("not the box that it should be")),
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_be_bytes(*eight))
}

/// The entries, of `width` bytes each, of a table: a full box with their number before them.
pub(super) fn entries(body: &[u8], width: usize) -> Result<&[u8], Unfit> {
    let short = Unfit::Malformed("a table is shorter than it says");
    let count = usize::try_from(u32_at(body, 4).ok_or(short)?).map_err(|_| short)?;
    let bytes = count.checked_mul(width).and_then(|length| body.get(8..)?.get(..length));
    bytes.ok_or(short)
}

/// Writes boxes.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A box with what `body` writes.
    pub(super) fn boxed<T>(&mut self, kind: [u8; 4], body: impl FnOnce(&mut Writer) -> T) -> T {
        let at = self.0.len();
        self.u32(0);
        self.bytes(&kind);
        let made = body(self);
        // an index is bounded far below this
        let size = u32::try_from(self.0.len() - at).unwrap_or(u32::MAX);
        self.put(at, &size.to_be_bytes());
        made
    }

    /// A full box of version 0 with a table of `count` entries, that `body` writes.
    pub(super) fn table(&mut self, kind: [u8; 4], body: impl FnOnce(&mut Writer) -> u32) {
        self.boxed(kind, |out| {
            out.u32(0);
            let at = out.0.len();
            out.u32(0);
            let count = body(out);
            out.put(at, &count.to_be_bytes());
        });
    }

    /// Overwrites what is there.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let check = |bytes: &[u8], left, expected: Option<(u64, u64)>| {
            let header = Header::read(bytes, left);
            assert_eq!(header.map(|header| (header.head, header.size)), expected, "{bytes:?}");
        };
        check(b"\0\0\0\x08free", 8, Some((8, 8)));
        check(b"\0\0\0\0mdat", 99, Some((8, 99)));
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20", 99, Some((16, 32)));
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", 99, None);
        check(b"\0\0\0\x07free", 99, None);
        check(b"\0\0\0\x09free", 8, None);
        check(b"\0\0\0\x08fre", 99, None);
    }
}
