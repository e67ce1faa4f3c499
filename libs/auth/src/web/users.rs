//! The list of users, and how one is added.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use opsctl_http::HttpError;
use opsctl_web::{Form, Paging};
use serde::Serialize;

use super::user::show_invite;
use super::views::UserView;
use super::{Desk, To, administrator, into_form, refuse_program, with_links};
use crate::audit::Author;
use crate::identity::Identity;
use crate::name::Name;
use crate::rights::Grant;
use crate::users::{MOST, NewUser};

#[derive(Serialize)]
struct Users {
    users: Vec<UserView>,
    paging: Paging,
}

/// GET `/_/users`.
pub(super) async fn page(State(desk): State<Arc<Desk>>, identity: Identity, to: To) -> Result<Response, HttpError> {
    administrator(&identity)?;
    show(&desk, &to, &Form::new()).await
}

async fn show(desk: &Desk, to: &To, form: &Form) -> Result<Response, HttpError> {
    let after = to.visit.query().get("after").and_then(|after| after.parse::<Name>().ok());
    let users = desk.auth.users(after.as_ref()).await?;
    let whole = i64::try_from(users.len()).is_ok_and(|count| count == MOST);
    let next = users.last().filter(|_| whole).map(|last| last.name.to_string());
    let paging = Paging::after(&to.visit, next.as_deref());
    let users = Users { users: users.into_iter().map(UserView::from).collect(), paging };
    Ok(with_links(desk.show(to, "auth/users.html", &users, &[("f", form)])?, &users.paging))
}

/// POST `/_/users`: adds one without a password, and shows the link by which they set one.
pub(super) async fn add(
    State(desk): State<Arc<Desk>>,
    identity: Identity,
    by: Author,
    to: To,
    mut form: Form,
) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let (name, grants) = (form.required::<Name>("name"), form.optional::<String>("grants"));
    let grants = grants.and_then(|text| {
        let grants = text.unwrap_or_default();
        let grants = grants.split_whitespace().map(str::parse::<Grant>).collect::<Result<Vec<_>, _>>();
        grants.map_err(|error| {
            form.refuse("grants", format!("cannot be read: {error}"));
            opsctl_web::Invalid
        })
    });
    if let (Ok(name), Ok(grants)) = (name, grants) {
        let administrator = form.is_checked("administrator");
        let new = NewUser { name: name.clone(), password: None, administrator, grants };
        match desk.auth.add_user(&by, new).await {
            Ok(()) => return show_invite(&desk, &to, &by, &name).await,
            Err(error) => into_form(&mut form, "name", error)?,
        }
    }
    refuse_program(&to, &form, &["name", "grants"])?;
    show(&desk, &to, &form).await
}
