//! What is shown to everybody: which files belong to which published item, kept in memory so that a request for a segment
//! or a thumbnail asks no database.
//!
//! Entries are dropped when something says that their item has changed. An item that is shown no more takes those with
//! it who are being sent a file of it at that moment.

mod kinds;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opsctl_host::Context;
use opsctl_store::Event;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use self::kinds::media_type;
use crate::records::{AssetFile, MEDIA, Records};

/// Items that are remembered.
const MOST: usize = 10_000;

/// What is shown.
#[derive(Debug)]
pub(crate) struct Shelf {
    records: Records,
    items: Mutex<HashMap<(String, String), Arc<Shown>>>,
    /// Counts changes: what was read before one is not remembered after it.
    changes: AtomicU64,
}

/// An item as it is delivered.
#[derive(Debug)]
pub(crate) struct Shown {
    id: i64,
    pub(crate) published: bool,
    /// By result and path.
    files: HashMap<(String, String), AssetFile>,
    /// Cancelled when it is shown no more.
    pub(crate) revoked: CancellationToken,
}

impl Shown {
    /// A file of a result.
    pub(crate) fn file(&self, asset: &str, path: &str) -> Option<&AssetFile> {
        self.files.get(&(asset.to_owned(), path.to_owned()))
    }
}

impl Shelf {
    pub(crate) fn new(records: Records) -> Shelf {
        Shelf { records, items: Mutex::default(), changes: AtomicU64::new(0) }
    }

    /// An item, published or not.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn get(&self, account: &str, name: &str) -> opsctl_store::Result<Option<Arc<Shown>>> {
        let key = (account.to_owned(), name.to_owned());
        if let Some(shown) = self.items().get(&key) {
            return Ok(Some(Arc::clone(shown)));
        }
        let before = self.changes.load(Ordering::SeqCst);
        let Some(item) = self.records.item(account, name).await? else { return Ok(None) };
        let assets = self.records.assets(item.id).await?;
        let files = assets
            .into_iter()
            .flat_map(|asset| asset.files.into_iter().map(move |file| ((asset.name.clone(), file.path.clone()), file)));
        let revoked = CancellationToken::new();
        let shown = Arc::new(Shown { id: item.id, published: item.published, files: files.collect(), revoked });
        let mut items = self.items();
        if self.changes.load(Ordering::SeqCst) == before {
            if items.len() >= MOST {
                items.clear();
            }
            // of two that read it at once, one is remembered: it is the one whose answers can be broken off
            return Ok(Some(Arc::clone(items.entry(key).or_insert(shown))));
        }
        Ok(Some(shown))
    }

    /// Something about an item is different. Returns when nobody gets any more of what is shown no more.
    pub(crate) async fn changed(&self, id: i64) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let old: Vec<Arc<Shown>> = {
            let mut items = self.items();
            items.extract_if(|_, shown| shown.id == id).map(|(_, shown)| shown).collect()
        };
        if old.is_empty() {
            return;
        }
        let published = self.records.is_published(id).await;
        if let Err(error) = &published {
            warn!(error = %opsctl_logging::chain(error), "failed to ask whether an item is published: it is not shown");
        }
        if !published.unwrap_or(false) {
            old.iter().for_each(|shown| shown.revoked.cancel());
        }
    }

    /// Follows what this and other nodes change, until the service stops.
    pub(crate) async fn follow(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let mut listener = self.records.listen(&[MEDIA]);
        loop {
            tokio::select! {
                event = listener.recv() => match event {
                    Event::Notified { payload, .. } => self.changed(payload.parse().unwrap_or(0)).await,
                    Event::Missed => self.all_changed().await,
                },
                () = cx.stopping() => return Ok(()),
            }
        }
    }

    async fn all_changed(&self) {
        let mut ids: Vec<i64> = self.items().values().map(|shown| shown.id).collect();
        ids.dedup();
        for id in ids {
            self.changed(id).await;
        }
    }

    fn items(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<Shown>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of `party.mp4` the item's name, and what follows it: `party`, `.mp4`; of `party/2.jpg` `party`, `/2.jpg`.
pub(crate) fn parts(tail: &str) -> Option<(&str, &str)> {
    let at = tail.find('/').or_else(|| tail.rfind('.'))?;
    Some(tail.split_at(at)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_parts() {
        let check = |tail, expected| assert_eq!(parts(tail), expected, "{tail}");
        check("party.mp4", Some(("party", ".mp4")));
        check("party.v2.mp4", Some(("party.v2", ".mp4")));
        check("party/2.jpg", Some(("party", "/2.jpg")));
        check("party.v2/h264/0.m4s", Some(("party.v2", "/h264/0.m4s")));
        check("party", None);
        check("/x", None);
        check("", None);
    }
}
