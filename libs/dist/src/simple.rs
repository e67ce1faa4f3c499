//! Pages of the Simple API (PEP 503, 691, 700, 740, 792): the model, and what it looks like in HTML and JSON.
//!
//! One model for both directions: an index makes [`Page`]s of what it has and renders them, a mirror reads them from an
//! upstream. Rendering is by specification 1.4 (HTML is frozen there by PEP 833); every value is escaped for the place where
//! it stands. A page that is read was written by somebody else: it is bounded, links that are no HTTP URLs and file names
//! that could harm are left out, and what cannot be understood is as if it were not there.

mod html;
mod json;
mod negotiate;
mod parse;
mod time;

pub use html::find_links;
pub use negotiate::{Format, HTML, JSON, NotAcceptable, TEXT, negotiate};
pub use parse::{BadPage, PAGE_MAX};
pub use time::{BadTime, UploadTime};

use crate::{ProjectName, Version};

/// The version of the API that is spoken.
pub const API_VERSION: &str = "1.4";

/// The list of projects, `/simple/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Names are shown as their authors write them; links have the normalised ones.
    pub projects: Vec<ProjectName>,
}

/// What a project offers, `/simple/PROJECT/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The normalised name.
    pub name: String,
    /// Whether the project is still looked after; None says nothing about it.
    pub status: Option<ProjectStatus>,
    /// All versions, without doubles. Pages in HTML have none.
    pub versions: Vec<String>,
    /// All files. A quarantined project offers none, whatever stands here.
    pub files: Vec<File>,
}

/// The state of a project (PEP 792).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectStatus {
    /// Which.
    pub state: State,
    /// Why, for people.
    pub reason: Option<String>,
}

/// The states that there are (PEP 792).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum State {
    /// As usual.
    #[default]
    Active,
    /// Complete: no uploads.
    Archived,
    /// Suspected of harm: no uploads, no files.
    Quarantined,
    /// Should not be used any more.
    Deprecated,
}

/// A file on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub filename: String,
    /// Where it is, without a fragment: absolute, or relative to the page.
    pub url: String,
    /// Names of algorithms in lower case, and digests in hexadecimal digits.
    pub hashes: Vec<(String, String)>,
    /// Which versions of Python it is for.
    pub requires_python: Option<String>,
    /// Is its metadata served at `{url}.metadata`?
    pub core_metadata: CoreMetadata,
    /// Is there a signature at `{url}.asc`? None: unknown.
    pub gpg_sig: Option<bool>,
    /// Was it withdrawn (PEP 592)?
    pub yanked: Yanked,
    /// Bytes. Only pages in HTML do not say.
    pub size: Option<u64>,
    /// When it came to the index.
    pub upload_time: Option<UploadTime>,
    /// URL of its attestations (PEP 740), absolute and of a secure origin.
    pub provenance: Option<String>,
}

/// Is there a metadata file beside a file (PEP 658, PEP 714)?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CoreMetadata {
    /// Nothing is said.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    /// There is one, of unknown digest.
    Present,
    /// There is one with these digests.
    Hashes(Vec<(String, String)>),
}

/// Was a file withdrawn (PEP 592)? Installers then take it only if exactly its version is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Yanked {
    /// It was not.
    #[default]
    No,
    /// It was, without a reason.
    Yes,
    /// It was, and why; not empty.
    Because(String),
}

impl List {
    /// The list in that format.
    #[must_use]
    pub fn render(&self, format: Format) -> Vec<u8> {
        if format.is_html() { self.to_html() } else { self.to_json() }
    }
}

impl Page {
    /// A page of these files: versions and files sorted from old to new, versions in their normal spelling.
    ///
    /// `name` is the normalised name.
    #[must_use]
    pub fn new(name: &str, status: Option<ProjectStatus>, mut files: Vec<(Version, File)>) -> Page {
        files.sort_by(|(one, file), (other, next)| one.cmp(other).then_with(|| file.filename.cmp(&next.filename)));
        let mut versions: Vec<&Version> = files.iter().map(|(version, _)| version).collect();
        versions.dedup();
        let versions = versions.into_iter().map(Version::normalized).collect();
        Page { name: name.to_owned(), status, versions, files: files.into_iter().map(|(_, file)| file).collect() }
    }

    /// The page in that format.
    #[must_use]
    pub fn render(&self, format: Format) -> Vec<u8> {
        if format.is_html() { self.to_html() } else { self.to_json() }
    }

    /// The files that may be shown.
    fn offered(&self) -> &[File] {
        match &self.status {
            Some(ProjectStatus { state: State::Quarantined, .. }) => &[],
            _ => &self.files,
        }
    }
}

impl File {
    /// The digest that a link carries: SHA-256, or else the first of what Python knows for sure.
    #[must_use]
    pub fn link_hash(&self) -> Option<(&str, &str)> {
        best_hash(&self.hashes)
    }

    /// Its digest by that algorithm.
    #[must_use]
    pub fn hash(&self, algorithm: &str) -> Option<&str> {
        self.hashes.iter().find(|(name, _)| name == algorithm).map(|(_, digest)| digest.as_str())
    }
}

/// The algorithms that Python always has, the best first; a link has room for one.
const LINK_HASHES: &[&str] = &["sha256", "sha512", "sha384", "sha224", "sha1", "md5"];

fn best_hash(hashes: &[(String, String)]) -> Option<(&str, &str)> {
    let find = |algorithm: &&str| hashes.iter().find(|(name, _)| name == algorithm);
    let (name, digest) = LINK_HASHES.iter().find_map(find)?;
    Some((name, digest))
}

impl State {
    const ALL: [(State, &'static str); 4] = [
        (State::Active, "active"),
        (State::Archived, "archived"),
        (State::Quarantined, "quarantined"),
        (State::Deprecated, "deprecated"),
    ];

    /// The marker of the specification: `active`, `archived`, `quarantined` or `deprecated`.
    #[must_use]
    pub fn marker(self) -> &'static str {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or("active", |(_, marker)| marker)
    }

    /// The state of that marker; None if there is no such.
    #[must_use]
    pub fn from_marker(marker: &str) -> Option<State> {
        Self::ALL.into_iter().find(|(_, known)| *known == marker).map(|(state, _)| state)
    }

    /// May files be uploaded?
    #[must_use]
    pub fn takes_uploads(self) -> bool {
        matches!(self, State::Active | State::Deprecated)
    }
}

#[cfg(test)]
mod tests;
