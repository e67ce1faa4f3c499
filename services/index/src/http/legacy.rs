//! `POST /legacy/`: uploads, as twine, uv, flit, poetry, hatch and Python 2.7's `setup.py upload` send them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use opsctl_auth::{Action, Identity};
use opsctl_dist::Level;
use opsctl_http::{Form, FormLimits, HttpError};

use super::simple::no_index;
use super::{InIndex, Site};
use crate::changes::By;
use crate::folder::Facts;
use crate::provenance;
use crate::upload::{self, Claims, Error, Outcome, Received, Sender, Spooled, receive};

/// Bytes of a form besides its file.
const FIELDS_MAX: u64 = 8 << 20;
/// Bytes of a form that is read for who has not said who it is, to tell what it is for.
const ANONYMOUS_MAX: u64 = 64 << 10;

pub(super) async fn upload(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    identity: Identity,
    by: By,
    request: Request,
) -> Result<Response, HttpError> {
    upload_to(&site, &index, &identity, by, request).await
}

/// Without the slash: there, with the same method.
pub(super) async fn elsewhere() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, HeaderValue::from_static("legacy/"))]).into_response()
}

/// What a browser, or somebody who tries the address, gets.
pub(super) async fn only_post() -> HttpError {
    HttpError::method_not_allowed("POST", "This is the address for uploads; install from the one that ends in /simple/")
}

async fn upload_to(
    site: &Site,
    index: &str,
    identity: &Identity,
    by: By,
    request: Request,
) -> Result<Response, HttpError> {
    let (parts, body) = request.into_parts();
    let store = site.stores.get(index).ok_or_else(no_index)?;
    let action = parts.uri.query().and_then(action);
    // nothing of a file is taken from who may upload none; which project it is for is known when it is there
    match site.access.check_somewhere(identity, Action::Upload, index) {
        Err(refused) if identity.is_anonymous() => {
            return Err(register(&parts, body, action).await.unwrap_or(refused));
        }
        checked => checked?,
    }
    let form = Form::new(&parts.headers, body, FormLimits::total(site.max_file.saturating_add(FIELDS_MAX)))?;
    let received = receive(form, &store.spool, site.max_file, action.as_deref()).await?;
    let level = if store.strict { Level::Strict } else { Level::Legacy };
    let (filename, facts, received) = look(received, level).await?;
    let Received { claims, spooled, .. } = received;
    if let Some(text) = &claims.attestations {
        let checked = provenance::check(text, &filename, &facts.sha256);
        checked.map_err(|error| HttpError::bad_request(error.to_string()))?;
    }
    let file = Checked { filename, facts, spooled, attestations: claims.attestations };
    take(site, index, identity, by, file).await?;
    // an empty page is what the public index says
    Ok(StatusCode::OK.into_response())
}

/// A file that is what it is called.
pub(super) struct Checked {
    pub(super) filename: Box<str>,
    pub(super) facts: Facts,
    pub(super) spooled: Spooled,
    /// A JSON array (PEP 740).
    pub(super) attestations: Option<String>,
}

/// Takes a file for one who may upload it.
pub(super) async fn take(
    site: &Site,
    index: &str,
    identity: &Identity,
    by: By,
    file: Checked,
) -> Result<Outcome, HttpError> {
    let Checked { filename, facts, spooled, attestations } = file;
    let store = site.stores.get(index).ok_or_else(no_index)?;
    let name = facts.name.normalized();
    site.access.check(identity, Action::Upload, index, name)?;
    if !site.routes.takes_uploads(name) {
        return Err(Error::Elsewhere(name.to_owned()).into());
    }
    let sender = Sender { actor: by.actor.into(), address: by.address.into(), attestations };
    Ok(store.store(&filename, facts, spooled, sender).await?)
}

/// What is in the file that was received.
async fn look(received: Received, level: Level) -> Result<(Box<str>, Facts, Received), Error> {
    let checked = tokio::task::spawn_blocking(move || {
        let (filename, facts) = upload::check(&received, level)?;
        Ok::<_, Error>((filename, facts, received))
    });
    checked.await.map_err(|error| Error::Io(std::io::Error::other(error)))?
}

/// The action in a query; its name may be percent-encoded.
fn action(query: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| matches!(*name, ":action" | "%3Aaction" | "%3aaction"));
    values.next().map(|(_, value)| value.to_owned())
}

/// `setup.py register` says no name; being asked for one would not help it.
async fn register(parts: &Parts, body: Body, action: Option<String>) -> Option<HttpError> {
    let length = parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    if length > ANONYMOUS_MAX {
        return None;
    }
    let mut form = Form::new(&parts.headers, body, FormLimits::total(ANONYMOUS_MAX)).ok()?;
    let mut fields = Vec::new();
    while let Some(part) = form.next_part().await.ok()? {
        let name = part.name().to_owned();
        fields.push((name, part.text().await.ok()?));
    }
    match Claims::read(&fields, action.as_deref()) {
        Err(gone @ Error::Gone(_)) => Some(gone.into()),
        _ => None,
    }
}
