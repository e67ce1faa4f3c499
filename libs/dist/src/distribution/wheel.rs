//! Wheels: the one folder `{name}-{version}.dist-info` with METADATA in it (binary distribution format).

use super::METADATA_LIMIT;
use crate::archive::source::Source;
use crate::archive::zip::{Entry, Zip};
use crate::level::Findings;
use crate::{Error, Fault, FileName, Limits, ProjectName, Version};

/// What is wrong with a wheel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadWheel {
    /// No `.dist-info` of that name and version.
    #[error("the wheel has no `{0}`")]
    NoFolder(String),
    /// Folders `.dist-info` of more than one distribution.
    #[error("the wheel has more than one folder for metadata, among them `{0}` and `{1}`")]
    TwoFolders(String, String),
    /// METADATA, WHEEL or RECORD is missing.
    #[error("the wheel has no `{0}`")]
    Missing(String),
}

/// The bytes of METADATA.
pub(super) fn metadata(
    source: Source<'_>,
    name: &FileName,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Vec<u8>, Error> {
    let zip = Zip::open(source, limits)?;
    let folder = folder(&zip, name, findings)?;
    let metadata = member(&zip, &folder, "METADATA")?;
    zip.read(metadata, METADATA_LIMIT)
}

/// `foo-1.0.dist-info` as the archive spells it.
fn folder(zip: &Zip<'_>, name: &FileName, findings: &mut Findings) -> Result<String, Fault> {
    let mut found: Option<&str> = None;
    for entry in &zip.entries {
        let Some((folder, _)) = entry.name.split_once('/') else { continue };
        if !folder.ends_with(".dist-info") || found == Some(folder) {
            continue;
        }
        match found {
            None => found = Some(folder),
            Some(former) => {
                findings.object(BadWheel::TwoFolders(former.to_owned(), folder.to_owned()))?;
                if is_of(folder, name) {
                    found = Some(folder);
                }
            }
        }
    }
    let found = found.filter(|folder| is_of(folder, name));
    found.map(ToOwned::to_owned).ok_or_else(|| BadWheel::NoFolder(name.dist_info()).into())
}

/// Is `folder` spelled `{name}-{version}.dist-info` in some way?
fn is_of(folder: &str, name: &FileName) -> bool {
    let parts = folder.strip_suffix(".dist-info").and_then(|stem| stem.split_once('-'));
    parts.is_some_and(|(project, version)| {
        let same_project = ProjectName::parse(project).is_ok_and(|project| project == *name.project());
        let same_version = |text: &str| Version::legacy(text).is_ok_and(|version| version == *name.version());
        same_project && (same_version(version) || same_version(&version.replace('_', "-")))
    })
}

fn member<'z>(zip: &'z Zip<'_>, folder: &str, file: &str) -> Result<&'z Entry, Fault> {
    let wanted = format!("{folder}/{file}");
    let found = zip.entries.iter().find(|entry| entry.name == wanted);
    found.ok_or_else(|| BadWheel::Missing(wanted).into())
}
