//! Logging in and out.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{RETRY_AFTER, SET_COOKIE};
use opsctl_http::{HttpError, SetCookie};
use opsctl_web::{Form, Query};
use serde::Serialize;

use super::{Desk, To, unkept};
use crate::auth::Auth;
use crate::error::Error;
use crate::http::Held;
use crate::identity::Identity;
use crate::sessions::{Browser, SessionText};

#[derive(Serialize)]
struct Login {
    next: String,
    /// What the button says that leads to the provider, and where it leads.
    elsewhere: Option<(String, String)>,
}

/// GET `/_/login`.
pub(super) async fn page(State(desk): State<Arc<Desk>>, identity: Identity, to: To) -> Result<Response, HttpError> {
    let next = local(to.visit.query().get("next").unwrap_or_default());
    if identity.name().is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    show(&desk, &to, next, &Form::new())
}

/// POST `/_/login`: begins a session, always a new one.
pub(super) async fn log_in(
    State(desk): State<Arc<Desk>>,
    browser: Browser,
    held: Held,
    to: To,
    mut form: Form,
) -> Result<Response, HttpError> {
    to.visit.require_token()?;
    let next = local(form.value("next"));
    let (name, password) = (form.required::<String>("name"), form.password("password"));
    let (Ok(name), Ok(password)) = (name, password) else { return show(&desk, &to, next, &form) };
    match desk.auth.login(&name, &password, &browser).await {
        Ok((_, session)) => entered(&desk.auth, &held, &session, &next).await,
        Err(error @ (Error::WrongPassword | Error::Throttled(_))) => {
            form.refuse_all(sentence(&error));
            let mut response = show(&desk, &to, next, &form)?;
            if let Error::Throttled(wait) = error {
                *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
                response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
            }
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// POST `/_/logout`.
pub(super) async fn log_out(State(desk): State<Arc<Desk>>, held: Held, to: To) -> Result<Response, HttpError> {
    if let Some(session) = &held.session {
        desk.auth.logout(session).await?;
    }
    let mut response = to.done("/", "you are logged out");
    let removal = SetCookie::removal(&desk.auth.cookie(held.secure));
    response.headers_mut().extend(removal.map(|cookie| (SET_COOKIE, cookie.secure(held.secure).to_header())));
    Ok(unkept(response))
}

/// The answer to whoever has just shown who they are: the new session's cookie. What the browser held before is worth
/// nothing from now on, whoever put it there.
pub(super) async fn entered(
    auth: &Auth,
    held: &Held,
    session: &SessionText,
    next: &str,
) -> Result<Response, HttpError> {
    if let Some(former) = &held.session {
        auth.logout(former).await?;
    }
    let mut response = Redirect::to(next).into_response();
    let cookie = SetCookie::new(&auth.cookie(held.secure), session.expose());
    let most = auth.settings().session_max.get();
    let cookie = cookie.map(|cookie| (SET_COOKIE, cookie.max_age(most).secure(held.secure).to_header()));
    response.headers_mut().extend(cookie);
    Ok(unkept(response))
}

fn show(desk: &Desk, to: &To, next: String, form: &Form) -> Result<Response, HttpError> {
    let link = || Query::default().with("next", &next).href("/_/oidc/login");
    let elsewhere = desk.auth.oidc().map(|oidc| (oidc.label(), link()));
    desk.show(to, "auth/login.html", &Login { next, elsewhere }, &[("f", form)]).map(unkept)
}

fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A place on this host: what leads elsewhere leads to the start.
pub(super) fn local(next: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let mut chars = next.chars();
    let inside = chars.next() == Some('/') && chars.next() != Some('/') && next.chars().all(plain);
    if inside && next.len() <= 2000 && !next.starts_with("/_/login") { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        let check = |next: &str, expected: &str| assert_eq!(local(next), expected, "{next:?}");
        check("/", "/");
        check("/simple/demo/?a=b#c", "/simple/demo/?a=b#c");
        check("/_/account", "/_/account");
        for next in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\r\nb", "/a b", "/\t/e"]
        {
            check(next, "/");
        }
        check("/_/login?next=/", "/");
        check(&format!("/{}", "a".repeat(3000)), "/");
    }
}
