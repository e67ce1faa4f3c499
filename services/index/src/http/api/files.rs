//! Files and releases: looking at them, withdrawing, removing, copying to the next stage.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use opsctl_auth::Action;
use opsctl_dist::Version;
use opsctl_http::HttpError;

use super::answer::{Ask, Body};
use super::projects::{Read, name, read};
use super::views::{File, Files, Promote, Promoted, Removed, Yank, Yanked};
use crate::changes::Selection;
use crate::http::{InIndex, Site};

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let Read { files, serial, .. } = read(&site, &ask.identity, &index, &path).await?;
    let files = files.into_iter().map(|(file, uploader)| File::of(file, uploader)).collect();
    ask.tagged(&site, &Files { files }, serial)
}

pub(super) async fn of_release(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let version = version(&path)?;
    let Read { files, serial, .. } = read(&site, &ask.identity, &index, &path).await?;
    let of_it =
        files.into_iter().filter(|(file, _)| Version::legacy(&file.version).is_ok_and(|other| other == version));
    let files: Vec<File> = of_it.map(|(file, uploader)| File::of(file, uploader)).collect();
    if files.is_empty() {
        return Err(HttpError::not_found("there is no such release in this index"));
    }
    ask.tagged(&site, &Files { files }, serial)
}

pub(super) async fn one(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let wanted = path.get("file").map_or("", |file| file);
    let Read { files, serial, .. } = read(&site, &ask.identity, &index, &path).await?;
    let found = files.into_iter().find(|(file, _)| &*file.filename == wanted);
    let (file, uploader) = found.ok_or_else(|| HttpError::not_found("there is no such file in this index"))?;
    ask.tagged(&site, &File::of(file, uploader), serial)
}

pub(super) async fn yank(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
    Body(Yank { reason }): Body<Yank>,
) -> Result<Response, HttpError> {
    withdraw(&site, &index, &path, &ask, Some(&reason)).await
}

pub(super) async fn unyank(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    withdraw(&site, &index, &path, &ask, None).await
}

async fn withdraw(
    site: &Site,
    index: &str,
    path: &HashMap<String, String>,
    ask: &Ask,
    reason: Option<&str>,
) -> Result<Response, HttpError> {
    let files = selection(path)?;
    site.access.check(&ask.identity, Action::Yank, index, files.project().normalized())?;
    let changed = site.changes.yank(index, &files, reason, &ask.guarded()?).await?;
    ask.answer(site, &Yanked { changed: changed.into_iter().map(Into::into).collect() })
}

pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let files = selection(&path)?;
    site.access.check(&ask.identity, Action::Yank, &index, files.project().normalized())?;
    let removed = site.changes.remove(&index, &files, &ask.guarded()?).await?;
    ask.answer(&site, &Removed { removed: removed.into_iter().map(Into::into).collect() })
}

/// Who reads it here and decides about it there.
pub(super) async fn promote(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
    Body(Promote { to }): Body<Promote>,
) -> Result<Response, HttpError> {
    let (name, version) = (name(&path)?, version(&path)?);
    site.access.check(&ask.identity, Action::Read, &index, name.normalized())?;
    site.access.check(&ask.identity, Action::Admin, &to, name.normalized())?;
    let promoted = site.changes.promote(&index, &to, &name, &version, &ask.by).await?;
    ask.answer(&site, &Promoted { promoted: promoted.into_iter().map(Into::into).collect() })
}

/// What a path means: a file, a release, a project.
fn selection(path: &HashMap<String, String>) -> Result<Selection, HttpError> {
    let name = name(path)?;
    match path.get("file") {
        Some(file) => Ok(Selection::File(name, file.as_str().into())),
        None if path.contains_key("version") => Ok(Selection::Version(name, version(path)?)),
        None => Ok(Selection::Project(name)),
    }
}

fn version(path: &HashMap<String, String>) -> Result<Version, HttpError> {
    let version = path.get("version").map_or("", |version| version);
    Version::legacy(version).map_err(|_| HttpError::not_found("there is no such release in this index"))
}
