//! To the provider and back: `/_/oidc/login` and `/_/oidc/callback`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use opsctl_http::{HttpError, SetCookie, cookie};

use super::login::{entered, local};
use super::{Desk, To, unkept};
use crate::auth::Auth;
use crate::error::Error;
use crate::http::Held;
use crate::oidc::{Oidc, PATIENCE};
use crate::sessions::{Browser, SessionText};

/// What a browser carries to the provider and back.
const COOKIE: &str = "opsctl_oidc";

fn provider(desk: &Desk) -> Result<Arc<Oidc>, HttpError> {
    desk.auth.oidc().cloned().ok_or_else(|| HttpError::not_found("there is no login provider here"))
}

fn name(held: &Held) -> String {
    if held.secure { format!("__Host-{COOKIE}") } else { COOKIE.to_owned() }
}

/// GET `/_/oidc/login`: changes nothing but what this browser carries.
pub(super) async fn begin(State(desk): State<Arc<Desk>>, held: Held, to: To) -> Result<Response, HttpError> {
    let next = local(to.visit.query().get("next").unwrap_or_default());
    let (url, carried) = provider(&desk)?.begin(&next, desk.auth.now()).await?;
    let mut response = Redirect::to(&url).into_response();
    let carried = SetCookie::new(&name(&held), &carried);
    let carried = carried.map(|cookie| cookie.max_age(Duration::from_secs(PATIENCE)).secure(held.secure).to_header());
    response.headers_mut().extend(carried.map(|line| (SET_COOKIE, line)));
    Ok(unkept(response))
}

/// GET `/_/oidc/callback`.
pub(super) async fn back(
    State(desk): State<Arc<Desk>>,
    browser: Browser,
    held: Held,
    headers: HeaderMap,
    to: To,
) -> Result<Response, HttpError> {
    let oidc = provider(&desk)?;
    let query = to.visit.query();
    if query.get("error").is_some() {
        return Err(HttpError::new(StatusCode::FORBIDDEN, "the login provider has not let you in"));
    }
    let (state, code) = (query.get("state").unwrap_or_default(), query.get("code").unwrap_or_default());
    let carried = cookie(&headers, &name(&held)).unwrap_or_default();
    let entered_as = enter(&desk.auth, &oidc, carried, state, code, &browser).await;
    let (session, next) = entered_as.inspect_err(|error| {
        tracing::warn!(address = ?browser.address, error = %opsctl_logging::chain(error), "login at the provider failed");
    })?;
    let mut response = entered(&desk.auth, &held, &session, &next).await?;
    let removal = SetCookie::removal(&name(&held)).map(|cookie| cookie.secure(held.secure).to_header());
    response.headers_mut().extend(removal.map(|line| (SET_COOKIE, line)));
    // appended, not replaced: the session's own cookie is another
    Ok(response)
}

async fn enter(
    auth: &Auth,
    oidc: &Oidc,
    carried: &str,
    state: &str,
    code: &str,
    browser: &Browser,
) -> Result<(SessionText, String), Error> {
    let (claims, next) = oidc.finish(carried, state, code, auth.now()).await?;
    let (_, session) = auth.enter(&oidc.settings, &claims, browser).await?;
    Ok((session, next))
}
