//! What is shown to everybody: which files belong to which published item, kept in memory so that a request for a segment
//! or a thumbnail asks no database.
//!
//! Entries are dropped when something says that their item has changed. An item that is shown no more takes those with
//! it who are being sent a file of it at that moment.

mod caching;
mod flv;
mod kinds;
mod mp4;
mod purge;
mod remade;
mod seek;
mod sign;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opsctl_host::Context;
use opsctl_http::HttpDate;
use opsctl_store::Event;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use self::caching::Caching;
pub(crate) use self::kinds::media_type;
pub(crate) use self::purge::Purger;
pub(crate) use self::remade::{Outcome, Remade, Remaker};
pub(crate) use self::seek::Seek;
pub(crate) use self::sign::{Keys, Signed, Verdict, with_query};
use crate::clock::SECOND;
use crate::records::{Asset, AssetFile, Caption, MEDIA, Records};

/// Where captions stand among results.
pub(crate) const CAPTIONS: &str = "captions";
/// Items that are remembered.
const MOST: usize = 10_000;
/// Items whose answers can be broken off: more than will be asked for before the next start, on a usual machine.
const MOST_REVOCATIONS: usize = 100_000;
/// How often an item is read that changes just then.
const TRIES: u32 = 5;

/// What is shown.
#[derive(Debug)]
pub(crate) struct Shelf {
    records: Records,
    items: Mutex<HashMap<(String, String), Arc<Shown>>>,
    /// By items' numbers. An item that is read again keeps its own, for those who were sent files of it before.
    revocations: Mutex<HashMap<i64, CancellationToken>>,
    /// Counts changes: what was read before one is not remembered after it.
    changes: AtomicU64,
}

/// An item as it is delivered.
#[derive(Debug)]
pub(crate) struct Shown {
    id: i64,
    pub(crate) published: bool,
    /// By result.
    assets: HashMap<String, ShownAsset>,
    /// Cancelled when it is shown no more.
    pub(crate) revoked: CancellationToken,
}

/// A result as it is delivered.
#[derive(Debug)]
struct ShownAsset {
    made: HttpDate,
    /// By path.
    files: HashMap<String, AssetFile>,
}

impl Shown {
    /// A file of a result, and when that was made.
    pub(crate) fn file(&self, asset: &str, path: &str) -> Option<(&AssetFile, HttpDate)> {
        let asset = self.assets.get(asset)?;
        Some((asset.files.get(path)?, asset.made))
    }
}

impl From<Asset> for ShownAsset {
    fn from(asset: Asset) -> ShownAsset {
        let made = HttpDate::from_seconds(u64::try_from(asset.made / SECOND).unwrap_or(0));
        ShownAsset { made, files: asset.files.into_iter().map(|file| (file.path.clone(), file)).collect() }
    }
}

/// Captions as if they were a result.
fn captions(captions: Vec<Caption>) -> Option<Asset> {
    let made = captions.iter().map(|caption| caption.changed).max()?;
    let bytes = captions.iter().map(|caption| caption.bytes).sum();
    let file = |Caption { language, key, bytes, .. }| AssetFile { path: format!("/{language}.vtt"), key, bytes };
    let files = captions.into_iter().map(file).collect();
    let name = CAPTIONS.to_owned();
    Some(Asset {
        kind: name.clone(),
        name,
        width: None,
        height: None,
        duration: None,
        bytes,
        copied: true,
        made,
        files,
    })
}

impl Shelf {
    pub(crate) fn new(records: Records) -> Shelf {
        Shelf { records, items: Mutex::default(), revocations: Mutex::default(), changes: AtomicU64::new(0) }
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
        let mut tries = 0;
        loop {
            let before = self.changes.load(Ordering::SeqCst);
            let Some(shown) = self.read(account, name).await? else { return Ok(None) };
            let mut items = self.items();
            if self.changes.load(Ordering::SeqCst) == before {
                if items.len() >= MOST {
                    items.clear();
                }
                items.insert(key, Arc::clone(&shown));
                return Ok(Some(shown));
            }
            // what was read may be no longer true, and whoever said so may not have seen what is sent because of it
            tries += 1;
            if tries >= TRIES {
                return Ok(Some(shown));
            }
        }
    }

    async fn read(&self, account: &str, name: &str) -> opsctl_store::Result<Option<Arc<Shown>>> {
        let Some(item) = self.records.item(account, name).await? else { return Ok(None) };
        let assets = self.records.assets(item.id).await?;
        let captions = captions(self.records.captions(item.id).await?);
        let assets = assets.into_iter().chain(captions).map(|asset| (asset.name.clone(), asset.into())).collect();
        let revoked = match item.published {
            true => self.revocation(item.id),
            false => CancellationToken::new(),
        };
        Ok(Some(Arc::new(Shown { id: item.id, published: item.published, assets, revoked })))
    }

    /// What breaks off all answers with files of an item.
    fn revocation(&self, id: i64) -> CancellationToken {
        let mut revocations = self.revocations();
        if revocations.len() >= MOST_REVOCATIONS {
            revocations.clear();
        }
        revocations.entry(id).or_default().clone()
    }

    /// Something about an item is different. Returns when nobody gets any more of what is shown no more.
    pub(crate) async fn changed(&self, id: i64) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.items().retain(|_, shown| shown.id != id);
        if !self.revocations().contains_key(&id) {
            return;
        }
        let published = self.records.is_published(id).await;
        if let Err(error) = &published {
            warn!(error = %opsctl_logging::chain(error), "failed to ask whether an item is published: it is not shown");
        }
        if !published.unwrap_or(false)
            && let Some(revoked) = self.revocations().remove(&id)
        {
            revoked.cancel();
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
        let mut ids: BTreeSet<i64> = self.items().values().map(|shown| shown.id).collect();
        ids.extend(self.revocations().keys());
        for id in ids {
            self.changed(id).await;
        }
    }

    fn revocations(&self) -> MutexGuard<'_, HashMap<i64, CancellationToken>> {
        self.revocations.lock().unwrap_or_else(PoisonError::into_inner)
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
