//! Zip archives written byte by byte, so that each byte can be wrong.

use flate2::Crc;

/// A member, and what its two headers say of it.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) local: Header,
    pub(crate) central: Header,
    pub(crate) data: Vec<u8>,
    /// Behind the data.
    pub(crate) after: Vec<u8>,
    pub(crate) comment: &'static [u8],
}

/// What a header says.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) size: u32,
}

/// A stored member with headers that are right.
pub(crate) fn member(name: &str, data: &[u8]) -> Raw {
    let mut crc = Crc::new();
    crc.update(data);
    let size = u32::try_from(data.len()).unwrap();
    let flags = if name.is_ascii() { 0 } else { 0x0800 };
    let name = name.as_bytes().to_vec();
    let header = Header { name, extra: Vec::new(), flags, method: 0, crc: crc.sum(), packed: size, size };
    Raw { local: header.clone(), central: header, data: data.to_vec(), after: Vec::new(), comment: b"" }
}

impl Raw {
    /// Changes both headers.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Raw {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(crate) fn local(mut self, change: impl Fn(&mut Header)) -> Raw {
        change(&mut self.local);
        self
    }

    pub(crate) fn central(mut self, change: impl Fn(&mut Header)) -> Raw {
        change(&mut self.central);
        self
    }
}

/// An extra field.
pub(crate) fn extra(id: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&id.to_le_bytes(), &length.to_le_bytes(), data].concat()
}

/// The parts of an archive before they are put together.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) locals: Vec<u8>,
    pub(crate) central: Vec<u8>,
    /// Records of ZIP64, if any.
    pub(crate) wide: Vec<u8>,
    /// Count, size of the directory, its offset, comment.
    pub(crate) end: (u16, u32, u32, Vec<u8>),
    pub(crate) after: Vec<u8>,
}

pub(crate) fn parts(members: &[Raw]) -> Parts {
    let (mut locals, mut central) = (Vec::new(), Vec::new());
    for Raw { local, central: header, data, after, comment } in members {
        let offset = u32::try_from(locals.len()).unwrap();
        locals.extend(b"PK\x03\x04\x14\0");
        common(&mut locals, local);
        locals.extend([local.name.as_slice(), &local.extra, data, after].concat());
        central.extend(b"PK\x01\x02\x14\0\x14\0");
        common(&mut central, header);
        central.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        central.extend([0; 8]);
        central.extend(offset.to_le_bytes());
        central.extend([header.name.as_slice(), &header.extra, comment].concat());
    }
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    let end = (u16::try_from(members.len()).unwrap(), size(&central), size(&locals), Vec::new());
    Parts { locals, central, wide: Vec::new(), end, after: Vec::new() }
}

fn common(into: &mut Vec<u8>, header: &Header) {
    into.extend(header.flags.to_le_bytes());
    into.extend(header.method.to_le_bytes());
    into.extend([0; 4]);
    for number in [header.crc, header.packed, header.size] {
        into.extend(number.to_le_bytes());
    }
    for length in [header.name.len(), header.extra.len()] {
        into.extend(u16::try_from(length).unwrap().to_le_bytes());
    }
}

impl Parts {
    pub(crate) fn join(&self) -> Vec<u8> {
        let (count, size, offset, comment) = &self.end;
        let mut bytes = [self.locals.as_slice(), &self.central, &self.wide, b"PK\x05\x06\0\0\0\0"].concat();
        bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
        bytes.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
        bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        bytes.extend(comment);
        bytes.extend(&self.after);
        bytes
    }

    /// Records of ZIP64 with these numbers: `count`, size and offset of the directory, and where the first one is.
    pub(crate) fn wide(mut self, more: &[u8], located: u64) -> Parts {
        let (count, size, offset, _) = &self.end;
        let (count, size, offset) = (u64::from(*count), u64::from(*size), u64::from(*offset));
        self.wide.extend(b"PK\x06\x06");
        self.wide.extend((44 + more.len() as u64).to_le_bytes());
        self.wide.extend([0; 12]);
        for number in [count, count, size, offset] {
            self.wide.extend(number.to_le_bytes());
        }
        self.wide.extend(more);
        self.wide.extend(b"PK\x06\x07\0\0\0\0");
        self.wide.extend(located.to_le_bytes());
        self.wide.extend(1_u32.to_le_bytes());
        self
    }

    /// Where the directory ends.
    pub(crate) fn directory_end(&self) -> u64 {
        (self.locals.len() + self.central.len()) as u64
    }
}
