//! Items: what is known of them, and what their owners change.

use opsctl_auth::{Act, Author};
use opsctl_store::{Row, Sql, Transaction, params};

use super::hooks::{self, Happened};
use super::{MEDIA, Records, Result, blobs, jobs, usage};
use crate::clock::now;
use crate::facts::Facts;

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) title: String,
    /// What the upload was called where it came from.
    pub(crate) filename: String,
    pub(crate) published: bool,
    /// Grows with each change.
    pub(crate) version: i64,
    /// Microseconds since 1970.
    pub(crate) created: i64,
    pub(crate) changed: i64,
    pub(crate) uploader: String,
    /// Key of the upload's blob.
    pub(crate) source: String,
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
    pub(crate) facts: Option<Facts>,
}

/// Which items are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Part of a name, a title or a file's name, in any case.
    pub(crate) text: &'a str,
    /// A state of the newest job; empty for all.
    pub(crate) state: &'a str,
    pub(crate) published: Option<bool>,
}

/// Part of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// What is to be different with an item.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    pub(crate) title: Option<String>,
    pub(crate) published: Option<bool>,
}

const COLUMNS: &str = "SELECT m.id, m.account, m.name, m.title, m.filename, m.published, m.version, m.created, m.changed, \
                       m.uploader, m.source, m.source_sha256, m.source_bytes, m.facts FROM media m";

/// Of [`Wanted`], from `$2` on.
const WANTED: &str = "m.account = $1 AND ($2 = '' OR lower(m.name) LIKE $2 ESCAPE '!' OR lower(m.title) LIKE $2 ESCAPE '!' \
                      OR lower(m.filename) LIKE $2 ESCAPE '!') AND ($3 = '' OR $3 = (SELECT j.state FROM job j \
                      WHERE j.media = m.id ORDER BY j.id DESC LIMIT 1)) AND ($4 < 0 OR m.published = ($4 = 1))";

/// Of results and captions of the item `$1`.
const KEYS: &str = "SELECT key FROM asset_file WHERE media = $1 UNION ALL SELECT key FROM caption WHERE media = $1";

impl Records {
    /// One item.
    pub(crate) async fn item(&self, account: &str, name: &str) -> Result<Option<Item>> {
        let sql = Sql::built(format!("{COLUMNS} WHERE m.account = $1 AND m.name = $2"));
        self.db.fetch_optional(sql, params![account, name]).await?.as_ref().map(item).transpose()
    }

    /// Whether an item is there and published.
    pub(crate) async fn is_published(&self, id: i64) -> Result<bool> {
        let published = self.db.fetch_value("SELECT published FROM media WHERE id = $1", params![id]).await?;
        Ok(published.unwrap_or(false))
    }

    /// An account's items, the newest first, and how many there are on all pages.
    pub(crate) async fn items(&self, account: &str, wanted: Wanted<'_>, page: Page) -> Result<(Vec<Item>, u64)> {
        let text = match wanted.text.trim() {
            "" => String::new(),
            text => format!("%{}%", text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_")),
        };
        let published = wanted.published.map_or(-1, i64::from);
        let params = params![account, text.clone(), wanted.state, published];
        let total =
            self.db.fetch_value(Sql::built(format!("SELECT count(*) FROM media m WHERE {WANTED}")), params).await?;
        let sql = format!("{COLUMNS} WHERE {WANTED} ORDER BY m.created DESC, m.id DESC LIMIT $5 OFFSET $6");
        let params = params![account, text, wanted.state, published, page.limit, page.offset];
        let items = self.db.fetch_all(Sql::built(sql), params).await?.iter().map(item).collect::<Result<_>>()?;
        Ok((items, total.unwrap_or(0)))
    }

    /// Changes an item that is still as it was in `version`, whatever it is now if that is `None`. Returns the new version;
    /// `None` if it is another one.
    pub(crate) async fn edit(
        &self,
        item: &Item,
        version: Option<i64>,
        edit: &Edit,
        by: &Author,
    ) -> Result<Option<i64>> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE media SET title = coalesce($3, title), published = coalesce($4, published), \
                   version = version + 1, changed = $5 WHERE id = $1 AND ($2 < 0 OR version = $2) RETURNING version";
        let params = params![item.id, version.unwrap_or(-1), edit.title.as_deref(), edit.published, now()];
        let Some(row) = tx.fetch_optional(sql, params).await? else { return Ok(None) };
        let object = item.object();
        if let Some(title) = &edit.title {
            by.record(&mut tx, Act::new("rename", &object).before(&item.title).after(title)).await?;
        }
        if let Some(published) = edit.published {
            let act = Act::new(if published { "publish" } else { "unpublish" }, &object);
            by.record(&mut tx, act).await?;
            if !published {
                self.note_purges(&mut tx, item.id).await?;
            }
            if published != item.published {
                let happened = if published { Happened::Published } else { Happened::Unpublished };
                hooks::note(&mut tx, item.id, happened).await?;
            }
        }
        changed(&mut tx, item.id).await?;
        tx.commit().await?;
        row.get(0_usize).map(Some)
    }

    /// Removes an item that is still as it was in `version`, whatever it is now if that is `None`: whether it is gone. Its
    /// blobs follow.
    pub(crate) async fn delete(&self, item: &Item, version: Option<i64>, by: &Author) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT source FROM media WHERE id = $1 AND ($2 < 0 OR version = $2)";
        let Some(row) = tx.fetch_optional(sql, params![item.id, version.unwrap_or(-1)]).await? else {
            return Ok(false);
        };
        self.note_purges(&mut tx, item.id).await?;
        leave_all(&mut tx, item.id, row.get(0_usize)?).await?;
        jobs::cancel(&mut tx, item.id).await?;
        hooks::note(&mut tx, item.id, Happened::Deleted).await?;
        tx.execute("DELETE FROM media WHERE id = $1", params![item.id]).await?;
        usage::note(&mut tx, &item.account).await?;
        by.record(&mut tx, Act::new("delete", item.object()).before(&item.title)).await?;
        changed(&mut tx, item.id).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Leaves the blobs of an item: its upload, all results and captions.
async fn leave_all(tx: &mut Transaction, media: i64, source: &str) -> Result<()> {
    blobs::leave(tx, source).await?;
    for row in tx.fetch_all(KEYS, params![media]).await? {
        blobs::leave(tx, row.get(0_usize)?).await?;
    }
    Ok(())
}

/// Tells others.
pub(super) async fn changed(tx: &mut Transaction, media: i64) -> Result<()> {
    tx.notify(MEDIA, &media.to_string()).await
}

impl Item {
    /// What people call it: its title, or else what there is.
    pub(crate) fn label(&self) -> &str {
        [&self.title, &self.filename].into_iter().find(|text| !text.is_empty()).unwrap_or(&self.name)
    }

    /// As the trail calls it.
    pub(crate) fn object(&self) -> String {
        format!("encoder/{}/{}", self.account, self.name)
    }
}

pub(super) fn item(row: &Row) -> Result<Item> {
    let facts: Option<&str> = row.get(13_usize)?;
    Ok(Item {
        id: row.get(0_usize)?,
        account: row.get(1_usize)?,
        name: row.get(2_usize)?,
        title: row.get(3_usize)?,
        filename: row.get(4_usize)?,
        published: row.get(5_usize)?,
        version: row.get(6_usize)?,
        created: row.get(7_usize)?,
        changed: row.get(8_usize)?,
        uploader: row.get(9_usize)?,
        source: row.get(10_usize)?,
        sha256: row.get(11_usize)?,
        bytes: row.get(12_usize)?,
        facts: facts.and_then(|text| serde_json::from_str(text).ok()),
    })
}
