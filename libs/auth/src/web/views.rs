//! Users, tokens and sessions as pages and programs see them.

use jiff::Timestamp;
use serde::Serialize;

use crate::rights::Grant;
use crate::tokens::Token;
use crate::users::User;

/// A user.
#[derive(Debug, Serialize)]
pub(super) struct UserView {
    pub(super) name: String,
    pub(super) administrator: bool,
    pub(super) disabled: Option<Timestamp>,
    pub(super) has_password: bool,
    pub(super) created: Timestamp,
    pub(super) seen: Option<Timestamp>,
    pub(super) grants: Vec<GrantView>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { id: _, name, administrator, disabled, has_password, created, seen, grants } = user;
        let grants = grants.iter().map(GrantView::from).collect();
        Self { name: name.to_string(), administrator, disabled, has_password, created, seen, grants }
    }
}

/// A role and where.
#[derive(Debug, Serialize)]
pub(super) struct GrantView {
    role: &'static str,
    place: String,
}

impl From<&Grant> for GrantView {
    fn from(Grant { role, place }: &Grant) -> Self {
        Self { role: role.word(), place: place.to_string() }
    }
}

/// A token, without its text.
#[derive(Debug, Serialize)]
pub(super) struct TokenView {
    pub(super) id: i64,
    owner: String,
    label: String,
    scopes: Vec<String>,
    single_use: bool,
    created: Timestamp,
    expires: Option<Timestamp>,
    used: Option<Timestamp>,
    spent: Option<Timestamp>,
    live: bool,
}

impl TokenView {
    pub(super) fn new(token: Token, now: Timestamp) -> Self {
        let live = token.is_live(now);
        let Token { id, owner, label, scopes, single_use, created, expires, used, spent } = token;
        let scopes = scopes.iter().map(ToString::to_string).collect();
        Self { id, owner: owner.to_string(), label, scopes, single_use, created, expires, used, spent, live }
    }
}

/// A token that was just made, with its text.
#[derive(Debug, Serialize)]
pub(super) struct NewTokenView {
    pub(super) id: i64,
    pub(super) owner: String,
    pub(super) label: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires: Option<Timestamp>,
    pub(super) token: String,
    pub(super) back: String,
}

/// A session.
#[derive(Debug, Serialize)]
pub(super) struct SessionView {
    pub(super) browser: String,
    pub(super) address: String,
    pub(super) created: Timestamp,
    pub(super) used: Timestamp,
    pub(super) current: bool,
}
