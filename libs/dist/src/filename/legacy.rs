//! Names of what was built before wheels: eggs, and distutils' installers, RPMs and dumb copies.

use super::sdist::split;
use super::{BadFileName, Container, FileName, Kind, Reader};

/// How distutils' names of platforms begin, after the version and a dot.
const PLATFORMS: &[&str] = &["win32", "win-", "linux-", "macosx-", "cygwin-", "freebsd-", "solaris-", "aix-"];

/// `foo_bar-1.0-py2.5(-linux-i686).egg`, with `_` for each `-` in name and version.
pub(super) fn egg(reader: &Reader<'_>) -> Result<FileName, BadFileName> {
    let mut parts = reader.stem.splitn(4, '-');
    let (Some(name), Some(version)) = (parts.next(), parts.next()) else {
        return Err(reader.parts("an egg", "name-version(-pyX.Y(-platform)).egg"));
    };
    let python = match parts.next() {
        None => "any",
        Some(tag) => match tag.strip_prefix("py") {
            Some(python) if !python.is_empty() => python,
            _ => return Err(reader.parts("an egg", "name-version(-pyX.Y(-platform)).egg")),
        },
    };
    let facts = (reader.name(name)?, reader.escaped_version(version)?);
    Ok(reader.done(facts, Kind::Egg, python))
}

/// Is it `foo-1.0.linux-x86_64` of a dumb copy?
pub(super) fn is_dumb(stem: &str) -> bool {
    split_platform(stem).is_some_and(|(front, _)| front.contains('-'))
}

/// `foo-1.0.linux-x86_64.tar.gz`
pub(super) fn dumb(reader: &Reader<'_>) -> Result<FileName, BadFileName> {
    let (front, _) = split_platform(reader.stem).unwrap_or((reader.stem, ""));
    let done = reader.done(split(reader, front, "a dumb distribution")?, Kind::Dumb, "any");
    Ok(FileName { container: Container::Opaque, ..done })
}

/// `foo-1.0.win32.exe`, `foo-1.0.win-amd64-py2.7.msi`
pub(super) fn windows(reader: &Reader<'_>, kind: Kind) -> Result<FileName, BadFileName> {
    let Some((front, platform)) = split_platform(reader.stem) else {
        return Err(reader.parts("an installer", "name-version.platform(-pyX.Y)"));
    };
    let python = platform.rsplit_once("-py").map_or("any", |(_, python)| python);
    Ok(reader.done(split(reader, front, "an installer")?, kind, python))
}

/// `foo-1.0-1.noarch.rpm`
pub(super) fn rpm(reader: &Reader<'_>) -> Result<FileName, BadFileName> {
    let front = reader.stem.rsplit_once('.').and_then(|(front, _)| front.rsplit_once('-'));
    let Some((front, _)) = front else {
        return Err(reader.parts("an RPM", "name-version-release.architecture.rpm"));
    };
    Ok(reader.done(split(reader, front, "an RPM")?, Kind::Rpm, "any"))
}

fn split_platform(stem: &str) -> Option<(&str, &str)> {
    let mut dots = stem.match_indices('.').filter_map(|(at, _)| Some((stem.get(..at)?, stem.get(at + 1..)?)));
    dots.find(|(_, rest)| PLATFORMS.iter().any(|platform| rest.starts_with(platform)))
}
