//! One's own account: tokens, sessions, the password.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use opsctl_http::HttpError;
use opsctl_web::Form;
use serde::Serialize;

use super::login::entered;
use super::views::{NewTokenView, SessionView, TokenView, UserView};
use super::{Desk, To, into_form, person, refuse_program};
use crate::audit::Author;
use crate::error::Error;
use crate::http::Held;
use crate::identity::Identity;
use crate::name::Name;
use crate::rights::Scope;
use crate::sessions::{Browser, session_id};
use crate::tokens::NewToken;

/// Days for which a token may last at most, if not for ever.
const LONGEST: i64 = 3650;

#[derive(Serialize)]
struct Account {
    user: UserView,
    tokens_list: Vec<TokenView>,
    sessions: Vec<SessionView>,
}

/// GET `/_/account`.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    identity: Identity,
    held: Held,
    to: To,
) -> Result<Response, HttpError> {
    let name = person(&identity)?;
    show(&desk, &to, &name, &held, &Form::new().id("token"), &Form::new().id("password")).await
}

async fn show(
    desk: &Desk,
    to: &To,
    name: &Name,
    held: &Held,
    token_form: &Form,
    password_form: &Form,
) -> Result<Response, HttpError> {
    let user = desk.auth.user(name).await?.ok_or_else(|| Error::NoUser(name.clone()))?;
    let current = held.session.as_deref().map(session_id);
    let sessions = desk.auth.sessions(name).await?.into_iter().map(|session| SessionView {
        current: current.as_ref() == Some(&session.id),
        browser: session.browser,
        address: session.address,
        created: session.created,
        used: session.used,
    });
    let sessions = sessions.collect();
    let account = Account { user: user.into(), tokens_list: tokens(desk, name).await?, sessions };
    desk.show(to, "auth/account.html", &account, &[("token_form", token_form), ("password_form", password_form)])
}

/// The tokens of `name`.
pub(super) async fn tokens(desk: &Desk, name: &Name) -> Result<Vec<TokenView>, HttpError> {
    let now = desk.auth.now();
    let tokens = desk.auth.tokens(Some(name)).await?.into_iter();
    Ok(tokens.map(|token| TokenView::new(token, now)).collect())
}

/// PUT `/_/account/password`.
pub(super) async fn change_password(
    State(desk): State<Arc<Desk>>,
    identity: Identity,
    by: Author,
    browser: Browser,
    held: Held,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    let name = person(&identity)?;
    let mut form = form.id("password");
    let (old, new) = (form.password("old"), form.password("new"));
    if new.as_ref().is_ok_and(|new| *new != form.value("again")) {
        form.refuse("again", "is not the same");
    }
    if let (Ok(old), Ok(new), true) = (old, new, form.is_valid()) {
        match desk.auth.change_password(&by, &name, &old, &new, &browser).await {
            Ok(session) if held.session.is_some() && !to.is_program() => {
                to.visit.flash(opsctl_web::Tone::Ok, "the password is changed");
                return entered(&desk.auth, &held, &session, "/_/account").await;
            }
            Ok(_) => return Ok(to.done("/_/account", "the password is changed")),
            Err(Error::WrongPassword) => form.refuse("old", "is wrong"),
            Err(error) => into_form(&mut form, "new", error)?,
        }
    }
    refuse_program(&to, &form, &["old", "new", "again"])?;
    show(&desk, &to, &name, &held, &Form::new().id("token"), &form).await
}

/// DELETE `/_/account/sessions`: all but this one.
pub(super) async fn end_sessions(
    State(desk): State<Arc<Desk>>,
    identity: Identity,
    by: Author,
    held: Held,
    to: To,
) -> Result<Response, HttpError> {
    let name = person(&identity)?;
    let ended = desk.auth.end_sessions(&by, &name, held.session.as_deref()).await?;
    Ok(to.done("/_/account", format!("sessions ended: {ended}")))
}

/// POST `/_/account/tokens`.
pub(super) async fn create_token(
    State(desk): State<Arc<Desk>>,
    identity: Identity,
    by: Author,
    held: Held,
    to: To,
    form: Form,
) -> Result<Response, HttpError> {
    let name = person(&identity)?;
    let mut form = form.id("token");
    match make_token(&desk, &by, &name, &mut form, "/_/account").await? {
        Some(token) => desk.show_once(&to, "auth/token.html", &token),
        None => {
            refuse_program(&to, &form, TOKEN_FIELDS)?;
            show(&desk, &to, &name, &held, &form, &Form::new().id("password")).await
        }
    }
}

/// DELETE `/_/account/tokens/{id}`.
pub(super) async fn revoke_token(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<i64>,
    identity: Identity,
    by: Author,
    to: To,
) -> Result<Response, HttpError> {
    let name = person(&identity)?;
    match desk.auth.revoke_token(&by, Some(&name), id).await? {
        true => Ok(to.done("/_/account", format!("token {id} is revoked"))),
        false => Err(HttpError::not_found(format!("there is no token {id} of yours"))),
    }
}

/// The fields of [`make_token`]'s form.
pub(super) const TOKEN_FIELDS: &[&str] = &["label", "scopes", "days", "single_use"];

/// Makes the token that `form` asks for; None if there is something wrong in it.
pub(super) async fn make_token(
    desk: &Desk,
    by: &Author,
    owner: &Name,
    form: &mut Form,
    back: &str,
) -> Result<Option<NewTokenView>, HttpError> {
    let (label, scopes) = (form.required::<String>("label"), form.required::<String>("scopes"));
    let days = form.optional::<i64>("days");
    let scopes = scopes.and_then(|text| {
        let scopes = text.split_whitespace().map(str::parse::<Scope>).collect::<Result<Vec<_>, _>>();
        scopes.map_err(|error| {
            form.refuse("scopes", format!("cannot be read: {error}"));
            opsctl_web::Invalid
        })
    });
    let (Ok(label), Ok(scopes), Ok(days)) = (label, scopes, days) else { return Ok(None) };
    let Some(expires) = days.map_or(Some(None), |days| expiry(by.now(), days).map(Some)) else {
        form.refuse("days", format!("must be between 1 and {LONGEST}"));
        return Ok(None);
    };
    let new = NewToken { label, scopes, expires, single_use: form.is_checked("single_use") };
    match desk.auth.create_token(by, owner, &new).await {
        Ok((id, text)) => Ok(Some(NewTokenView {
            id,
            owner: owner.to_string(),
            label: new.label,
            scopes: new.scopes.iter().map(ToString::to_string).collect(),
            expires,
            token: text.expose().to_owned(),
            back: back.to_owned(),
        })),
        Err(error) => {
            into_form(form, "label", error)?;
            Ok(None)
        }
    }
}

fn expiry(now: Timestamp, days: i64) -> Option<Timestamp> {
    let within = (1..=LONGEST).contains(&days);
    within.then(|| now.checked_add(SignedDuration::from_hours(24 * days)).ok()).flatten()
}
