//! `PUT /media/<id>` with the raw body, as in 2008, and `POST /media` with a form, as browsers send it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, LOCATION, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};
use opsctl_auth::Action;
use opsctl_http::{Form, FormLimits, HttpError};
use opsctl_web::Tone;

use super::here::{Asked, expected};
use super::{Site, item};
use crate::error::Error;
use crate::hex::hex;
use crate::ingest::{Spooled, Wishes};
use crate::name::ItemName;
use crate::records::{Expected, Outcome};

/// Bytes of a form besides its file.
const FIELDS_MAX: u64 = 1 << 20;

pub(super) async fn body(State(site): State<Arc<Site>>, asked: Asked, body: Body) -> Result<Response, HttpError> {
    let Asked { here, name, visit, headers, identity, by, .. } = &asked;
    site.check(identity, Action::Upload, &here.account, name)?;
    let name: ItemName = name.parse().map_err(Error::from)?;
    let wishes = Wishes::default().pairs(visit.query().pairs()).map_err(Error::from)?;
    let wishes = wishes.headers(headers).map_err(Error::from)?;
    // all that can be said is said before the body comes
    site.accounts.order(&here.account, &wishes)?;
    let there = site.records.item(&here.account, name.as_str()).await.map_err(Error::from)?;
    let expected = expected(headers, there.as_ref())?;
    let limit = site.ingest.admit(&here.account, length(headers)).await?;
    let spooled = receive(&site, body, limit).await?;
    let outcome = site.ingest.store(&here.account, &name, &wishes, spooled, expected, by).await?;
    answer(&site, &name, outcome, &asked).await
}

/// The answer to an upload.
async fn answer(site: &Site, name: &ItemName, outcome: Outcome, asked: &Asked) -> Result<Response, HttpError> {
    let status = match outcome {
        Outcome::Created => StatusCode::CREATED,
        Outcome::Replaced | Outcome::Same => StatusCode::OK,
        Outcome::Unexpected => return Err(Error::Changed.into()),
    };
    let here = &asked.here;
    let stored = site.records.item(&here.account, name.as_str()).await.map_err(Error::from)?.ok_or(Error::NoItem)?;
    site.shelf.changed(stored.id).await;
    let mut response = item::show(site, stored, asked).await?;
    *response.status_mut() = status;
    if let Ok(location) = HeaderValue::try_from(format!("{}/media/{name}", here.top)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Bytes that a request says it has.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn receive(site: &Site, body: Body, limit: u64) -> Result<Spooled, HttpError> {
    let mut spooling = site.ingest.begin(limit);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| HttpError::bad_request("the upload was cut off").caused_by(error))?;
        if !spooling.write(piece).await {
            break;
        }
    }
    Ok(spooling.finish().await?)
}

/// A form: `file`, `id`, and the words of [`Wishes`].
pub(super) async fn form(State(site): State<Arc<Site>>, asked: Asked, body: Body) -> Result<Response, HttpError> {
    let Asked { here, visit, headers, identity, by, .. } = &asked;
    if !identity.may_somewhere(Action::Upload, super::SERVICE, &here.account) {
        site.check(identity, Action::Upload, &here.account, "")?;
    }
    let limit = site.ingest.admit(&here.account, None).await?;
    let mut form = Form::new(headers, body, FormLimits::total(limit.saturating_add(FIELDS_MAX)))?;
    let (mut wishes, mut id, mut spooled) = (Wishes::default(), String::new(), None);
    while let Some(mut part) = form.next_part().await? {
        match part.name() {
            "file" => {
                let filename = part.file_name().unwrap_or_default().to_owned();
                let mut spooling = site.ingest.begin(limit);
                while let Some(piece) = part.chunk().await? {
                    if !spooling.write(piece).await {
                        break;
                    }
                }
                spooled = Some(spooling.finish().await?);
                if wishes.filename.is_none() {
                    wishes.set("filename", &filename).map_err(Error::from)?;
                }
            }
            "id" => part.text().await?.trim().clone_into(&mut id),
            word => {
                let word = word.to_owned();
                let text = part.text().await?;
                wishes = wishes.pairs([(word.as_str(), text.as_str())]).map_err(Error::from)?;
            }
        }
    }
    let spooled = spooled.ok_or_else(|| HttpError::bad_request("there is no file in the form").code("no-file"))?;
    let digest = hex(&spooled.sha256[..4]);
    let name = named(&id, wishes.filename.as_deref().unwrap_or_default(), &digest)?;
    site.check(identity, Action::Upload, &here.account, name.as_str())?;
    let expected = if headers.contains_key(ORIGIN) && id.is_empty() { Expected::Nothing } else { Expected::Anything };
    let outcome = site.ingest.store(&here.account, &name, &wishes, spooled, expected, by).await?;
    let again = outcome == Outcome::Unexpected && id.is_empty();
    if asked.is_browser() && (again || outcome != Outcome::Unexpected) {
        match outcome {
            Outcome::Created | Outcome::Replaced => visit.flash(Tone::Ok, format!("{name} is uploaded")),
            // the digest is part of a name that is made here
            Outcome::Same | Outcome::Unexpected => visit.flash(Tone::Info, format!("{name} is here already")),
        }
        return Ok(Redirect::to(&format!("{}/media/{name}", here.top)).into_response());
    }
    answer(&site, &name, outcome, &asked).await
}

/// The ID that was given, or else one that is made of the file's name and `rest`, which makes it differ from others.
pub(super) fn named(id: &str, filename: &str, rest: &str) -> Result<ItemName, Error> {
    if !id.is_empty() {
        return Ok(id.parse()?);
    }
    let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let stem: String = stem.chars().map(plain).take(60).collect();
    let words: Vec<&str> = stem.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.into_iter().chain([rest]).collect::<Vec<_>>().join("-");
    Ok(name.parse()?)
}
