//! Uploads that come in pieces: how far each is, and that it becomes an item once.

use opsctl_store::{Row, Sql, Transaction, params};

use super::{Expected, Records, Result, blobs, usage};
use crate::clock::now;

/// Uploads of an account that are open at a time.
const MOST: u64 = 1000;

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) id: String,
    /// Whose file it is.
    pub(crate) node: String,
    pub(crate) account: String,
    /// The item's; empty for a part of another upload.
    pub(crate) name: String,
    pub(crate) uploader: String,
    /// As it came.
    pub(crate) metadata: String,
    pub(crate) expected: Expected,
    pub(crate) length: Option<u64>,
    /// Bytes that are on the disk.
    pub(crate) position: u64,
    pub(crate) concat: Concat,
    pub(crate) state: UploadState,
    /// Why it failed.
    pub(crate) message: Option<String>,
    /// Of its blob, from before it is written.
    pub(crate) key: Option<String>,
    pub(crate) sha256: Option<[u8; 32]>,
    /// Microseconds since 1970.
    pub(crate) expires: i64,
}

/// Whether an upload is a part of another one, or put together from such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concat {
    Whole,
    Partial,
    /// Of these.
    Final(Vec<String>),
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// It may go on, or is complete and not yet an item.
    Open,
    Done,
    Failed,
}

/// Whether there is room for an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Enough,
    /// So many bytes are left of the quota.
    Left(u64),
    /// There are too many uploads already.
    TooMany,
}

const COLUMNS: &str = "SELECT id, node, account, name, uploader, metadata, expected, length, position, concat, parts, \
                       state, message, key, sha256, expires FROM upload";

impl Upload {
    /// Whether all of it is there.
    pub(crate) fn is_complete(&self) -> bool {
        self.length == Some(self.position)
    }

    /// Whether it has to become an item still.
    pub(crate) fn is_due(&self) -> bool {
        self.state == UploadState::Open && self.concat != Concat::Partial && self.is_complete()
    }
}

impl Records {
    /// Begins an upload, if there is room within `quota`. A final one takes the place of its parts.
    pub(crate) async fn begin_upload(&self, new: &Upload, quota: Option<u64>) -> Result<Room> {
        let mut tx = self.db.begin().await?;
        tx.lock(&format!("uploads:{}", new.account)).await?;
        let sql = "SELECT count(*) FROM upload WHERE account = $1 AND state = 'open'";
        let open = tx.fetch_optional(sql, params![&new.account]).await?;
        if open.map_or(Ok(0), |row| row.get::<u64>(0_usize))? >= MOST {
            return Ok(Room::TooMany);
        }
        if !matches!(new.concat, Concat::Final(_)) {
            let room = room(&mut tx, &new.account, new.length, quota).await?;
            if room != Room::Enough {
                return Ok(room);
            }
        }
        let (concat, parts) = match &new.concat {
            Concat::Whole => ("", String::new()),
            Concat::Partial => ("partial", String::new()),
            Concat::Final(parts) => ("final", parts.join(" ")),
        };
        let expected = match new.expected {
            Expected::Anything => -1,
            Expected::Nothing => 0,
            Expected::Version(version) => version,
        };
        let sql = "INSERT INTO upload (id, node, account, name, uploader, metadata, expected, length, position, concat, parts, \
                   state, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, 'open', $11, $12)";
        let Upload { id, node, account, name, uploader, metadata, length, expires, .. } = new;
        let params =
            params![id, node, account, name, uploader, metadata, expected, *length, concat, parts, now(), *expires];
        tx.execute(sql, params).await?;
        tx.commit().await?;
        Ok(Room::Enough)
    }

    /// One upload.
    pub(crate) async fn upload(&self, id: &str) -> Result<Option<Upload>> {
        let row = self.db.fetch_optional(Sql::built(format!("{COLUMNS} WHERE id = $1")), params![id]).await?;
        row.as_ref().map(upload).transpose()
    }

    /// Says how long an upload will be that did not say so before, if there is room within `quota`.
    pub(crate) async fn set_length(&self, upload: &Upload, length: u64, quota: Option<u64>) -> Result<Room> {
        let mut tx = self.db.begin().await?;
        tx.lock(&format!("uploads:{}", upload.account)).await?;
        let more = length.saturating_sub(upload.position);
        let room = room(&mut tx, &upload.account, Some(more), quota).await?;
        if room != Room::Enough {
            return Ok(room);
        }
        let sql = "UPDATE upload SET length = $2 WHERE id = $1 AND length IS NULL AND state = 'open'";
        tx.execute(sql, params![&upload.id, length]).await?;
        tx.commit().await?;
        Ok(Room::Enough)
    }

    /// So much of an upload is on the disk now.
    pub(crate) async fn advance(&self, id: &str, position: u64, expires: i64) -> Result<()> {
        let sql = "UPDATE upload SET position = $2, expires = $3 WHERE id = $1 AND state = 'open' AND position <= $2";
        self.db.execute(sql, params![id, position, expires]).await.map(drop)
    }

    /// Says which blob an upload becomes, before it is written.
    pub(crate) async fn name_blob(&self, id: &str, key: &str, sha256: [u8; 32]) -> Result<()> {
        let sql = "UPDATE upload SET key = $2, sha256 = $3 WHERE id = $1 AND state = 'open' AND key IS NULL";
        self.db.execute(sql, params![id, key, sha256]).await.map(drop)
    }

    /// A final upload is on the disk; its parts are needed no more.
    pub(crate) async fn assembled(&self, id: &str, position: u64, parts: &[String]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE upload SET position = $2 WHERE id = $1 AND state = 'open'";
        tx.execute(sql, params![id, position]).await?;
        for part in parts {
            tx.execute("DELETE FROM upload WHERE id = $1", params![part]).await?;
        }
        tx.commit().await
    }

    /// Ends an upload whose blob is not needed.
    pub(crate) async fn end_upload(&self, upload: &Upload, failed: Option<&str>) -> Result<()> {
        let mut tx = self.db.begin().await?;
        end(&mut tx, &upload.id, failed).await?;
        if let Some(key) = &upload.key {
            blobs::leave(&mut tx, key).await?;
        }
        tx.commit().await
    }

    /// Forgets an upload.
    pub(crate) async fn remove_upload(&self, upload: &Upload) -> Result<()> {
        let mut tx = self.db.begin().await?;
        // the blob of one that is done is the item's
        if let Some(key) = upload.key.as_ref().filter(|_| upload.state == UploadState::Open) {
            blobs::leave(&mut tx, key).await?;
        }
        tx.execute("DELETE FROM upload WHERE id = $1", params![&upload.id]).await?;
        tx.commit().await
    }

    /// A node's uploads that nobody goes on with.
    pub(crate) async fn expired(&self, node: &str) -> Result<Vec<Upload>> {
        let sql = Sql::built(format!("{COLUMNS} WHERE node = $1 AND expires < $2 ORDER BY expires LIMIT 100"));
        self.db.fetch_all(sql, params![node, now()]).await?.iter().map(upload).collect()
    }

    /// A node's uploads that are complete, or can be put together, and are no items yet.
    pub(crate) async fn due(&self, node: &str) -> Result<Vec<Upload>> {
        let sql = "WHERE node = $1 AND state = 'open' AND (concat = 'final' OR (concat = '' AND position = length))";
        let sql = Sql::built(format!("{COLUMNS} {sql} ORDER BY created, id"));
        self.db.fetch_all(sql, params![node]).await?.iter().map(upload).collect()
    }
}

/// Whether so many bytes more are within an account's quota; of `None` at least one.
async fn room(tx: &mut Transaction, account: &str, more: Option<u64>, quota: Option<u64>) -> Result<Room> {
    let Some(quota) = quota else { return Ok(Room::Enough) };
    let left = quota.saturating_sub(usage::taken(tx, account).await?);
    Ok(if more.unwrap_or(1) > left { Room::Left(left) } else { Room::Enough })
}

/// Ends an upload; whether it was still open.
pub(super) async fn end(tx: &mut Transaction, id: &str, failed: Option<&str>) -> Result<bool> {
    let state = if failed.is_some() { "failed" } else { "done" };
    let sql = "UPDATE upload SET state = $2, message = $3, key = NULL WHERE id = $1 AND state = 'open'";
    Ok(tx.execute(sql, params![id, state, failed]).await? > 0)
}

fn upload(row: &Row) -> Result<Upload> {
    let (concat, parts): (&str, &str) = (row.get(9_usize)?, row.get(10_usize)?);
    Ok(Upload {
        id: row.get(0_usize)?,
        node: row.get(1_usize)?,
        account: row.get(2_usize)?,
        name: row.get(3_usize)?,
        uploader: row.get(4_usize)?,
        metadata: row.get(5_usize)?,
        expected: match row.get(6_usize)? {
            -1 => Expected::Anything,
            0 => Expected::Nothing,
            version => Expected::Version(version),
        },
        length: row.get(7_usize)?,
        position: row.get(8_usize)?,
        concat: match concat {
            "partial" => Concat::Partial,
            "final" => Concat::Final(parts.split(' ').map(str::to_owned).collect()),
            _ => Concat::Whole,
        },
        state: match row.get(11_usize)? {
            "done" => UploadState::Done,
            "failed" => UploadState::Failed,
            _ => UploadState::Open,
        },
        message: row.get(12_usize)?,
        key: row.get(13_usize)?,
        sha256: row.get(14_usize)?,
        expires: row.get(15_usize)?,
    })
}
