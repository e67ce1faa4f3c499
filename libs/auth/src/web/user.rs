//! One user, as administrators see them: roles, tokens, the account itself.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use opsctl_http::HttpError;
use opsctl_web::Form;
use serde::Serialize;

use super::account::{TOKEN_FIELDS, make_token, tokens};
use super::views::{TokenView, UserView};
use super::{Desk, To, administrator, refuse_program};
use crate::audit::Author;
use crate::error::Error;
use crate::identity::Identity;
use crate::name::Name;
use crate::rights::{Grant, Place};

#[derive(Serialize)]
struct Shown {
    user: UserView,
    tokens_list: Vec<TokenView>,
}

#[derive(Serialize)]
struct Link {
    name: String,
    link: String,
    expires: Timestamp,
}

/// The user whom the address names.
fn named(name: &str) -> Result<Name, HttpError> {
    name.parse().map_err(|_| HttpError::not_found("there is no such user"))
}

fn path(name: &Name) -> String {
    format!("/_/users/{}", opsctl_web::segment(name.as_str()))
}

/// GET `/_/users/{name}`.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    to: To,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    show(&desk, &to, &named(&name)?, &Form::new().id("role"), &Form::new().id("token")).await
}

async fn show(desk: &Desk, to: &To, name: &Name, form: &Form, token_form: &Form) -> Result<Response, HttpError> {
    let user = desk.auth.user(name).await?.ok_or_else(|| Error::NoUser(name.clone()))?;
    let shown = Shown { user: user.into(), tokens_list: tokens(desk, name).await? };
    desk.show(to, "auth/user.html", &shown, &[("f", form), ("token_form", token_form)])
}

/// PUT `/_/users/{name}`: `administrator` or `disabled`, `yes` or `no`.
pub(super) async fn change(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let name = named(&name)?;
    let asked = |field| match form.value(field) {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(HttpError::bad_request(format!("`{field}` is `yes` or `no`"))),
    };
    if let Some(wanted) = asked("administrator")? {
        desk.auth.set_administrator(&by, &name, wanted).await?;
    }
    if let Some(wanted) = asked("disabled")? {
        desk.auth.set_disabled(&by, &name, wanted).await?;
    }
    Ok(to.done(&path(&name), "saved"))
}

/// DELETE `/_/users/{name}`.
pub(super) async fn remove(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let name = named(&name)?;
    desk.auth.remove_user(&by, &name).await?;
    Ok(to.done("/_/users", format!("{name} is removed")))
}

/// POST `/_/users/{name}/grants`.
pub(super) async fn grant(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let (name, mut form) = (named(&name)?, form.id("role"));
    let Ok(grant) = form.required::<Grant>("grant") else {
        refuse_program(&to, &form, &["grant"])?;
        return show(&desk, &to, &name, &form, &Form::new().id("token")).await;
    };
    desk.auth.grant(&by, &name, &grant).await?;
    Ok(to.done(&path(&name), "saved"))
}

/// DELETE `/_/users/{name}/grants`: the role at `place`.
pub(super) async fn revoke(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let name = named(&name)?;
    let place: Place = form.value("place").parse().map_err(Error::from)?;
    desk.auth.revoke(&by, &name, &place).await?;
    Ok(to.done(&path(&name), "saved"))
}

/// POST `/_/users/{name}/invite`.
pub(super) async fn invite(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    show_invite(&desk, &to, &by, &named(&name)?).await
}

/// Makes the link by which `name` sets a password, and shows it.
pub(super) async fn show_invite(desk: &Desk, to: &To, by: &Author, name: &Name) -> Result<Response, HttpError> {
    let text = desk.auth.invite(by, name).await?;
    let life = desk.auth.settings().invite_expiry.get();
    let expires = by.now().checked_add(life).unwrap_or(Timestamp::MAX);
    let link = desk.auth.link(&text);
    desk.show_once(to, "auth/link.html", &Link { name: name.to_string(), link, expires })
}

/// POST `/_/users/{name}/tokens`.
pub(super) async fn create_token(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    identity: Identity,
    by: Author,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let (name, mut form) = (named(&name)?, form.id("token"));
    match make_token(&desk, &by, &name, &mut form, &path(&name)).await? {
        Some(token) => desk.show_once(&to, "auth/token.html", &token),
        None => {
            refuse_program(&to, &form, TOKEN_FIELDS)?;
            show(&desk, &to, &name, &Form::new().id("role"), &form).await
        }
    }
}

/// DELETE `/_/users/{name}/tokens/{id}`.
pub(super) async fn revoke_token(
    State(desk): State<Arc<Desk>>,
    Path((name, id)): Path<(String, i64)>,
    identity: Identity,
    by: Author,
    to: To,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let name = named(&name)?;
    match desk.auth.revoke_token(&by, Some(&name), id).await? {
        true => Ok(to.done(&path(&name), format!("token {id} is revoked"))),
        false => Err(HttpError::not_found(format!("{name} has no token {id}"))),
    }
}
