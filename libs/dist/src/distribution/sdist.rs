//! Source distributions: an archive with one folder, and PKG-INFO in it (source distribution format, PEP 721).

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

use super::METADATA_LIMIT;
use super::contents::Contents;
use crate::archive::names;
use crate::archive::source::{self, Source};
use crate::archive::tar::{BadTar, Member, Tar, Type, classify};
use crate::archive::zip::Zip;
use crate::level::Findings;
use crate::{Container, Error, Fault, FileName, Level, Limits};

/// What is wrong with a source distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSdist {
    /// No PKG-INFO in the top folder.
    #[error("PKG-INFO not found in the folder of the source distribution")]
    NoPkgInfo,
    /// PKG-INFO twice: readers take different ones.
    #[error("the source distribution has PKG-INFO twice")]
    TwoPkgInfos,
    /// Not everything is in one folder.
    #[error("incorrect number of top-level directories in sdist")]
    TopFolders,
}

const PKG_INFO: &str = "PKG-INFO";
/// Most bytes of all paths of an upload together; they are kept until its end.
const PATHS_MAX: usize = 32 << 20;
const TAR_BLOCK: usize = 512;

pub(super) fn read(
    source: Source<'_>,
    name: &FileName,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Contents, Error> {
    let contents = match name.container() {
        Container::Zip => from_zip(source, limits, findings)?,
        container => from_tar(source, container, limits, findings)?,
    };
    if contents.metadata.is_none() {
        findings.object(BadSdist::NoPkgInfo)?;
    }
    Ok(contents)
}

fn from_zip(source: Source<'_>, limits: &Limits, findings: &mut Findings) -> Result<Contents, Error> {
    let zip = Zip::open(source, limits)?;
    let mut tree = Tree::default();
    if findings.level() != Level::Lenient {
        zip.check(limits)?;
        zip.check_members()?;
        let file = |name: &str| Member { name: name.to_owned(), kind: Type::File, target: String::new(), size: 0 };
        zip.entries.iter().try_for_each(|entry| tree.take(&file(&entry.name)).map(drop))?;
        tree.check()?;
    }
    let entry = zip.entries.iter().find(|entry| names::is_below_top(&entry.name, PKG_INFO));
    let metadata = entry.map(|entry| zip.read(entry, METADATA_LIMIT)).transpose()?;
    Ok(tree.into_contents(metadata))
}

fn from_tar(
    source: Source<'_>,
    container: Container,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Contents, Error> {
    let input = BufReader::with_capacity(64 << 10, source.reader(0, source.len()));
    match container {
        Container::TarGz => unpack(GzDecoder::new(input), source, limits, findings, GzDecoder::into_inner),
        Container::TarBz2 => unpack(BzDecoder::new(input), source, limits, findings, BzDecoder::into_inner),
        _ => unpack(input, source, limits, findings, |input| input),
    }
}

/// Goes through a tar archive. For an upload to its end, which has to be the end of the file as well; otherwise to PKG-INFO.
fn unpack<'a, R: Read>(
    input: R,
    source: Source<'a>,
    limits: &Limits,
    findings: &mut Findings,
    into_inner: impl FnOnce(R) -> BufReader<source::Reader<'a>>,
) -> Result<Contents, Error> {
    let strict = findings.level() != Level::Lenient;
    let mut tar = Tar::new(input, source.len(), strict, limits);
    let mut tree = Tree::default();
    let mut found = None;
    while let Some(member) = tar.next()? {
        if member.kind == Type::Sparse {
            return Err(BadTar::Sparse(member.name).into());
        }
        if strict {
            check_member(&member)?;
            if !tree.take(&member)? {
                findings.warn(BadTar::Duplicate(member.name.clone()));
            }
        }
        if member.kind != Type::File || !names::is_below_top(&member.name, PKG_INFO) {
            continue;
        }
        if found.is_some() {
            return Err(BadSdist::TwoPkgInfos.into());
        }
        found = Some(tar.content(&member, METADATA_LIMIT)?);
        if !strict {
            break;
        }
    }
    if strict {
        tree.check()?;
        let mut rest = into_inner(tar.finish()?);
        if !rest.fill_buf().map_err(Error::Read)?.is_empty() {
            return Err(BadTar::Trailing.into());
        }
    }
    Ok(tree.into_contents(found))
}

/// A file of a folder may still be on its way there: is its end there? The compression knows, and without one the blocks
/// of zeros at the end of a tar archive tell. A bomb is not unpacked to its end.
pub(super) fn check_end(source: Source<'_>, container: Container, limits: &Limits) -> Result<(), Error> {
    let input = BufReader::with_capacity(64 << 10, source.reader(0, source.len()));
    match container {
        Container::TarGz => unpack_all(GzDecoder::new(input), source, limits),
        Container::TarBz2 => unpack_all(BzDecoder::new(input), source, limits),
        Container::Tar => {
            let last = source.len().saturating_sub(TAR_BLOCK as u64);
            let block = source.read(last, TAR_BLOCK).map_err(Error::Read)?;
            let is_end = block.is_some_and(|block| block.iter().all(|byte| *byte == 0));
            if is_end { Ok(()) } else { Err(BadTar::Damaged("its end is missing").into()) }
        }
        _ => Ok(()),
    }
}

fn unpack_all(mut input: impl Read, source: Source<'_>, limits: &Limits) -> Result<(), Error> {
    let (mut buffer, mut unpacked) = (vec![0; 64 << 10], 0);
    while !limits.is_bomb(source.len(), unpacked) {
        match input.read(&mut buffer).map_err(classify)? {
            0 => break,
            count => unpacked += count as u64,
        }
    }
    Ok(())
}

/// PEP 721: nothing leads out of the folder, and there are files, folders and links only.
fn check_member(member: &Member) -> Result<(), Error> {
    let name = &member.name;
    names::check(name).map_err(|reason| BadTar::Name { name: name.clone(), reason })?;
    let leads_out = match member.kind {
        Type::Special => return Err(BadTar::Special(name.clone()).into()),
        // from the top of the archive
        Type::Hardlink => names::check(&member.target).is_err(),
        // from the folder where it is
        Type::Symlink => {
            let folder = names::parts(name).count().saturating_sub(1);
            leads_out(&member.target, folder)
        }
        Type::File | Type::Folder | Type::Sparse => false,
    };
    if leads_out { Err(BadTar::Link(name.clone()).into()) } else { Ok(()) }
}

/// Does a path that starts `depth` folders below the top leave the top's one folder?
fn leads_out(target: &str, depth: usize) -> bool {
    if target.starts_with('/') || target.contains(['\\', '\0']) || target.is_empty() {
        return true;
    }
    let mut depth = depth;
    names::parts(target).any(|part| {
        let below = if part == ".." { depth.checked_sub(1) } else { Some(depth + 1) };
        depth = below.unwrap_or(0);
        // the top itself is outside: only its one folder is the distribution's
        below.is_none_or(|depth| depth == 0)
    })
}

/// The paths of an upload's members.
#[derive(Debug, Default)]
struct Tree {
    /// The one folder at the top.
    top: Option<String>,
    /// Something is in it.
    is_folder: bool,
    /// Everything that is no folder.
    names: HashSet<String>,
    /// Bytes of them.
    length: usize,
    links: HashSet<String>,
}

impl Tree {
    /// Takes a member in; false if there was one of that name.
    fn take(&mut self, member: &Member) -> Result<bool, Error> {
        let mut parts = names::parts(&member.name);
        // `./` itself
        let Some(first) = parts.next() else { return Ok(true) };
        self.is_folder |= parts.next().is_some();
        match &self.top {
            None => self.top = Some(first.to_owned()),
            Some(top) if top == first => {}
            Some(_) => return Err(BadSdist::TopFolders.into()),
        }
        if member.kind == Type::Folder || member.name.ends_with('/') {
            return Ok(true);
        }
        let path = names::parts(&member.name).collect::<Vec<_>>().join("/");
        self.length = self.length.saturating_add(path.len());
        if self.length > PATHS_MAX {
            return Err(BadTar::TooManyMembers.into());
        }
        if member.kind == Type::Symlink {
            self.links.insert(path.clone());
        }
        Ok(self.names.insert(path))
    }

    fn check(&self) -> Result<(), Error> {
        if !self.is_folder {
            return Err(BadSdist::TopFolders.into());
        }
        // what is below a link lands somewhere else than its name says
        let above = |name: &str| {
            name.match_indices('/').any(|(at, _)| name.get(..at).is_some_and(|it| self.links.contains(it)))
        };
        let below = self.names.iter().find(|name| !self.links.is_empty() && above(name));
        below.map_or(Ok(()), |name| Err(BadTar::Link(name.clone()).into()))
    }

    fn into_contents(self, metadata: Option<Vec<u8>>) -> Contents {
        let licences = self.top.map(|top| format!("{top}/"));
        Contents { metadata, names: licences.is_some().then_some(self.names), licences: licences.unwrap_or_default() }
    }
}

impl From<BadSdist> for Error {
    fn from(bad: BadSdist) -> Self {
        Fault::from(bad).into()
    }
}
