//! Core metadata: METADATA of wheels, PKG-INFO of source distributions and eggs.
//!
//! All fields up to version 2.6. A later minor version is read as far as it is known, with a warning, and never refused:
//! an index that refuses what it does not know yet is in the way of everyone who does. Texts stay as they were written;
//! what a program decides by (name, version, requires-python) is checked.

mod fields;
mod message;

use crate::level::Findings;
use crate::{BadName, BadVersion, Dependency, Fault, Level, ProjectName, Version};

/// Most bytes of metadata that are read; the largest known descriptions have a few hundred thousand.
pub const METADATA_MAX: usize = 1 << 20;

/// Longest summary in characters that a new upload may have, as on the public index.
pub const SUMMARY_MAX: usize = 512;

/// The versions of the specification that are known.
const VERSIONS: &[&str] = &["1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"];

/// The fields that resolvers look at, besides name and version.
const RESOLVED: &[&str] = &["requires-dist", "requires-python", "provides-extra"];

/// What a distribution says about itself. The fields' names are those of the specification; what can be repeated is in
/// plural.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `2.4`; empty if the file has none.
    pub metadata_version: String,
    /// As written; compared and checked where it is used.
    pub name: String,
    /// As written.
    pub version: String,
    /// Fields that a build of this source distribution may change, in lower case (PEP 643).
    pub dynamic: Vec<String>,
    /// `Platform`.
    pub platforms: Vec<String>,
    /// `Supported-Platform`.
    pub supported_platforms: Vec<String>,
    /// One line.
    pub summary: Option<String>,
    /// The long text, from the body or from the header, there with the indentation taken off.
    pub description: Option<String>,
    /// `text/markdown; charset=UTF-8`; None means reStructuredText.
    pub description_content_type: Option<String>,
    /// Split at commas, or at white space if there are none.
    pub keywords: Vec<String>,
    /// `Home-page`.
    pub home_page: Option<String>,
    /// `Download-URL`.
    pub download_url: Option<String>,
    /// `Author`.
    pub author: Option<String>,
    /// `Author-email`: addresses, with names or without.
    pub author_email: Option<String>,
    /// `Maintainer`.
    pub maintainer: Option<String>,
    /// `Maintainer-email`.
    pub maintainer_email: Option<String>,
    /// `License`: a name or the whole text.
    pub license: Option<String>,
    /// An SPDX expression (PEP 639).
    pub license_expression: Option<String>,
    /// Paths of licences in the distribution.
    pub license_files: Vec<String>,
    /// `Classifier`.
    pub classifiers: Vec<String>,
    /// Dependencies as written; [`Metadata::dependencies`] reads them.
    pub requires_dist: Vec<String>,
    /// Which versions of Python: a specifier of PEP 440, or what somebody took for one.
    pub requires_python: Option<String>,
    /// `Requires-External`.
    pub requires_external: Vec<String>,
    /// Label and URL, in their order.
    pub project_urls: Vec<(String, String)>,
    /// `Provides-Extra`.
    pub provides_extra: Vec<String>,
    /// `Provides-Dist`.
    pub provides_dist: Vec<String>,
    /// `Obsoletes-Dist`.
    pub obsoletes_dist: Vec<String>,
    /// `Import-Name` (PEP 794).
    pub import_names: Vec<String>,
    /// `Import-Namespace` (PEP 794).
    pub import_namespaces: Vec<String>,
    /// `Requires`, of metadata 1.1.
    pub requires: Vec<String>,
    /// `Provides`, of metadata 1.1.
    pub provides: Vec<String>,
    /// `Obsoletes`, of metadata 1.1.
    pub obsoletes: Vec<String>,
}

/// What is wrong with metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadMetadata {
    /// More than [`METADATA_MAX`] bytes.
    #[error("the metadata has more than {METADATA_MAX} bytes")]
    TooLong,
    /// Thousands of fields.
    #[error("the metadata has too many fields")]
    TooManyFields,
    /// U+FEFF in front.
    #[error("the metadata starts with a byte order mark")]
    ByteOrderMark,
    /// A line that is neither a field nor the continuation of one.
    #[error("`{}` is no field of metadata", .0.escape_debug())]
    NoField(String),
    /// Bytes that are no UTF-8 in a field.
    #[error("`{0}` in the metadata is not UTF-8")]
    NotUtf8(String),
    /// A NUL in a field.
    #[error("`{0}` in the metadata has a NUL")]
    Nul(String),
    /// A field that must be there.
    #[error("the metadata has no `{0}`")]
    Missing(&'static str),
    /// A field that can be there once only; the first counts.
    #[error("the metadata has more than one `{0}`")]
    Repeated(String),
    /// A version of the specification that does not exist, or a major one that is not known.
    #[error("`{}` is no known version of metadata", .0.escape_debug())]
    UnknownVersion(String),
    /// A minor version of the specification that came later than this program.
    #[error("metadata version `{0}` is newer than this program: fields that it brings are not shown")]
    NewerVersion(String),
    /// The name is none.
    #[error(transparent)]
    Name(#[from] BadName),
    /// The version is none.
    #[error(transparent)]
    Version(#[from] BadVersion),
    /// `Requires-Python` is no specifier.
    #[error("`{}` is no valid `Requires-Python`", .0.escape_debug())]
    RequiresPython(String),
    /// A dependency that is none.
    #[error("`{}` is no valid `Requires-Dist`", .0.escape_debug())]
    RequiresDist(String),
    /// More than [`SUMMARY_MAX`] characters, or lines.
    #[error("the summary has more than one line, or more than {SUMMARY_MAX} characters")]
    Summary,
    /// Both ways to give a licence.
    #[error("the metadata has `License` and `License-Expression`; only the latter should be there")]
    TwoLicenses,
}

impl Metadata {
    /// Reads METADATA or PKG-INFO, and says what is wrong with it but does not matter at that level.
    ///
    /// # Errors
    /// The first thing that does.
    pub fn parse(bytes: &[u8], level: Level) -> Result<(Metadata, Vec<Fault>), Fault> {
        let mut findings = Findings::new(level);
        let metadata = Metadata::read(bytes, &mut findings)?;
        Ok((metadata, findings.into_warnings()))
    }

    pub(crate) fn read(bytes: &[u8], findings: &mut Findings) -> Result<Metadata, Fault> {
        if bytes.len() > METADATA_MAX {
            return Err(BadMetadata::TooLong.into());
        }
        let metadata = fields::collect(message::read(bytes, findings)?, findings)?;
        metadata.check(findings)?;
        Ok(metadata)
    }

    fn check(&self, findings: &mut Findings) -> Result<(), Fault> {
        self.check_metadata_version(findings)?;
        if let Err(bad) = ProjectName::parse(&self.name) {
            findings.object(required(bad, BadName::Empty, "Name"))?;
        }
        let version = match findings.level() {
            Level::Strict => Version::parse(&self.version),
            Level::Legacy | Level::Lenient => Version::legacy(&self.version),
        };
        if let Err(bad) = version {
            findings.object(required(bad, BadVersion::Empty, "Version"))?;
        }
        if let Some(text) = &self.requires_python
            && text.parse::<pep440_rs::VersionSpecifiers>().is_err()
        {
            findings.object_to_new(BadMetadata::RequiresPython(text.clone()))?;
        }
        for bad in self.dependencies().filter_map(Result::err) {
            findings.warn(bad);
        }
        let summary = self.summary.as_deref().unwrap_or_default();
        if summary.chars().count() > SUMMARY_MAX {
            findings.object_to_new(BadMetadata::Summary)?;
        }
        if self.license.is_some() && self.license_expression.is_some() {
            findings.object_to_new(BadMetadata::TwoLicenses)?;
        }
        Ok(())
    }

    fn check_metadata_version(&self, findings: &mut Findings) -> Result<(), Fault> {
        let version = self.metadata_version.as_str();
        let newer = version.strip_prefix("2.").is_some_and(|minor| minor.parse::<u16>().is_ok());
        match version {
            "" => findings.object(BadMetadata::Missing("Metadata-Version")),
            known if VERSIONS.contains(&known) => Ok(()),
            later if newer => {
                findings.warn(BadMetadata::NewerVersion(later.to_owned()));
                Ok(())
            }
            unknown => findings.object(BadMetadata::UnknownVersion(unknown.to_owned())),
        }
    }

    /// Does a build of this source distribution leave everything as it is that a resolver asks for? Then the metadata can be
    /// served beside it: version 2.2 or later, and neither dependencies nor extras nor the versions of Python are dynamic
    /// (PEP 643, PEP 658). Name and version never are. That a build fills in paths of licences, as setuptools does, is
    /// nobody's concern.
    #[must_use]
    pub fn is_static(&self) -> bool {
        let asked_for = |field: &String| RESOLVED.contains(&field.as_str());
        self.is_since(2, 2) && !self.dynamic.iter().any(asked_for)
    }

    /// Is it of that version of the specification, or of a later one?
    pub(crate) fn is_since(&self, major: u16, minor: u16) -> bool {
        let version = self.metadata_version.split_once('.');
        let version = version.and_then(|(major, minor)| major.parse().ok().zip(minor.parse().ok()));
        version.is_some_and(|version: (u16, u16)| version >= (major, minor))
    }

    /// The dependencies that are written as PEP 508 has it, and the texts that are not.
    pub fn dependencies(&self) -> impl Iterator<Item = Result<Dependency<'_>, BadMetadata>> {
        self.requires_dist.iter().map(|text| Dependency::parse(text))
    }
}

fn required<E: PartialEq + Into<BadMetadata>>(bad: E, empty: E, field: &'static str) -> BadMetadata {
    if bad == empty { BadMetadata::Missing(field) } else { bad.into() }
}

#[cfg(test)]
mod tests;
