//! A project as people and their tools look at it: its releases, and what the newest says about itself.
//!
//! The files are those of its page of the Simple API, from wherever that is put together. What a release says is read
//! from its archive, where that lies in a folder of ours; of an upstream's only what its page tells is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use opsctl_dist::simple::{self, ProjectStatus, State, Yanked};
use opsctl_dist::{FileName, Level, Metadata, ProjectName, Version};
use opsctl_http::{Client, HttpError};

use super::simple::{no_index, refused};
use super::{InIndex, Site};
use crate::access::Reader;
use crate::catalog::{Digest, File, Project, render};
use crate::metadata;
use crate::routes::Page;

/// From a page of the Simple API to the top of its index, where provenance is as well.
const TOP: &str = "../..";

/// A project of an index.
pub(super) struct About {
    pub(super) name: ProjectName,
    pub(super) status: Option<ProjectStatus>,
    /// The oldest version first.
    pub(super) releases: BTreeMap<Version, Vec<simple::File>>,
}

impl About {
    /// The project that `asked` names in any spelling, for one who may read it.
    pub(super) async fn of(site: &Site, index: &str, reader: Reader<'_>, asked: &str) -> Result<About, HttpError> {
        site.routes.chain(index).ok_or_else(no_index)?;
        let nothing = || HttpError::not_found("there is no such project here");
        let name = ProjectName::parse(asked).map_err(|_| nothing())?;
        reader.check(name.normalized())?;
        let page = site.routes.page(index, name.normalized()).await.map_err(refused)?.ok_or_else(nothing)?;
        Ok(match page {
            Page::Own(project) => About::own(&project),
            Page::Blend(blend) => About::page(name, blend.page(Some(TOP))),
        })
    }

    fn own(project: &Project) -> About {
        let mut releases: BTreeMap<Version, Vec<simple::File>> = BTreeMap::new();
        for file in project.offered() {
            if let Ok(version) = Version::legacy(&file.version) {
                releases.entry(version).or_default().push(render::entry(file, project.name.normalized(), Some(TOP)));
            }
        }
        About { name: project.name.clone(), status: project.status.clone(), releases }
    }

    fn page(name: ProjectName, page: simple::Page) -> About {
        let mut releases: BTreeMap<Version, Vec<simple::File>> = BTreeMap::new();
        let hidden = page.status.as_ref().is_some_and(|status| status.state == State::Quarantined);
        for file in page.files.into_iter().filter(|_| !hidden) {
            if let Ok(parsed) = FileName::parse(&file.filename, Some(&name), Level::Lenient) {
                releases.entry(parsed.version().clone()).or_default().push(file);
            }
        }
        About { name, status: page.status, releases }
    }

    /// The release that an installer would take: the last that is neither yanked nor a prerelease, if there is one.
    pub(super) fn newest(&self) -> Option<(&Version, &[simple::File])> {
        let last = |good: &dyn Fn(&Version, &[simple::File]) -> bool| {
            self.releases.iter().rev().find(|(version, files)| good(version, files))
        };
        let found = last(&|version, files| !version.is_prerelease() && !version.is_legacy() && !is_yanked(files))
            .or_else(|| last(&|_, files| !is_yanked(files)))
            .or_else(|| last(&|_, _| true));
        found.map(|(version, files)| (version, &**files))
    }

    /// The release `version` names in any spelling.
    pub(super) fn release(&self, version: &str) -> Option<(&Version, &[simple::File])> {
        let version = Version::legacy(version).ok()?;
        self.releases.get_key_value(&version).map(|(version, files)| (version, &**files))
    }
}

/// Whether nothing of a release is to be installed by itself.
pub(super) fn is_yanked(files: &[simple::File]) -> bool {
    files.iter().all(|file| file.yanked != Yanked::No)
}

/// Why a file is yanked, if it is.
pub(super) fn yanked(file: &simple::File) -> Option<&str> {
    match &file.yanked {
        Yanked::No => None,
        Yanked::Yes => Some(""),
        Yanked::Because(reason) => Some(reason),
    }
}

/// What a release says about itself: of its files the first that says anything. Nothing, if none is ours.
pub(super) async fn metadata_of(site: &Site, index: &str, files: &[simple::File]) -> Result<Metadata, HttpError> {
    let chain = site.routes.chain(index).ok_or_else(no_index)?;
    let snapshot = Arc::clone(&site.catalog.snapshot());
    let ours = |file: &simple::File| {
        let digest: Digest = file.hash("sha256")?.parse().ok()?;
        let mut indexes = chain.folders().filter_map(|name| snapshot.index(name));
        indexes.find_map(|index| index.file(&digest, &file.filename)).map(Arc::clone)
    };
    let mut files: Vec<Arc<File>> = files.iter().filter_map(ours).collect();
    // a wheel is read in a moment
    files.sort_by_key(|file| !file.filename.ends_with(".whl"));
    let read = tokio::task::spawn_blocking(move || files.iter().find_map(|file| metadata::about(file)));
    Ok(read.await.map_err(HttpError::internal)?.unwrap_or_default())
}

/// Where the asker sees the top of the index that it asks about: `https://packages.example/stage`, without a slash.
pub(super) struct Here(pub(super) String);

impl FromRequestParts<Arc<Site>> for Here {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Here, HttpError> {
        let InIndex(index) = InIndex::from_request_parts(parts, site).await.map_err(|_| no_index())?;
        // a name without a slash stands in the path, or nowhere
        let below = parts.uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(&*index));
        let below = below.is_some_and(|rest| rest.starts_with('/'));
        let top = if below { format!("/{index}") } else { String::new() };
        if let Some(public) = &site.public {
            return Ok(Here(format!("{public}{top}")));
        }
        let secure = parts.extensions.get::<Client>().is_some_and(|client| client.secure);
        let named = parts.headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let named = named.or_else(|| parts.uri.authority().cloned()).filter(|host| !host.as_str().contains('@'));
        let host = named.as_ref().map_or("localhost", Authority::as_str);
        let scheme = if secure { "https" } else { "http" };
        Ok(Here(format!("{scheme}://{host}{top}")))
    }
}

impl Here {
    /// An address on a project's page, seen from anywhere.
    pub(super) fn absolute(&self, url: &str) -> String {
        url.strip_prefix("../../").map_or_else(|| url.to_owned(), |rest| format!("{}/{rest}", self.0))
    }
}
