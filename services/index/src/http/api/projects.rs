//! Indexes, projects, and how projects are.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use opsctl_auth::{Action, Identity};
use opsctl_dist::ProjectName;
use opsctl_dist::simple::{ProjectStatus, State as Condition};
use opsctl_http::HttpError;

use super::answer::{Ask, Body, nothing};
use super::views::{File, Index, Project, ProjectPage, ProjectRow, Status};
use crate::http::simple::no_index;
use crate::http::{InIndex, Site};
use crate::records::Loaded;

/// Projects on a page, if nothing else is asked, and at most.
const ROWS: usize = 100;
const ROWS_MAX: usize = 1000;

pub(super) async fn indexes(State(site): State<Arc<Site>>, ask: Ask) -> Result<Response, HttpError> {
    let snapshot = Arc::clone(&site.catalog.snapshot());
    let readable = site.stores.keys().filter(|name| site.access.reader(&ask.identity, name).is_ok());
    let views: Vec<Index> = readable
        .map(|name| {
            let recent = snapshot.index(name).map(|index| index.recent());
            Index {
                name: name.to_string(),
                projects: recent.map_or(0, |recent| recent.project_count),
                files: recent.map_or(0, |recent| recent.file_count),
                bytes: recent.and_then(|recent| recent.growth.last()).map_or(0, |(_, bytes)| *bytes),
            }
        })
        .collect();
    // who may read nothing hears why
    match (views.is_empty(), site.stores.keys().next()) {
        (true, Some(name)) => Err(site.access.reader(&ask.identity, name).err().unwrap_or_else(no_index)),
        _ => ask.answer(&site, &views),
    }
}

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    ask: Ask,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&ask.identity, &index)?;
    if !site.stores.contains_key(&*index) {
        return Err(no_index());
    }
    let snapshot = Arc::clone(&site.catalog.snapshot());
    let query = ask.visit.query();
    let after = query.get("after").unwrap_or_default();
    let rows = query.get("rows").and_then(|rows| rows.parse().ok()).unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let projects = snapshot.index(&index).map(|index| index.projects()).unwrap_or_default();
    let projects = projects.into_iter().filter(|project| project.name.normalized() > after);
    let mut projects = projects.filter(|project| reader.may(project.name.normalized()));
    let row = |project: &Arc<crate::catalog::Project>| {
        ProjectRow::of(&project.name, project.status.as_ref(), project.files.len())
    };
    let page: Vec<ProjectRow> = projects.by_ref().take(rows).map(row).collect();
    let next = page.last().map(|last| last.name.clone()).filter(|_| projects.next().is_some());
    ask.page(&site, &ProjectPage { projects: page, next: next.clone() }, next.as_deref())
}

pub(super) async fn one(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let Read { name, files, status, serial } = read(&site, &ask.identity, &index, &path).await?;
    let display_name = files.iter().max_by_key(|(file, _)| file.first_seen).map(|(file, _)| file.name.to_string());
    let display_name = display_name.unwrap_or_else(|| name.display().to_owned());
    let files = files.into_iter().map(|(file, uploader)| File::of(file, uploader)).collect();
    let project = Project { name: name.normalized().to_owned(), display_name, index, status: (&status).into(), files };
    ask.tagged(&site, &project, serial)
}

pub(super) async fn status(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let Read { status, serial, .. } = read(&site, &ask.identity, &index, &path).await?;
    ask.tagged(&site, &Status::from(&status), serial)
}

pub(super) async fn set_status(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
    Body(status): Body<Status>,
) -> Result<Response, HttpError> {
    let name = name(&path)?;
    site.access.check(&ask.identity, Action::Admin, &index, name.normalized())?;
    site.changes.set_status(&index, &name, status.clone().into(), &ask.guarded()?).await?;
    ask.answer(&site, &status)
}

pub(super) async fn clear(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let name = name(&path)?;
    site.access.check(&ask.identity, Action::Admin, &index, name.normalized())?;
    let active = ProjectStatus { state: Condition::Active, reason: None };
    site.changes.set_status(&index, &name, active, &ask.guarded()?).await?;
    Ok(nothing())
}

/// A project as the database has it: what is served may be older by a moment, and then its tag would be too new.
pub(super) struct Read {
    pub(super) name: ProjectName,
    /// With who brought each.
    pub(super) files: Vec<(Loaded, Option<String>)>,
    pub(super) status: ProjectStatus,
    /// The number of its last change.
    pub(super) serial: i64,
}

/// Reads the project of a path, for one who may.
pub(super) async fn read(
    site: &Site,
    identity: &Identity,
    index: &str,
    path: &HashMap<String, String>,
) -> Result<Read, HttpError> {
    let name = name(path)?;
    site.access.reader(identity, index)?.check(name.normalized())?;
    let records = site.catalog.records();
    let failed = HttpError::internal;
    // before what it belongs to
    let serial = records.last_change(index, name.normalized()).await.map_err(failed)?;
    let files = records.files_of(index, name.normalized()).await.map_err(failed)?;
    if files.is_empty() {
        return Err(HttpError::not_found("there is no such project in this index"));
    }
    let mut uploaders = match identity.is_anonymous() {
        true => HashMap::new(),
        false => records.uploaders(index, name.normalized()).await.map_err(failed)?,
    };
    let status = records.status(index, name.normalized()).await.map_err(failed)?;
    let status = status.unwrap_or(ProjectStatus { state: Condition::Active, reason: None });
    let mut files: Vec<_> = files
        .into_iter()
        .map(|file| (uploaders.remove(&*file.filename), file))
        .map(|(who, file)| (file, who))
        .collect();
    files.sort_by_cached_key(|(file, _)| (opsctl_dist::Version::legacy(&file.version).ok(), file.filename.clone()));
    Ok(Read { name, files, status, serial })
}

/// The project that a path names.
pub(super) fn name(path: &HashMap<String, String>) -> Result<ProjectName, HttpError> {
    let name = path.get("project").map_or("", |name| name);
    ProjectName::parse(name).map_err(|_| HttpError::not_found("there is no such project in this index"))
}
