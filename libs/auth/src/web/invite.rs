//! Where an invitation's link leads: a password is set, and one is logged in.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use opsctl_http::HttpError;
use opsctl_web::Form;
use serde::Serialize;

use super::login::entered;
use super::{Desk, To, into_form, unkept};
use crate::error::Error;
use crate::http::Held;
use crate::invites::Invited;
use crate::name::Name;
use crate::sessions::Browser;

#[derive(Serialize)]
struct Invite {
    /// None: the first administrator chooses one.
    name: Option<String>,
}

impl From<&Invited> for Invite {
    fn from(invited: &Invited) -> Self {
        match invited {
            Invited::FirstAdministrator => Self { name: None },
            Invited::User(name) => Self { name: Some(name.to_string()) },
        }
    }
}

/// GET `/_/invite/{text}`.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Path(text): Path<String>,
    to: To,
) -> Result<Response, HttpError> {
    let invited = desk.auth.invited(&text).await?.ok_or(Error::NoInvite)?;
    show(&desk, &to, &invited, &Form::new())
}

/// POST `/_/invite/{text}`.
pub(super) async fn accept(
    State(desk): State<Arc<Desk>>,
    Path(text): Path<String>,
    browser: Browser,
    held: Held,
    to: To,
    mut form: Form,
) -> Result<Response, HttpError> {
    to.visit.require_token()?;
    let invited = desk.auth.invited(&text).await?.ok_or(Error::NoInvite)?;
    let name = match &invited {
        Invited::FirstAdministrator => form.required::<Name>("name"),
        Invited::User(name) => Ok(name.clone()),
    };
    let password = form.password("password");
    if password.as_ref().is_ok_and(|password| *password != form.value("again")) {
        form.refuse("again", "is not the same");
    }
    let (Ok(name), Ok(password), true) = (name, password, form.is_valid()) else {
        return show(&desk, &to, &invited, &form);
    };
    match desk.auth.accept_invite(&text, &name, &password, &browser).await {
        Ok((_, session)) => entered(&desk.auth, &held, &session, "/_/account").await,
        Err(error) => {
            let field = if matches!(error, Error::Taken(_)) { "name" } else { "password" };
            into_form(&mut form, field, error)?;
            show(&desk, &to, &invited, &form)
        }
    }
}

fn show(desk: &Desk, to: &To, invited: &Invited, form: &Form) -> Result<Response, HttpError> {
    desk.show(to, "auth/invite.html", &Invite::from(invited), &[("f", form)]).map(unkept)
}
