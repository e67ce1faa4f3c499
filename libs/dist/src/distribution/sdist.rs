//! Source distributions: an archive with one folder, and PKG-INFO in it.

use super::METADATA_LIMIT;
use crate::archive::source::Source;
use crate::archive::zip::Zip;
use crate::level::Findings;
use crate::{Container, Error, Limits};

/// What is wrong with a source distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSdist {
    /// No PKG-INFO in the top folder.
    #[error("the source distribution has no PKG-INFO in its folder")]
    NoPkgInfo,
}

/// The bytes of PKG-INFO.
pub(super) fn metadata(
    source: Source<'_>,
    container: Container,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Option<Vec<u8>>, Error> {
    let found = match container {
        Container::Zip => from_zip(source, limits)?,
        Container::Tar | Container::TarGz | Container::TarBz2 | Container::Opaque => return Ok(None),
    };
    if found.is_none() {
        findings.object(BadSdist::NoPkgInfo)?;
    }
    Ok(found)
}

fn from_zip(source: Source<'_>, limits: &Limits) -> Result<Option<Vec<u8>>, Error> {
    let zip = Zip::open(source, limits)?;
    let entry = zip.entries.iter().find(|entry| is_pkg_info(&entry.name));
    entry.map(|entry| zip.read(entry, METADATA_LIMIT)).transpose()
}

/// Is it PKG-INFO of the top folder?
fn is_pkg_info(name: &str) -> bool {
    let mut parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.next().is_some() && parts.next() == Some("PKG-INFO") && parts.next().is_none()
}
