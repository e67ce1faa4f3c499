//! Wheels: the one folder `{name}-{version}.dist-info` with METADATA, WHEEL and RECORD in it (binary distribution format).

mod entry_points;
mod record;

use std::collections::{BTreeSet, HashSet};

use super::METADATA_LIMIT;
use super::contents::Contents;
use crate::archive::source::Source;
use crate::archive::zip::{Entry, Zip};
use crate::level::Findings;
use crate::{Error, Fault, FileName, Level, Limits, ProjectName, Tags, Version};

/// Most bytes of WHEEL and of entry_points.txt that are read.
const SMALL_MAX: usize = 1 << 20;

/// What is wrong with a wheel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadWheel {
    /// No `.dist-info` of that name and version.
    #[error("the wheel does not contain the folder `{0}`")]
    NoFolder(String),
    /// Folders `.dist-info` of more than one distribution.
    #[error("the wheel has more than one folder for metadata, among them `{0}` and `{1}`")]
    TwoFolders(String, String),
    /// METADATA, WHEEL or RECORD is missing.
    #[error("the wheel does not contain the required file `{0}`")]
    Missing(String),
    /// WHEEL is no UTF-8, or has no version.
    #[error("WHEEL is malformed")]
    Wheel,
    /// A version of the format that is not known.
    #[error("the wheel has version `{}` of the format; 1 is known", .0.escape_debug())]
    Version(String),
    /// WHEEL and the file name have different tags.
    #[error("the wheel's tags `{inside}` are not those of its name, `{name}`")]
    Tags {
        /// In WHEEL.
        inside: String,
        /// In the file name.
        name: String,
    },
    /// RECORD is no table.
    #[error("RECORD is malformed in line {0}")]
    Record(usize),
    /// A file that RECORD does not list.
    #[error("RECORD does not list `{}`", .0.escape_debug())]
    Unlisted(String),
    /// A file that only RECORD has.
    #[error("RECORD lists `{}`, which is not in the wheel", .0.escape_debug())]
    NotThere(String),
    /// A file whose digest in RECORD is another.
    #[error("`{}` has another digest than RECORD says", .0.escape_debug())]
    Digest(String),
    /// A file without a digest in RECORD, or with a weak one.
    #[error("RECORD has no SHA-256, SHA-384 or SHA-512 of `{}`", .0.escape_debug())]
    NoDigest(String),
    /// entry_points.txt cannot be read.
    #[error("entry_points.txt is malformed in line {0}")]
    EntryPoints(usize),
    /// The name of a script that is none.
    #[error("`{}` in entry_points.txt is no name for a script", .0.escape_debug())]
    EntryPoint(String),
}

pub(super) fn read(
    source: Source<'_>,
    name: &FileName,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Contents, Error> {
    let zip = Zip::open(source, limits)?;
    let strict = findings.level() != Level::Lenient;
    if strict {
        zip.check(limits)?;
    }
    let folder = folder(&zip, name, findings)?;
    let metadata = zip.read(member(&zip, &folder, "METADATA")?, METADATA_LIMIT)?;
    let mut contents = Contents::only(Some(metadata));
    if strict {
        check_wheel(&zip, &folder, name, findings)?;
        entry_points::check(&zip, &folder, findings)?;
        record::check(&zip, &folder, findings)?;
        contents.licences = format!("{folder}/licenses/");
        contents.names = Some(files(&zip).map(|entry| entry.name.clone()).collect());
    } else {
        record::glance(&zip, &folder, findings);
    }
    Ok(contents)
}

/// `foo-1.0.dist-info` as the archive spells it.
fn folder(zip: &Zip<'_>, name: &FileName, findings: &mut Findings) -> Result<String, Fault> {
    let mut found: Option<&str> = None;
    for entry in &zip.entries {
        let Some((folder, _)) = entry.name.split_once('/') else { continue };
        if !folder.ends_with(".dist-info") || found == Some(folder) {
            continue;
        }
        if let Some(former) = found {
            findings.object(BadWheel::TwoFolders(former.to_owned(), folder.to_owned()))?;
        }
        if found.is_none() || is_of(folder, name) {
            found = Some(folder);
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
    zip.find(&wanted).ok_or_else(|| BadWheel::Missing(wanted).into())
}

fn files<'z>(zip: &'z Zip<'_>) -> impl Iterator<Item = &'z Entry> {
    zip.entries.iter().filter(|entry| !entry.is_folder())
}

/// WHEEL names a version of the format that is known, and the tags of the file name.
fn check_wheel(zip: &Zip<'_>, folder: &str, name: &FileName, findings: &mut Findings) -> Result<(), Error> {
    let bytes = zip.read(member(zip, folder, "WHEEL")?, SMALL_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| BadWheel::Wheel)?;
    let values = |wanted: &str| {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        let found = fields.filter(move |(key, _)| key.trim().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim()).collect::<Vec<_>>()
    };
    let versions = values("Wheel-Version");
    let version = versions.first().ok_or(BadWheel::Wheel)?;
    if version.split('.').next() != Some("1") {
        return Err(BadWheel::Version((*version).to_owned()).into());
    }
    let inside: BTreeSet<_> = values("Tag").into_iter().collect();
    let expected: Vec<_> = name.tags().map(Tags::expanded).unwrap_or_default();
    if !inside.iter().copied().eq(BTreeSet::from_iter(expected.iter().map(String::as_str))) {
        let inside = inside.into_iter().collect::<Vec<_>>().join(", ");
        let name = name.tags().map(ToString::to_string).unwrap_or_default();
        findings.warn(BadWheel::Tags { inside, name });
    }
    Ok(())
}

impl From<BadWheel> for Error {
    fn from(bad: BadWheel) -> Self {
        Fault::from(bad).into()
    }
}
