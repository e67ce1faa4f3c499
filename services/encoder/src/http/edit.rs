//! What owners change: title, published or not, there or not.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, StatusCode};
use opsctl_auth::Action;
use opsctl_http::HttpError;
use opsctl_web::{Confirm, Form, Tone};

use super::here::{Asked, expected, version};
use super::{Site, item};
use crate::error::Error;
use crate::ingest::Wishes;
use crate::records::{Edit, Item};

/// `PATCH /media/<id>`: the fields `title` and `published`, those that are given.
pub(super) async fn change(State(site): State<Arc<Site>>, asked: Asked, form: Form) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Upload).await?;
    let mut wishes = Wishes::default();
    for word in ["title", "published"] {
        if let Some(value) = form.values(word).next() {
            wishes.set(word, value).map_err(Error::from)?;
        }
    }
    if wishes.publish == Some(false) {
        site.check(&asked.identity, Action::Yank, &asked.here.account, &item.name)?;
    }
    let edit = Edit { title: wishes.title, published: wishes.publish };
    done(&site, &item, &edit, "saved", &asked).await
}

/// `PUT /media/<id>/published`.
pub(super) async fn publish(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Upload).await?;
    let edit = Edit { published: Some(true), ..Edit::default() };
    done(&site, &item, &edit, "published", &asked).await
}

/// `DELETE /media/<id>/published`: from the moment of the answer on nobody gets any more of it from here.
pub(super) async fn unpublish(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Yank).await?;
    let edit = Edit { published: Some(false), ..Edit::default() };
    done(&site, &item, &edit, "unpublished", &asked).await
}

async fn done(site: &Site, item: &Item, edit: &Edit, said: &str, asked: &Asked) -> Result<Response, HttpError> {
    let expected = version(expected(&asked.headers, Some(item))?);
    let changed = site.records.edit(item, expected, edit, &asked.by).await.map_err(Error::from)?;
    changed.ok_or(Error::Changed)?;
    site.shelf.changed(item.id).await;
    if asked.is_browser() {
        asked.visit.flash(Tone::Ok, said);
        return Ok(Redirect::to(&asked.address()).into_response());
    }
    let item = site.item(asked, Action::Read).await?;
    item::show(site, item, asked).await
}

fn ask(asked: &Asked, item: &Item) -> Confirm {
    let address = asked.address();
    Confirm::new(format!("Delete {}?", item.label()), &Method::DELETE, &address, &address)
        .consequence("The upload and everything that was made of it go with it.")
        .label("Delete")
}

/// `GET /media/<id>/delete`: asks, where no script does.
pub(super) async fn question(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Yank).await?;
    Ok(site.pages.confirm(&asked.visit, &ask(&asked, &item), &Form::new())?.respond(&asked.headers))
}

/// `DELETE /media/<id>`.
pub(super) async fn delete(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Yank).await?;
    let expected = version(expected(&asked.headers, Some(&item))?);
    if !site.records.delete(&item, expected, &asked.by).await.map_err(Error::from)? {
        return Err(Error::Changed.into());
    }
    site.shelf.changed(item.id).await;
    if asked.is_browser() {
        asked.visit.flash(Tone::Ok, format!("{} is deleted", item.name));
        return Ok(Redirect::to(&format!("{}/media", asked.here.top)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
