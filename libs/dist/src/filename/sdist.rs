//! Names of source distributions: `{name}-{version}.tar.gz` (PEP 625), and what was used before.

use super::{BadFileName, FileName, Kind, Reader};
use crate::{Level, ProjectName, Version, normalize};

pub(super) fn parse(reader: &Reader<'_>) -> Result<FileName, BadFileName> {
    Ok(reader.done(split(reader, reader.stem, "a source distribution")?, Kind::Sdist, "source"))
}

/// `name-version`, where both can have a `-`.
pub(super) fn split(
    reader: &Reader<'_>,
    stem: &str,
    kind: &'static str,
) -> Result<(ProjectName, Version), BadFileName> {
    if let Some(project) = reader.project {
        let ends = cuts(stem).find(|(name, _)| normalize(name) == project.normalized());
        let (name, version) = ends.ok_or_else(|| reader.other_project(project))?;
        return Ok((reader.name(name)?, reader.version(version)?));
    }
    let Some((name, version)) = stem.rsplit_once('-') else {
        return Err(reader.parts(kind, "name-version"));
    };
    let strict = (reader.name(name)?, Version::parse(version));
    match strict {
        (name, Ok(version)) => Ok((name, version)),
        (name, Err(_)) if reader.level == Level::Strict => Ok((name, reader.version(version)?)),
        // `foo-0.9.6dev-r1234`: a version begins with a digit, and a name's part rarely does
        (name, Err(_)) => match cuts(stem).find(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit())) {
            Some((name, rest)) => Ok((reader.name(name)?, reader.version(rest)?)),
            None => Ok((name, reader.version(version)?)),
        },
    }
}

/// All ways to cut `stem` at a `-`.
fn cuts(stem: &str) -> impl Iterator<Item = (&str, &str)> {
    stem.match_indices('-').filter_map(|(at, _)| Some((stem.get(..at)?, stem.get(at + 1..)?)))
}
