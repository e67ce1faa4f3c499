//! Results of an item, and their files.

use opsctl_store::{Row, params};

use super::{Records, Result};

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asset {
    pub(crate) name: String,
    /// The word for its [`crate::Kind`].
    pub(crate) kind: String,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    /// Seconds.
    pub(crate) duration: Option<f64>,
    pub(crate) bytes: u64,
    /// Whether picture, sound or both are the upload's own.
    pub(crate) copied: bool,
    /// Microseconds since 1970.
    pub(crate) made: i64,
    /// The one to begin with first.
    pub(crate) files: Vec<AssetFile>,
}

/// A file of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetFile {
    /// What follows the item's name in its address: `.mp4`, `/1.jpg`.
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) bytes: u64,
}

impl Records {
    /// The results of an item, by name.
    pub(crate) async fn assets(&self, media: i64) -> Result<Vec<Asset>> {
        let sql =
            "SELECT name, kind, width, height, duration, bytes, copied, made FROM asset WHERE media = $1 ORDER BY name";
        let rows = self.db.fetch_all(sql, params![media]).await?;
        let mut assets = rows.iter().map(asset).collect::<Result<Vec<_>>>()?;
        let sql = "SELECT asset, path, key, bytes FROM asset_file WHERE media = $1 ORDER BY asset, position";
        for row in self.db.fetch_all(sql, params![media]).await? {
            let name: &str = row.get(0_usize)?;
            let file = AssetFile { path: row.get(1_usize)?, key: row.get(2_usize)?, bytes: row.get(3_usize)? };
            if let Some(asset) = assets.iter_mut().find(|asset| asset.name == name) {
                asset.files.push(file);
            }
        }
        Ok(assets)
    }
}

fn asset(row: &Row) -> Result<Asset> {
    Ok(Asset {
        name: row.get(0_usize)?,
        kind: row.get(1_usize)?,
        width: row.get(2_usize)?,
        height: row.get(3_usize)?,
        duration: row.get(4_usize)?,
        bytes: row.get(5_usize)?,
        copied: row.get(6_usize)?,
        made: row.get(7_usize)?,
        files: Vec::new(),
    })
}
