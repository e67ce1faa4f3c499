//! One distribution file, as it is served.

use std::path::PathBuf;
use std::sync::Arc;

use super::Digest;
use crate::bucket::Bucket;
use crate::folder::Stamp;

/// A file. What is here is what its project's page says of it, and where its bytes are.
#[derive(Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) filename: Box<str>,
    /// As its author writes it.
    pub(crate) version: Box<str>,
    pub(crate) sha256: Digest,
    /// Bytes.
    pub(crate) size: u64,
    /// When it came, microseconds since 1970: its upload time.
    pub(crate) first_seen: i64,
    /// From its metadata, never from a form.
    pub(crate) requires_python: Option<Box<str>>,
    /// Of its metadata file, if it can be served by itself (PEP 658).
    pub(crate) metadata: Option<Digest>,
    /// Why it is yanked, empty if nobody said; `None` if it is not (PEP 592).
    pub(crate) yanked: Option<Box<str>>,
    /// What it says of itself in one line; shared by the files of a project that say the same.
    pub(crate) summary: Option<Arc<str>>,
    /// Whether something came with it to prove where it was built (PEP 740).
    pub(crate) attested: bool,
    pub(crate) place: Place,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// In a folder that is the master: other bytes may be there by now, and are told by their stamp.
    Folder { root: Arc<PathBuf>, path: Box<str>, stamp: Stamp },
    /// In a bucket that is the master, under a key that no other bytes ever have.
    Bucket { bucket: Bucket, key: Box<str>, stamp: Stamp },
}

/// Where files of this digest stand: `files/<2 digits>/<2 digits>/<64 digits>`, seen from the top. Deterministic, so that
/// the links in lock files stay good.
pub(crate) fn folder(digest: &Digest) -> String {
    let digits = digest.to_string();
    format!("files/{}/{}/{digits}", &digits[..2], &digits[2..4])
}
