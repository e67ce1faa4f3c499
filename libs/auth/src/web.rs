//! The pages of the user base, below `/_/`: login, one's account, users, the audit trail. A browser gets XHTML, a program
//! JSON of the same things.
//!
//! Nothing here decides: what may be done is asked of the identity, and done by [`Auth`].

mod account;
mod audit;
mod invite;
mod login;
mod oidc;
mod user;
mod users;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, LINK};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use opsctl_http::{HttpError, XHTML, negotiate};
use opsctl_web::{Form, Pages, Paging, Visit};
use serde::Serialize;

use crate::audit::Trail;
use crate::auth::Auth;
use crate::error::Error;
use crate::identity::{Identity, Via};
use crate::name::Name;
use crate::oidc::CALLBACK;

const TEMPLATES: &[(&str, &str)] = &[
    ("auth/rights.html", include_str!("../templates/rights.html")),
    ("auth/account.html", include_str!("../templates/account.html")),
    ("auth/audit.html", include_str!("../templates/audit.html")),
    ("auth/invite.html", include_str!("../templates/invite.html")),
    ("auth/link.html", include_str!("../templates/link.html")),
    ("auth/login.html", include_str!("../templates/login.html")),
    ("auth/token.html", include_str!("../templates/token.html")),
    ("auth/user.html", include_str!("../templates/user.html")),
    ("auth/users.html", include_str!("../templates/users.html")),
];

impl Auth {
    /// The pages, to be merged into a service's router before [`Auth::around`] is put around it. They look like the
    /// service's `pages`; the audit trail shows `trail`, which is [`Auth::trail`] with the service's own.
    pub fn router(&self, pages: &Pages, trail: Trail) -> Router {
        let add = |pages: Pages, (name, source): &(&str, &str)| pages.add(name, source);
        let pages = TEMPLATES.iter().fold(pages.clone(), add);
        let desk = Arc::new(Desk { auth: self.clone(), pages, trail });
        Router::new()
            .route("/_/login", get(login::page).post(login::log_in))
            .route("/_/logout", post(login::log_out))
            .route("/_/oidc/login", get(oidc::begin))
            .route(CALLBACK, get(oidc::back))
            .route("/_/invite/{text}", get(invite::page).post(invite::accept))
            .route("/_/account", get(account::page))
            .route("/_/account/password", put(account::change_password))
            .route("/_/account/sessions", delete(account::end_sessions))
            .route("/_/account/tokens", post(account::create_token))
            .route("/_/account/tokens/{id}", delete(account::revoke_token))
            .route("/_/users", get(users::page).post(users::add))
            .route("/_/users/{name}", get(user::page).put(user::change).delete(user::remove))
            .route("/_/users/{name}/grants", post(user::grant).delete(user::revoke))
            .route("/_/users/{name}/invite", post(user::invite))
            .route("/_/users/{name}/tokens", post(user::create_token))
            .route("/_/users/{name}/tokens/{id}", delete(user::revoke_token))
            .route("/_/audit", get(audit::page))
            .with_state(desk)
    }
}

/// What every page needs.
pub(crate) struct Desk {
    auth: Auth,
    pages: Pages,
    trail: Trail,
}

/// Whom an answer is for.
pub(crate) struct To {
    visit: Visit,
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for To {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let visit = Visit::from_request_parts(parts, state).await?;
        Ok(Self { visit, headers: parts.headers.clone() })
    }
}

impl To {
    /// Whether a program asks, which reads JSON.
    fn is_program(&self) -> bool {
        negotiate(&self.headers, &["text/html", XHTML, "application/json"]) == Some("application/json")
    }

    /// A change was made: a browser goes on to `path`, a program hears that it is done.
    fn done(&self, path: &str, said: impl AsRef<str>) -> Response {
        if self.is_program() {
            return StatusCode::NO_CONTENT.into_response();
        }
        self.visit.flash(opsctl_web::Tone::Ok, said);
        Redirect::to(path).into_response()
    }
}

/// A page's data, and the forms on it.
#[derive(Serialize)]
struct Shown<'a, T> {
    #[serde(flatten)]
    data: &'a T,
    #[serde(flatten)]
    forms: BTreeMap<&'static str, &'a Form>,
}

impl Desk {
    /// The data as a page with forms, or as JSON.
    fn show(
        &self,
        to: &To,
        template: &str,
        data: &impl Serialize,
        forms: &[(&'static str, &Form)],
    ) -> Result<Response, HttpError> {
        if to.is_program() {
            return Ok(Json(data).into_response());
        }
        let status = match forms.iter().all(|(_, form)| form.is_valid()) {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let shown = Shown { data, forms: forms.iter().copied().collect() };
        Ok(self.pages.show(&to.visit, template, shown)?.status(status).respond(&to.headers))
    }

    /// The same for what holds a secret, which nobody between keeps.
    fn show_once(&self, to: &To, template: &str, data: &impl Serialize) -> Result<Response, HttpError> {
        let mut response = self.show(to, template, data, &[])?;
        *response.status_mut() = StatusCode::CREATED;
        Ok(unkept(response))
    }
}

fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A program hears of a bad form as of any other error.
fn refuse_program(to: &To, form: &Form, fields: &[&str]) -> Result<(), HttpError> {
    if !to.is_program() || form.is_valid() {
        return Ok(());
    }
    let errors = fields.iter().filter_map(|field| Some(format!("`{field}` {}", form.error(field)?)));
    let errors = errors.collect::<Vec<_>>().join("; ");
    let message = if errors.is_empty() { "the form has errors".to_owned() } else { errors };
    Err(HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, message))
}

/// Where a list goes on, for programs.
fn with_links(mut response: Response, paging: &Paging) -> Response {
    response.headers_mut().extend(paging.link_header().map(|line| (LINK, line)));
    response
}

/// The user who is here in person: a token cannot change passwords and make tokens.
fn person(identity: &Identity) -> Result<Name, HttpError> {
    match (identity.name(), identity.via()) {
        (Some(name), Some(Via::Session | Via::Password)) => Ok(name.clone()),
        (Some(_), _) => Err(HttpError::forbidden("a token may not do this: log in yourself")),
        (None, _) => Err(crate::Refusal::Unknown.into()),
    }
}

/// Only administrators, in person.
fn administrator(identity: &Identity) -> Result<(), HttpError> {
    person(identity)?;
    match identity.is_administrator() {
        true => Ok(()),
        false => Err(HttpError::forbidden("only an administrator may do this")),
    }
}

/// Puts into `form` what a user can do something about; the rest is an error of the request.
fn into_form(form: &mut Form, field: &str, error: Error) -> Result<(), HttpError> {
    match error {
        Error::Password(_) | Error::Name(_) | Error::Rights(_) | Error::Taken(_) => {
            form.refuse(field, format!("is refused: {error}"));
        }
        Error::Token(why) => form.refuse_all(why),
        error => return Err(error.into()),
    }
    Ok(())
}
