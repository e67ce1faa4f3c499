//! Reading the trail of changes, for people.

use opsctl_store::{Row, params};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Records, Result};

/// What is looked for; all of it where a text is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrailFilter {
    /// Of this index, and what holds in all.
    pub(crate) index: String,
    /// Normalised, or the pattern of a reservation.
    pub(crate) project: String,
    /// A user's name, whichever token was used, or the whole text of an actor.
    pub(crate) actor: String,
    pub(crate) action: String,
}

/// A change, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Recorded {
    /// Its number; later changes have greater ones.
    pub(crate) serial: i64,
    /// When.
    #[serde(serialize_with = "crate::clock::rfc3339")]
    #[schemars(with = "String")]
    pub(crate) at: i64,
    /// A user, a token of one, `folder`.
    pub(crate) actor: String,
    /// From where; empty if that is nowhere.
    pub(crate) address: String,
    /// `upload`, `promote`, `yank`, `unyank`, `status`, `remove`, `origin`, `reserve`, `unreserve`, `appear`, `vanish`.
    pub(crate) action: String,
    /// Empty for what holds in all indexes.
    pub(crate) index: String,
    /// Its normalised name, or the pattern of a reservation.
    pub(crate) project: String,
    /// A file name, a version, empty for the project.
    pub(crate) object: String,
    /// What was there before.
    pub(crate) before: Option<String>,
    /// What is there since.
    pub(crate) after: Option<String>,
}

impl Records {
    /// Up to `limit` changes before the one of number `before`, the newest first.
    pub(crate) async fn trail(&self, filter: &TrailFilter, before: i64, limit: usize) -> Result<Vec<Recorded>> {
        let TrailFilter { index, project, actor, action } = filter;
        let sql = "SELECT serial, at, actor, address, action, index_name, project, object, before, after FROM change \
                   WHERE serial < $1 AND ($2 = '' OR index_name = $2 OR index_name = '') AND ($3 = '' OR project = $3) \
                   AND ($4 = '' OR actor = $4 OR substr(actor, 1, length($4) + 2) = $4 || ' (') \
                   AND ($5 = '' OR action = $5) ORDER BY serial DESC LIMIT $6";
        let text = |text: &String| text.replace('\0', "\u{fffd}");
        let params = params![before, text(index), text(project), text(actor), text(action), limit];
        self.db.fetch_all(sql, params).await?.iter().map(recorded).collect()
    }
}

fn recorded(row: &Row) -> Result<Recorded> {
    Ok(Recorded {
        serial: row.get(0_usize)?,
        at: row.get(1_usize)?,
        actor: row.get(2_usize)?,
        address: row.get(3_usize)?,
        action: row.get(4_usize)?,
        index: row.get(5_usize)?,
        project: row.get(6_usize)?,
        object: row.get(7_usize)?,
        before: row.get(8_usize)?,
        after: row.get(9_usize)?,
    })
}
