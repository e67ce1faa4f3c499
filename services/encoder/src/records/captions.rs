//! Captions of items, in languages.

use opsctl_auth::{Act, Author};
use opsctl_store::{Row, Transaction, params};

use super::{Item, Records, Result, blobs, media, usage};
use crate::clock::now;

/// A file of captions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caption {
    pub(crate) language: String,
    /// Of its blob.
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) cues: u64,
    /// Microseconds since 1970.
    pub(crate) changed: i64,
}

const COLUMNS: &str = "SELECT language, key, bytes, cues, changed FROM caption WHERE media = $1";

impl Records {
    /// An item's, by language.
    pub(crate) async fn captions(&self, media: i64) -> Result<Vec<Caption>> {
        let sql = opsctl_store::Sql::built(format!("{COLUMNS} ORDER BY language"));
        self.db.fetch_all(sql, params![media]).await?.iter().map(caption).collect()
    }

    /// Puts captions, whose blob is reserved, in the place of those of the same language; whether there were any. `None` if
    /// there is no such item any more.
    pub(crate) async fn put_caption(&self, item: &Item, new: &Caption, by: &Author) -> Result<Option<bool>> {
        let mut tx = self.db.begin().await?;
        if !touch(&mut tx, item).await? {
            return Ok(None);
        }
        let old = drop_caption(&mut tx, item.id, &new.language).await?;
        let sql = "INSERT INTO caption (media, language, key, bytes, cues, changed) VALUES ($1, $2, $3, $4, $5, $6)";
        let Caption { language, key, bytes, cues, changed } = new;
        tx.execute(sql, params![item.id, language, key, *bytes, *cues, *changed]).await?;
        blobs::own(&mut tx, key).await?;
        self.note_caption(&mut tx, item, language).await?;
        by.record(&mut tx, Act::new("caption", item.object()).after(language)).await?;
        usage::note(&mut tx, &item.account).await?;
        tx.commit().await?;
        Ok(Some(old))
    }

    /// Removes captions; whether there were any.
    pub(crate) async fn delete_caption(&self, item: &Item, language: &str, by: &Author) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        if !touch(&mut tx, item).await? || !drop_caption(&mut tx, item.id, language).await? {
            return Ok(false);
        }
        self.note_caption(&mut tx, item, language).await?;
        by.record(&mut tx, Act::new("caption", item.object()).before(language)).await?;
        usage::note(&mut tx, &item.account).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Says that an item has changed; whether it is still there.
async fn touch(tx: &mut Transaction, item: &Item) -> Result<bool> {
    let sql = "UPDATE media SET version = version + 1, changed = $2 WHERE id = $1";
    let there = tx.execute(sql, params![item.id, now()]).await? > 0;
    media::changed(tx, item.id).await?;
    Ok(there)
}

async fn drop_caption(tx: &mut Transaction, media: i64, language: &str) -> Result<bool> {
    let sql = "DELETE FROM caption WHERE media = $1 AND language = $2 RETURNING key";
    let Some(row) = tx.fetch_optional(sql, params![media, language]).await? else { return Ok(false) };
    blobs::leave(tx, row.get(0_usize)?).await?;
    Ok(true)
}

fn caption(row: &Row) -> Result<Caption> {
    Ok(Caption {
        language: row.get(0_usize)?,
        key: row.get(1_usize)?,
        bytes: row.get(2_usize)?,
        cues: row.get(3_usize)?,
        changed: row.get(4_usize)?,
    })
}
