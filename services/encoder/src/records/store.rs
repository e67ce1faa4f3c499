//! The transaction that makes an upload an item.

use opsctl_auth::{Act, Author};
use opsctl_store::{Error, Transaction, params};

use super::hooks::{self, Happened};
use super::jobs::NewJob;
use super::{Records, Result, blobs, jobs, media, uploads, usage};
use crate::clock::now;
use crate::hex::hex;

/// An upload that is in the store.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
    /// Empty for what it was called before, or else its name.
    pub(crate) title: &'a str,
    pub(crate) filename: &'a str,
    /// Whether what is made of it is shown as soon as it is there.
    pub(crate) published: bool,
    /// Its blob, which is reserved.
    pub(crate) key: &'a str,
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
    /// What is to be made of it: the profile's name, and the profile as JSON.
    pub(crate) profile: &'a str,
    pub(crate) body: &'a str,
    pub(crate) priority: i64,
    /// Whose it is said to be.
    pub(crate) uploader: &'a str,
    /// The upload in pieces that it comes from: it ends with this.
    pub(crate) upload: Option<&'a str>,
    /// What has to be there already for this to happen.
    pub(crate) expected: Expected,
}

/// What a client wants to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever there is.
    Anything,
    /// Nothing: `If-None-Match: *`.
    Nothing,
    /// An item in this version: `If-Match`.
    Version(i64),
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is a new item.
    Created,
    /// The item has another upload, which is to be encoded.
    Replaced,
    /// The item had that upload already: nothing is done.
    Same,
    /// It is not as was expected.
    Unexpected,
}

impl Records {
    /// Makes an upload an item, or the upload of an item that is there, and puts a job into the queue. What was made of
    /// an earlier upload is shown until the new results are there.
    pub(crate) async fn arrive(&self, arrival: &Arrival<'_>, by: &Author) -> Result<Outcome> {
        let mut tx = self.db.begin().await?;
        // two that bring the same name wait for each other
        tx.lock(&format!("media:{}:{}", arrival.account, arrival.name)).await?;
        let sql = "SELECT id, version, source, source_sha256 FROM media WHERE account = $1 AND name = $2";
        let found = tx.fetch_optional(sql, params![arrival.account, arrival.name]).await?;
        let object = format!("encoder/{}/{}", arrival.account, arrival.name);
        let digest = format!("sha256:{}", hex(&arrival.sha256));
        let (id, outcome) = match (found, arrival.expected) {
            (Some(_), Expected::Nothing) | (None, Expected::Version(_)) => return Ok(Outcome::Unexpected),
            (None, _) => {
                by.record(&mut tx, Act::new("upload", object).after(digest)).await?;
                (insert(&mut tx, arrival).await?, Outcome::Created)
            }
            (Some(row), expected) => {
                let (id, version): (i64, i64) = (row.get(0_usize)?, row.get(1_usize)?);
                let (source, sha256): (&str, [u8; 32]) = (row.get(2_usize)?, row.get(3_usize)?);
                if matches!(expected, Expected::Version(wanted) if wanted != version) {
                    return Ok(Outcome::Unexpected);
                }
                if sha256 == arrival.sha256 {
                    return Ok(Outcome::Same);
                }
                blobs::leave(&mut tx, source).await?;
                by.record(&mut tx, Act::new("upload", object).before(format!("sha256:{}", hex(&sha256))).after(digest))
                    .await?;
                replace(&mut tx, id, arrival).await?;
                (id, Outcome::Replaced)
            }
        };
        if let Some(upload) = arrival.upload
            && !uploads::end(&mut tx, upload, None).await?
        {
            return Ok(Outcome::Same);
        }
        blobs::own(&mut tx, arrival.key).await?;
        let Arrival { account, key: source, profile, body, priority, .. } = *arrival;
        jobs::enqueue(&mut tx, &NewJob { media: id, account, source, profile, body, priority }).await?;
        usage::note(&mut tx, arrival.account).await?;
        hooks::note(&mut tx, id, Happened::Uploaded).await?;
        media::changed(&mut tx, id).await?;
        tx.commit().await?;
        Ok(outcome)
    }
}

async fn insert(tx: &mut Transaction, arrival: &Arrival<'_>) -> Result<i64> {
    let sql = "INSERT INTO media (account, name, title, filename, published, version, created, changed, uploader, source, \
               source_sha256, source_bytes) VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $8, $9, $10) RETURNING id";
    let Arrival { account, name, title, filename, published, key, sha256, bytes, uploader, .. } = *arrival;
    let params = params![account, name, title, filename, published, now(), uploader, key, sha256, bytes];
    let row = tx.fetch_optional(sql, params).await?;
    row.ok_or(Error::Column { column: "id".into(), expected: "a number", found: "nothing" })?.get(0_usize)
}

async fn replace(tx: &mut Transaction, id: i64, arrival: &Arrival<'_>) -> Result<()> {
    let sql = "UPDATE media SET title = CASE WHEN $2 = '' THEN title ELSE $2 END, filename = $3, version = version + 1, \
               changed = $4, uploader = $5, source = $6, source_sha256 = $7, source_bytes = $8, facts = NULL WHERE id = $1";
    let Arrival { title, filename, key, sha256, bytes, uploader, .. } = *arrival;
    tx.execute(sql, params![id, title, filename, now(), uploader, key, sha256, bytes]).await.map(drop)
}
