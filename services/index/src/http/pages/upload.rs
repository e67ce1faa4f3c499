//! `GET` and `POST /upload`: files brought by a form. They are looked at as those of any upload; what is said of them comes
//! from the files alone, since a form in a browser says nothing more.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::{Action, Identity};
use opsctl_dist::Level;
use opsctl_http::{Form as Multipart, FormLimits, HttpError, Part};
use opsctl_web::{Form, Tone, Visit, segment};
use serde::Serialize;

use super::{UPLOAD, show_form};
use crate::changes::By;
use crate::http::legacy::{Checked, take};
use crate::http::simple::no_index;
use crate::http::{InIndex, Site};
use crate::upload::{Error, Outcome, Spooled, Store, check_file, receive_file};

/// Files of one form.
const FILES_MAX: u64 = 20;
/// Bytes of a form besides its files.
const FIELDS_MAX: u64 = 1 << 20;

#[derive(Debug, Serialize)]
struct Shown {
    f: Form,
    limit: u64,
    strict: bool,
    files: Vec<Row>,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Row {
    filename: String,
    /// Why it is not taken, if it is not.
    refused: Option<String>,
    /// The release's page, seen from the top.
    page: Option<String>,
    is_new: bool,
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let store = store(&site, &index, &identity)?;
    let shown = Shown { f: Form::new(), limit: site.max_file, strict: store.strict, files: Vec::new() };
    show_form(&site, &visit, &headers, UPLOAD, StatusCode::OK, shown)
}

pub(super) async fn upload(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    visit: Visit,
    identity: Identity,
    by: By,
    request: Request,
) -> Result<Response, HttpError> {
    let store = store(&site, &index, &identity)?;
    let (parts, body) = request.into_parts();
    let most = site.max_file.saturating_mul(FILES_MAX).saturating_add(FIELDS_MAX);
    let mut multipart = Multipart::new(&parts.headers, body, FormLimits::total(most))?;
    let mut files = Vec::new();
    while let Some(part) = multipart.next_part().await? {
        // without a choice a browser sends a file without a name
        let filename = part.file_name().filter(|filename| !filename.is_empty()).map(ToOwned::to_owned);
        let Some(filename) = filename.filter(|_| part.name() == "content") else { continue };
        if u64::try_from(files.len()).is_ok_and(|count| count >= FILES_MAX) {
            files.push(Row::refused(filename, format!("More than {FILES_MAX} files at once are too many.")));
            break;
        }
        files.push(one(&site, store, &index, &identity, by.clone(), filename, part).await?);
    }
    if !files.is_empty() && files.iter().all(|file| file.refused.is_none()) {
        return Ok(done(&visit, &files));
    }
    let mut f = Form::new();
    if files.is_empty() {
        f.refuse("content", "must be chosen");
    }
    let shown = Shown { f, limit: site.max_file, strict: store.strict, files };
    show_form(&site, &visit, &parts.headers, UPLOAD, StatusCode::UNPROCESSABLE_ENTITY, shown)
}

/// Where uploads to `index` go, for one who may upload something there.
fn store<'a>(site: &'a Site, index: &str, identity: &Identity) -> Result<&'a Store, HttpError> {
    site.access.check_somewhere(identity, Action::Upload, index)?;
    site.stores.get(index).ok_or_else(no_index)
}

/// Takes one file. What is the file's fault stands in the row, the rest is an error of the request.
async fn one(
    site: &Site,
    store: &Store,
    index: &str,
    identity: &Identity,
    by: By,
    filename: String,
    part: Part<'_>,
) -> Result<Row, HttpError> {
    let taken = async {
        let spooled = receive_file(part, store.spool.begin(site.max_file)).await?;
        let level = if store.strict { Level::Strict } else { Level::Legacy };
        let checked = look(filename.clone(), spooled, level).await?;
        let version = segment(&checked.facts.version);
        let page = format!("project/{}/{version}/", checked.facts.name.normalized());
        Ok::<_, HttpError>((page, take(site, index, identity, by, checked).await?))
    };
    match taken.await {
        Ok((page, outcome)) => {
            Ok(Row { filename, refused: None, page: Some(page), is_new: outcome == Outcome::Stored })
        }
        Err(error) if error.status().is_server_error() => Err(error),
        Err(error) => Ok(Row::refused(filename, error.to_string())),
    }
}

async fn look(filename: String, spooled: Spooled, level: Level) -> Result<Checked, Error> {
    let checked = tokio::task::spawn_blocking(move || {
        let (filename, facts) = check_file(&filename, &spooled, level)?;
        Ok::<_, Error>(Checked { filename, facts, spooled, attestations: None })
    });
    checked.await.map_err(|error| Error::Io(std::io::Error::other(error)))?
}

/// All were taken: on to the release, or to the newest ones if they are of several.
fn done(visit: &Visit, files: &[Row]) -> Response {
    for Row { filename, is_new, .. } in files {
        match is_new {
            true => visit.flash(Tone::Ok, format!("{filename} is uploaded.")),
            false => visit.flash(Tone::Info, format!("{filename} was here already, the very same.")),
        }
    }
    let first = files.first().and_then(|file| file.page.as_deref());
    let page = first.filter(|first| files.iter().all(|file| file.page.as_deref() == Some(*first)));
    Redirect::to(page.unwrap_or("./")).into_response()
}

impl Row {
    fn refused(filename: String, why: String) -> Row {
        Row { filename, refused: Some(why), page: None, is_new: false }
    }
}
