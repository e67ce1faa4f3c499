//! Pages in JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use url::Url;

use super::{BadPage, FILES_MAX, PROJECTS_MAX, check_version, hash, keep, resolve, said};
use crate::ProjectName;
use crate::simple::{CoreMetadata, File, List, Page, ProjectStatus, State, Yanked};

/// A value of the right kind, or nothing: one odd value costs no page.
#[derive(Debug)]
struct Loose<T>(Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Loose(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, bound = "T: DeserializeOwned")]
        enum Either<T> {
            Right(T),
            Wrong(IgnoredAny),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Right(value) => Loose(Some(value)),
            Either::Wrong(IgnoredAny) => Loose(None),
        })
    }
}

/// The elements of the right kind, up to a number; what follows is read and dropped.
#[derive(Debug)]
struct Bounded<T, const MAX: usize> {
    elements: Vec<T>,
    more: bool,
}

impl<T, const MAX: usize> Bounded<T, MAX> {
    fn all(self) -> Result<Vec<T>, BadPage> {
        if self.more { Err(BadPage::TooMany(MAX)) } else { Ok(self.elements) }
    }
}

impl<'de, T: DeserializeOwned, const MAX: usize> Deserialize<'de> for Bounded<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: DeserializeOwned, const MAX: usize> Visitor<'de> for Elements<T, MAX> {
            type Value = Bounded<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() < MAX
                    && let Some(Loose(element)) = array.next_element()?
                {
                    elements.extend(element);
                }
                let mut more = false;
                while let Some(IgnoredAny) = array.next_element()? {
                    more = true;
                }
                Ok(Bounded { elements, more })
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version", default)]
    api_version: Loose<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WirePage {
    #[serde(default)]
    meta: Loose<Meta>,
    #[serde(default)]
    project_status: Loose<WireStatus>,
    #[serde(default)]
    versions: Loose<Vec<String>>,
    files: Bounded<WireFile, FILES_MAX>,
}

#[derive(Deserialize)]
struct WireList {
    #[serde(default)]
    meta: Loose<Meta>,
    projects: Bounded<WireName, PROJECTS_MAX>,
}

#[derive(Deserialize)]
struct WireName {
    name: String,
}

#[derive(Deserialize)]
struct WireStatus {
    status: String,
    #[serde(default)]
    reason: Loose<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Loose<BTreeMap<String, String>>,
    #[serde(default)]
    requires_python: Loose<String>,
    #[serde(default)]
    core_metadata: Loose<WireMetadata>,
    #[serde(default)]
    dist_info_metadata: Loose<WireMetadata>,
    #[serde(default)]
    data_dist_info_metadata: Loose<WireMetadata>,
    #[serde(default)]
    gpg_sig: Loose<bool>,
    #[serde(default)]
    yanked: Loose<WireYanked>,
    #[serde(default)]
    size: Loose<u64>,
    #[serde(default)]
    upload_time: Loose<String>,
    #[serde(default)]
    provenance: Loose<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireMetadata {
    Is(bool),
    Hashes(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireYanked {
    Is(bool),
    Because(String),
}

pub(super) fn page(body: &[u8], base: &Url, name: &str) -> Result<Page, BadPage> {
    let wire: WirePage = serde_json::from_slice(body).map_err(BadPage::Json)?;
    check_version(wire.meta.0.and_then(|meta| meta.api_version.0).as_deref())?;
    let status = wire.project_status.0.and_then(|status| {
        let state = State::from_marker(&status.status)?;
        Some(ProjectStatus { state, reason: status.reason.0.and_then(said) })
    });
    let files = wire.files.all()?.into_iter().filter_map(|file| self::file(file, base)).collect();
    Ok(Page { name: name.to_owned(), status, versions: wire.versions.0.unwrap_or_default(), files })
}

pub(super) fn list(body: &[u8]) -> Result<List, BadPage> {
    let wire: WireList = serde_json::from_slice(body).map_err(BadPage::Json)?;
    check_version(wire.meta.0.and_then(|meta| meta.api_version.0).as_deref())?;
    let projects = wire.projects.all()?;
    Ok(List { projects: projects.iter().filter_map(|wire| ProjectName::parse(&wire.name).ok()).collect() })
}

fn file(wire: WireFile, base: &Url) -> Option<File> {
    let (url, _) = resolve(base, &wire.url)?;
    let metadata = wire.core_metadata.0.or(wire.dist_info_metadata.0).or(wire.data_dist_info_metadata.0);
    keep(File {
        filename: wire.filename,
        url: url.into(),
        hashes: hashes(wire.hashes.0.unwrap_or_default()),
        requires_python: wire.requires_python.0.and_then(said),
        core_metadata: match metadata {
            None => CoreMetadata::Unknown,
            Some(WireMetadata::Is(false)) => CoreMetadata::Absent,
            Some(WireMetadata::Is(true)) => CoreMetadata::Present,
            Some(WireMetadata::Hashes(table)) => match hashes(table) {
                known if known.is_empty() => CoreMetadata::Present,
                known => CoreMetadata::Hashes(known),
            },
        },
        gpg_sig: wire.gpg_sig.0,
        yanked: match wire.yanked.0 {
            None | Some(WireYanked::Is(false)) => Yanked::No,
            Some(WireYanked::Is(true)) => Yanked::Yes,
            Some(WireYanked::Because(reason)) if reason.is_empty() => Yanked::No,
            Some(WireYanked::Because(reason)) => Yanked::Because(reason),
        },
        size: wire.size.0,
        upload_time: wire.upload_time.0.and_then(|text| text.parse().ok()),
        provenance: wire.provenance.0.and_then(said),
    })
}

fn hashes(table: BTreeMap<String, String>) -> Vec<(String, String)> {
    table.iter().filter_map(|(algorithm, digest)| hash(algorithm, digest)).collect()
}
