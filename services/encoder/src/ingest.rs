//! Taking uploads in: whichever way they come (a raw body, a form, in pieces), they end here.
//!
//! The order is what a crash needs: the bytes are written beside and synchronised, their key is reserved, the blob gets
//! its place, and one transaction makes it an item with a job. Whatever is cut off in between goes by itself.

mod metadata;
mod spool;
mod wishes;

use std::sync::Arc;

use opsctl_auth::Author;
use opsctl_store::Blobs;

pub(crate) use self::metadata::{BadMetadata, Metadata};
pub(crate) use self::spool::{Spooled, Spooling, spool};
pub(crate) use self::wishes::{BadWish, Wishes};
use crate::accounts::Accounts;
use crate::error::Error;
use crate::hex::hex;
use crate::name::ItemName;
use crate::records::{Arrival, Edit, Expected, Outcome, Records};

/// An upload that is in the store.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    /// Its blob, which a row names.
    pub(crate) key: &'a str,
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
    /// Whose it is said to be.
    pub(crate) uploader: &'a str,
    /// The upload in pieces that it comes from.
    pub(crate) upload: Option<&'a str>,
}

/// Takes uploads in. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ingest {
    records: Records,
    blobs: Blobs,
    accounts: Arc<Accounts>,
}

impl Ingest {
    pub(crate) fn new(records: Records, blobs: Blobs, accounts: Arc<Accounts>) -> Ingest {
        Ingest { records, blobs, accounts }
    }

    /// Whether an upload of so many bytes may come, as far as is known before it does; as many as may come at most.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Quota`].
    pub(crate) async fn admit(&self, account: &str, bytes: Option<u64>) -> Result<u64, Error> {
        let largest = self.accounts.max_upload();
        if bytes.is_some_and(|bytes| bytes > largest) {
            return Err(Error::TooLarge { most: largest });
        }
        let Some(quota) = self.accounts.quota(account) else { return Ok(largest) };
        let left = quota.saturating_sub(self.records.taken(account).await?);
        match left == 0 || bytes.is_some_and(|bytes| bytes > left) {
            true => Err(Error::Quota { quota, left }),
            false => Ok(left.min(largest)),
        }
    }

    /// Begins to write an upload of up to `limit` bytes.
    pub(crate) fn begin(&self, limit: u64) -> Spooling {
        spool(self.blobs.temp(), limit)
    }

    /// Makes what was written an item.
    ///
    /// # Errors
    /// There is no such profile, the upload is empty, or what the database and the store say.
    pub(crate) async fn store(
        &self,
        account: &str,
        name: &ItemName,
        wishes: &Wishes,
        spooled: Spooled,
        expected: Expected,
        by: &Author,
    ) -> Result<Outcome, Error> {
        if spooled.bytes == 0 {
            return Err(Error::Empty);
        }
        self.accounts.order(account, wishes)?;
        let key = source_key();
        self.records.reserve(std::slice::from_ref(&key)).await?;
        self.blobs.put_file(&key, spooled.temp.path()).await?;
        let Spooled { sha256, bytes, .. } = spooled;
        let stored = Stored { key: &key, sha256, bytes, uploader: by.actor(), upload: None };
        let outcome = self.arrive(account, name, wishes, &stored, expected, by).await;
        if !matches!(outcome, Ok(Outcome::Created | Outcome::Replaced)) {
            // what could not be said goes by itself, later
            let _ = self.records.leave(&key).await;
        }
        outcome
    }

    /// Makes what is in the store an item.
    ///
    /// # Errors
    /// There is no such profile, or what the database says.
    pub(crate) async fn arrive(
        &self,
        account: &str,
        name: &ItemName,
        wishes: &Wishes,
        stored: &Stored<'_>,
        expected: Expected,
        by: &Author,
    ) -> Result<Outcome, Error> {
        let (profile, body) = self.accounts.order(account, wishes)?;
        let filename = wishes.filename.as_deref().unwrap_or_default();
        let arrival = Arrival {
            account,
            name: name.as_str(),
            title: wishes.title.as_deref().unwrap_or_default(),
            filename,
            published: wishes.publish.unwrap_or(true),
            key: stored.key,
            sha256: stored.sha256,
            bytes: stored.bytes,
            profile: &profile,
            body: &body,
            priority: wishes.priority.unwrap_or(0),
            uploader: stored.uploader,
            upload: stored.upload,
            expected,
        };
        let outcome = self.records.arrive(&arrival, by).await?;
        if outcome == Outcome::Same {
            self.restate(account, name, wishes, by).await?;
        }
        Ok(outcome)
    }

    /// The same bytes under another title, or to be shown or not: that is what changes.
    async fn restate(&self, account: &str, name: &ItemName, wishes: &Wishes, by: &Author) -> Result<(), Error> {
        let Some(item) = self.records.item(account, name.as_str()).await? else { return Ok(()) };
        let edit = Edit {
            title: wishes.title.clone().filter(|title| *title != item.title),
            published: wishes.publish.filter(|publish| *publish != item.published),
        };
        if edit.title.is_some() || edit.published.is_some() {
            self.records.edit(&item, None, &edit, by).await?;
        }
        Ok(())
    }
}

/// A key for an upload's blob that nothing has had.
pub(crate) fn source_key() -> String {
    format!("{}/source", random())
}

/// A key for a file of captions that nothing has had.
pub(crate) fn caption_key() -> String {
    format!("{}/captions.vtt", random())
}

/// A folder that nothing has been in: 128 bits in hexadecimal digits.
pub(crate) fn random() -> String {
    let mut bytes = [0_u8; 16];
    // the system's generator does not fail once it was seeded, and a key that is taken is refused by the store
    let _ = getrandom::fill(&mut bytes);
    hex(&bytes)
}
