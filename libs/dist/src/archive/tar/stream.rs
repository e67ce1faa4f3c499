//! The members of a tar archive, read from a stream.

use std::io::{self, Read};

use super::header::{self, BLOCK, Header, Role, Type};
use super::pax::Pax;
use super::{BadTar, Member};
use crate::archive::Limits;
use crate::{Error, Fault};

/// Longest header that says more about the next one: long names have some thousands of bytes.
const EXTENSION_MAX: u64 = 1 << 20;

/// A tar archive on its way.
#[derive(Debug)]
pub(crate) struct Tar<R> {
    input: R,
    limits: Limits,
    /// Bytes of the file that it comes from.
    packed: u64,
    /// Bytes read of the stream.
    read: u64,
    /// Bytes of content and padding before the next header.
    pending: u64,
    members: usize,
    for_all: Pax,
    strict: bool,
}

/// What stands before a member's own header.
#[derive(Debug, Default)]
struct Before {
    pax: Pax,
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl<R: Read> Tar<R> {
    /// `packed` is the length of the file that `input` unpacks.
    pub(crate) fn new(input: R, packed: u64, strict: bool, limits: &Limits) -> Tar<R> {
        let for_all = Pax::default();
        Tar { input, limits: *limits, packed, read: 0, pending: 0, members: 0, for_all, strict }
    }

    /// The next member; None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Member>, Error> {
        let mut before = Before::default();
        loop {
            self.skip(self.pending)?;
            self.pending = 0;
            let Some(block) = self.block()? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let Some(header) = header::parse(&block) else {
                let first = self.read == BLOCK as u64;
                return Err(if first { BadTar::NotTar } else { BadTar::Damaged("a header is none") }.into());
            };
            self.members += 1;
            if self.members > self.limits.members {
                return Err(BadTar::TooManyMembers.into());
            }
            match header.role {
                Role::Member(kind) => return self.member(kind, header, before).map(Some),
                Role::Pax => before.pax = self.pax(header.size)?,
                Role::PaxForAll => self.for_all = self.pax(header.size)?,
                Role::LongName => before.name = Some(self.extension(header.size)?),
                Role::LongTarget => before.target = Some(self.extension(header.size)?),
            }
        }
    }

    /// The content of the member that [`Tar::next`] gave last, at most `limit` bytes.
    pub(crate) fn content(&mut self, member: &Member, limit: usize) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(member.size).ok().filter(|length| *length <= limit);
        let length = length.ok_or(BadTar::Damaged("a file is longer than anybody needs"))?;
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        self.pending = padding(member.size);
        Ok(bytes)
    }

    /// Reads what stands behind the end: zeros fill the last block, everything else is hidden from other readers.
    pub(crate) fn finish(mut self) -> Result<R, Error> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.take(&mut buffer)? {
                0 => return Ok(self.input),
                count if buffer.get(..count).unwrap_or_default().iter().all(|byte| *byte == 0) => {}
                _ => return Err(BadTar::Trailing.into()),
            }
        }
    }

    fn member(&mut self, kind: Type, header: Header, before: Before) -> Result<Member, Error> {
        let Before { pax, name, target } = before;
        let for_all = &self.for_all;
        let size = pax.size.or(for_all.size).unwrap_or(header.size);
        let raw_name = pax.name.or_else(|| for_all.name.clone()).or(name);
        let ambiguous_name = raw_name.is_none() && header.ambiguous_name;
        let raw_target = pax.target.or_else(|| for_all.target.clone()).or(target).unwrap_or(header.target);
        let sparse = pax.sparse || for_all.sparse;
        let kind = if sparse { Type::Sparse } else { kind };
        let has_content = matches!(kind, Type::File | Type::Sparse | Type::Special);
        let text = raw_name.unwrap_or(header.name);
        let member = Member {
            name: String::from_utf8_lossy(&text).into_owned(),
            kind,
            target: String::from_utf8_lossy(&raw_target).into_owned(),
            size: if has_content { size } else { 0 },
        };
        if self.strict {
            let ambiguous = [
                (std::str::from_utf8(&text).is_err() || pax.binary || for_all.binary, "its name is not UTF-8"),
                (ambiguous_name, "its name has a prefix that only some read"),
                (size != header.size, "it has two lengths"),
                (!has_content && size > 0, "it has a length and no content"),
                (!for_all.is_empty(), "a header for all members says how to find them"),
            ];
            if let Some((_, what)) = ambiguous.into_iter().find(|(is, _)| *is) {
                return Err(BadTar::Ambiguous { name: member.name, what }.into());
            }
        }
        self.pending = member.size.checked_add(padding(member.size)).ok_or(BadTar::Bomb)?;
        Ok(member)
    }

    fn pax(&mut self, size: u64) -> Result<Pax, Error> {
        let bytes = self.extension(size)?;
        Ok(Pax::parse(&bytes).ok_or(BadTar::Damaged("a pax header is none"))?)
    }

    /// The content of a header about the next one, up to its NUL if it has one at the end.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > EXTENSION_MAX {
            return Err(BadTar::LongHeader.into());
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.fill(&mut bytes)?;
        self.pending = padding(size);
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(bytes)
    }

    /// The next block; None where the stream ends between blocks.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.take(rest)? {
                0 if filled == 0 && self.read > 0 => return Ok(None),
                0 if self.read < BLOCK as u64 => return Err(BadTar::NotTar.into()),
                0 => return Err(BadTar::Damaged("it ends in a header").into()),
                count => filled += count,
            }
        }
        Ok(Some(block))
    }

    fn fill(&mut self, mut into: &mut [u8]) -> Result<(), Error> {
        while !into.is_empty() {
            match self.take(into)? {
                0 => return Err(BadTar::Damaged("it ends in a member").into()),
                count => into = into.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    fn skip(&mut self, mut count: u64) -> Result<(), Error> {
        let mut buffer = [0; 16 << 10];
        while count > 0 {
            let wanted = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
            let part = buffer.get_mut(..wanted).unwrap_or_default();
            self.fill(part)?;
            count -= wanted as u64;
        }
        Ok(())
    }

    fn take(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let count = self.input.read(into).map_err(classify)?;
        self.read += count as u64;
        if self.limits.is_bomb(self.packed, self.read) { Err(BadTar::Bomb.into()) } else { Ok(count) }
    }
}

/// Decoders report what is wrong with the data by these kinds; all others come from the disk.
pub(crate) fn classify(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            BadTar::Compression.into()
        }
        _ => Error::Read(error),
    }
}

/// Content is padded to whole blocks.
fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

impl From<BadTar> for Error {
    fn from(bad: BadTar) -> Self {
        Fault::from(bad).into()
    }
}
