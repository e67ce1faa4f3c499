//! The forms of a project's pages: withdraw a release or a file and take that back, say how a project is, remove.
//!
//! What is done is done by `changes`; here it is read from a form, asked whether one may, and answered by the page that
//! shows it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::{Action, Identity};
use opsctl_dist::simple::{ProjectStatus, State as Condition};
use opsctl_dist::{ProjectName, Version};
use opsctl_http::HttpError;
use opsctl_web::{Confirm, Form, Tone, Visit, segment};

use crate::changes::{By, Error, Selection};
use crate::http::{InIndex, Site};

/// What a path names: a project, a release of it, or a file of that.
struct Target {
    name: ProjectName,
    version: Option<Version>,
    file: Option<String>,
}

impl Target {
    fn of(path: &HashMap<String, String>) -> Result<Target, HttpError> {
        let nothing = || HttpError::not_found("there is nothing of this name here");
        let part = |name: &str| path.get(name).map_or("", |part| part);
        let name = ProjectName::parse(part("project")).map_err(|_| nothing())?;
        let version = path.get("version").map(|version| Version::legacy(version).map_err(|_| nothing())).transpose()?;
        Ok(Target { name, version, file: path.get("file").cloned() })
    }

    fn selection(&self) -> Selection {
        match (&self.version, &self.file) {
            (_, Some(file)) => Selection::File(self.name.clone(), file.as_str().into()),
            (Some(version), None) => Selection::Version(self.name.clone(), version.clone()),
            (None, None) => Selection::Project(self.name.clone()),
        }
    }

    /// As one says it.
    fn words(&self) -> String {
        match (&self.version, &self.file) {
            (_, Some(file)) => file.clone(),
            (Some(version), None) => format!("{} {}", self.name.display(), version.normalized()),
            (None, None) => self.name.display().to_owned(),
        }
    }

    /// Its page, seen from what stands below it: `…/yanked`, `…/remove`.
    fn back(&self) -> String {
        self.file.as_ref().map_or_else(|| "./".to_owned(), |file| format!("../{}", segment(file)))
    }
}

pub(super) async fn yank(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    identity: Identity,
    by: By,
    form: Form,
) -> Result<Response, HttpError> {
    let reason = form.value("reason").to_owned();
    withdraw(&site, &index, &path, &visit, &identity, &by, Some(&reason)).await
}

pub(super) async fn unyank(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    identity: Identity,
    by: By,
) -> Result<Response, HttpError> {
    withdraw(&site, &index, &path, &visit, &identity, &by, None).await
}

async fn withdraw(
    site: &Site,
    index: &str,
    path: &HashMap<String, String>,
    visit: &Visit,
    identity: &Identity,
    by: &By,
    reason: Option<&str>,
) -> Result<Response, HttpError> {
    let target = Target::of(path)?;
    site.access.check(identity, Action::Yank, index, target.name.normalized())?;
    let done = if reason.is_some() { "is yanked" } else { "is not yanked any more" };
    match site.changes.yank(index, &target.selection(), reason, by).await {
        Ok(_) => visit.flash(Tone::Ok, format!("{} {done}.", target.words())),
        Err(error) => tell(visit, error)?,
    }
    Ok(Redirect::to(&target.back()).into_response())
}

pub(super) async fn set_status(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    identity: Identity,
    by: By,
    form: Form,
) -> Result<Response, HttpError> {
    let target = Target::of(&path)?;
    site.access.check(&identity, Action::Admin, &index, target.name.normalized())?;
    let state = Condition::from_marker(form.value("state"));
    let state = state.ok_or_else(|| HttpError::bad_request("there is no such state of a project"))?;
    let status = ProjectStatus { state, reason: Some(form.value("reason").to_owned()) };
    match site.changes.set_status(&index, &target.name, status, &by).await {
        Ok(_) => visit.flash(Tone::Ok, format!("{} is {} now.", target.words(), state.marker())),
        Err(error) => tell(&visit, error)?,
    }
    Ok(Redirect::to("./").into_response())
}

/// A fault of what was filled in is a message; others are errors of the request.
fn tell(visit: &Visit, error: Error) -> Result<(), HttpError> {
    match error {
        Error::Reason => {
            visit.flash(Tone::Failed, format!("Nothing was changed: {error}."));
            Ok(())
        }
        error => Err(error.into()),
    }
}

/// `GET …/remove`: the question.
pub(super) async fn ask(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let target = Target::of(&path)?;
    site.access.check(&identity, Action::Yank, &index, target.name.normalized())?;
    let files = site.changes.files(&index, &target.selection())?;
    let page = site.pages.confirm(&visit, &question(&target, &files), &Form::new())?;
    Ok(page.respond(&headers))
}

/// `DELETE` of a project, a release, a file.
#[expect(clippy::too_many_arguments, reason = "what a request is made of")]
pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
    by: By,
    mut form: Form,
) -> Result<Response, HttpError> {
    let target = Target::of(&path)?;
    site.access.check(&identity, Action::Yank, &index, target.name.normalized())?;
    let files = site.changes.files(&index, &target.selection())?;
    let question = question(&target, &files);
    if !question.accepts(&mut form) {
        let page = site.pages.confirm(&visit, &question, &form)?;
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).respond(&headers));
    }
    site.changes.remove(&index, &target.selection(), &by).await?;
    visit.flash(Tone::Ok, format!("{} is removed.", target.words()));
    Ok(Redirect::to(left(&site, &index, &target)).into_response())
}

fn question(target: &Target, files: &[Box<str>]) -> Confirm {
    let page = target.back();
    let all = match files {
        [_] => "The file is deleted for good.".to_owned(),
        files => format!("{} files are deleted for good.", files.len()),
    };
    let question = Confirm::new(format!("Remove {}?", target.words()), &Method::DELETE, &*page, &*page)
        .consequence(all)
        .consequence("Whoever has a lock file that names them cannot install any more; to yank is the milder way.")
        .consequence("Their names stay taken: other bytes never get them.")
        .label("Remove");
    // more than a release is more than a slip
    if target.version.is_none() { question.typed(target.name.normalized()) } else { question }
}

/// Where one goes on after a removal, seen from what was removed: to what is still there.
fn left(site: &Site, index: &str, target: &Target) -> &'static str {
    let snapshot = site.catalog.snapshot();
    let project = snapshot.index(index).and_then(|index| index.project(target.name.normalized()));
    let Some(project) = project else {
        return if target.version.is_some() { "../../../" } else { "../../" };
    };
    let same = |version: &str| Version::legacy(version).ok() == target.version;
    match (&target.file, project.files.iter().any(|file| same(&file.version))) {
        (Some(_), true) => "./",
        _ => "../",
    }
}
