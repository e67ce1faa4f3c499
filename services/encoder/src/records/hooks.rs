//! What happened to items, and who is still to be told.

use opsctl_store::{Dialect, Row, Sql, Transaction, params};
use serde_json::json;

use super::{HOOKS, Records, Result};
use crate::clock::{SECOND, now};
use crate::ingest::random;

/// For how long it is tried.
const PATIENCE: i64 = 3 * 24 * 3600 * SECOND;
/// For how long it can be looked at afterwards.
const KEPT: i64 = 7 * 24 * 3600 * SECOND;
/// For how long one who sends has the right to.
const LEASE: i64 = 30 * SECOND;
/// An event waits for the earlier ones of its item, until those were tried so often.
const IN_ORDER: i64 = 6;

/// Something that happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened<'a> {
    Uploaded,
    Done,
    /// The reason for programs and for people.
    Failed {
        reason: &'a str,
        message: &'a str,
    },
    Published,
    Unpublished,
    Deleted,
}

impl Happened<'_> {
    fn word(self) -> &'static str {
        match self {
            Happened::Uploaded => "media.uploaded",
            Happened::Done => "media.done",
            Happened::Failed { .. } => "media.failed",
            Happened::Published => "media.published",
            Happened::Unpublished => "media.unpublished",
            Happened::Deleted => "media.deleted",
        }
    }
}

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: i64,
    pub(crate) account: String,
    pub(crate) url: String,
    pub(crate) body: String,
    /// Begins with 1: the fence around what is said of it.
    pub(crate) attempt: u32,
    pub(crate) give_up_at: i64,
}

/// A message as it is shown.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) account: String,
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) attempts: u32,
    /// Microseconds since 1970.
    pub(crate) created: i64,
    pub(crate) next_at: i64,
    pub(crate) error: Option<String>,
}

/// Messages that wait for nothing but their time; `$1` is [`IN_ORDER`].
const WAITING: &str = "FROM hook_delivery d JOIN hook_event e ON e.seq = d.event WHERE d.state = 'waiting' AND NOT EXISTS \
                       (SELECT 1 FROM hook_delivery b JOIN hook_event f ON f.seq = b.event WHERE b.state = 'waiting' \
                       AND b.url = d.url AND f.media = e.media AND b.event < d.event AND b.attempt < $1)";

impl Records {
    /// Events of which it is not known yet whom to tell: their numbers and accounts.
    pub(crate) async fn new_events(&self) -> Result<Vec<(i64, String)>> {
        let sql = "SELECT seq, account FROM hook_event WHERE NOT spread ORDER BY seq LIMIT 100";
        let rows = self.db.fetch_all(sql, params![]).await?;
        rows.iter().map(|row| Ok((row.get(0_usize)?, row.get(1_usize)?))).collect()
    }

    /// An event is to be told to these.
    pub(crate) async fn spread(&self, event: i64, urls: &[String]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE hook_event SET spread = TRUE WHERE seq = $1 AND NOT spread RETURNING created";
        let Some(row) = tx.fetch_optional(sql, params![event]).await? else { return Ok(()) };
        if urls.is_empty() {
            tx.execute("DELETE FROM hook_event WHERE seq = $1", params![event]).await?;
        }
        let created: i64 = row.get(0_usize)?;
        for url in urls {
            let sql = "INSERT INTO hook_delivery (event, url, state, attempt, next_at, lease_until, give_up_at) \
                       VALUES ($1, $2, 'waiting', 0, $3, 0, $4)";
            tx.execute(sql, params![event, url, created, created + PATIENCE]).await?;
        }
        tx.commit().await
    }

    /// Takes the message whose turn it is.
    pub(crate) async fn claim_delivery(&self) -> Result<Option<Delivery>> {
        let mut tx = self.db.begin().await?;
        let mut next = format!(
            "SELECT d.id {WAITING} AND d.next_at <= $2 AND d.lease_until < $2 ORDER BY d.next_at, d.event, d.id LIMIT 1"
        );
        if self.db.dialect() == Dialect::Postgres {
            next.push_str(" FOR UPDATE OF d SKIP LOCKED");
        }
        let at = now();
        let sql = format!(
            "UPDATE hook_delivery SET attempt = attempt + 1, lease_until = $3 WHERE id = ({next}) \
             RETURNING id, event, url, attempt, give_up_at"
        );
        let Some(row) = tx.fetch_optional(Sql::built(sql), params![IN_ORDER, at, at + LEASE]).await? else {
            return Ok(None);
        };
        let event: i64 = row.get(1_usize)?;
        let sql = "SELECT account, body FROM hook_event WHERE seq = $1";
        let Some(told) = tx.fetch_optional(sql, params![event]).await? else { return Ok(None) };
        tx.commit().await?;
        Ok(Some(Delivery {
            id: row.get(0_usize)?,
            account: told.get(0_usize)?,
            url: row.get(2_usize)?,
            body: told.get(1_usize)?,
            attempt: row.get(3_usize)?,
            give_up_at: row.get(4_usize)?,
        }))
    }

    /// A message has arrived.
    pub(crate) async fn delivered(&self, delivery: &Delivery) -> Result<()> {
        let sql = "UPDATE hook_delivery SET state = 'sent', lease_until = 0, error = NULL \
                   WHERE id = $1 AND attempt = $2 AND state = 'waiting'";
        self.db.execute(sql, params![delivery.id, delivery.attempt]).await.map(drop)
    }

    /// A message has not arrived; it is tried again at `next`, or given up.
    pub(crate) async fn undelivered(&self, delivery: &Delivery, error: &str, next: Option<i64>) -> Result<()> {
        let state = if next.is_some() { "waiting" } else { "given-up" };
        let sql = "UPDATE hook_delivery SET state = $3, lease_until = 0, error = $4, next_at = coalesce($5, next_at) \
                   WHERE id = $1 AND attempt = $2 AND state = 'waiting'";
        self.db.execute(sql, params![delivery.id, delivery.attempt, state, error, next]).await.map(drop)
    }

    /// When the next message can be sent, if there is one.
    pub(crate) async fn next_delivery(&self) -> Result<Option<i64>> {
        let sql =
            format!("SELECT min(CASE WHEN d.lease_until > d.next_at THEN d.lease_until ELSE d.next_at END) {WAITING}");
        Ok(self.db.fetch_value::<Option<i64>>(Sql::built(sql), params![IN_ORDER]).await?.flatten())
    }

    /// Forgets what everybody was told long ago.
    pub(crate) async fn forget_events(&self) -> Result<()> {
        let sql = "DELETE FROM hook_event WHERE spread AND created < $1 AND NOT EXISTS \
                   (SELECT 1 FROM hook_delivery d WHERE d.event = hook_event.seq AND d.state = 'waiting')";
        self.db.execute(sql, params![now() - KEPT]).await.map(drop)
    }

    /// Messages, the newest first: those that have not arrived, or all.
    pub(crate) async fn told(&self, all: bool, limit: i64) -> Result<Vec<Told>> {
        let sql = "SELECT e.id, e.account, e.kind, d.url, d.state, d.attempt, e.created, d.next_at, d.error \
                   FROM hook_delivery d JOIN hook_event e ON e.seq = d.event WHERE ($1 OR d.state <> 'sent') \
                   ORDER BY d.event DESC, d.id LIMIT $2";
        self.db.fetch_all(sql, params![all, limit]).await?.iter().map(told).collect()
    }

    /// Everything that has not arrived is tried again at once; how many that are.
    pub(crate) async fn tell_again(&self) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE hook_delivery SET state = 'waiting', next_at = $1, give_up_at = $2 WHERE state <> 'sent'";
        let count = tx.execute(sql, params![now(), now() + PATIENCE]).await?;
        tx.notify(HOOKS, "").await?;
        tx.commit().await?;
        Ok(count)
    }
}

/// Writes down what happens to an item in this transaction, before it is gone.
pub(super) async fn note(tx: &mut Transaction, media: i64, happened: Happened<'_>) -> Result<()> {
    let sql = "SELECT account, name, title, published, version FROM media WHERE id = $1";
    let Some(row) = tx.fetch_optional(sql, params![media]).await? else { return Ok(()) };
    let (account, name, title): (&str, &str, &str) = (row.get(0_usize)?, row.get(1_usize)?, row.get(2_usize)?);
    let (published, version): (bool, i64) = (row.get(3_usize)?, row.get(4_usize)?);
    let (id, at) = (format!("evt_{}", random()), now());
    let mut body = json!({
        "id": id, "type": happened.word(), "created": at / SECOND, "account": account,
        "item": {
            "id": name, "href": format!("/api/v1/accounts/{account}/media/{name}"), "title": title,
            "published": published, "version": version,
        },
    });
    if let (Happened::Failed { reason, message }, Some(fields)) = (happened, body.as_object_mut()) {
        fields.insert("reason".into(), reason.into());
        fields.insert("message".into(), message.into());
    }
    let sql = "INSERT INTO hook_event (id, account, media, kind, body, created, spread) \
               VALUES ($1, $2, $3, $4, $5, $6, FALSE)";
    tx.execute(sql, params![id, account, media, happened.word(), body.to_string(), at]).await?;
    tx.notify(HOOKS, "").await
}

fn told(row: &Row) -> Result<Told> {
    Ok(Told {
        event: row.get(0_usize)?,
        account: row.get(1_usize)?,
        kind: row.get(2_usize)?,
        url: row.get(3_usize)?,
        state: row.get(4_usize)?,
        attempts: row.get(5_usize)?,
        created: row.get(6_usize)?,
        next_at: row.get(7_usize)?,
        error: row.get(8_usize)?,
    })
}
