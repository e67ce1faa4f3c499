//! Files of an upstream: from the cache, or on their way.

use std::path::PathBuf;

use opsctl_dist::METADATA_MAX;
use opsctl_dist::simple::{CoreMetadata, File};
use opsctl_fetch::Url;
use opsctl_fetch::files::{Found, Incoming, Task, Want};

use super::{Mirror, upstream};

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// Kept here: open it at once, it may be thrown out.
    Here(PathBuf),
    /// On their way.
    Incoming(Incoming),
}

impl Mirror {
    /// The bytes of a file; None if its page names no address that can be fetched.
    pub(crate) fn pull(&self, file: &File, spawn: impl FnOnce(Task)) -> Option<Bytes> {
        let digest = upstream::digest(file).map(|digest| digest.0);
        self.bring(Want { url: Url::parse(&file.url).ok()?, digest, limit: self.max_file }, spawn)
    }

    /// The bytes of its metadata, if it has some (PEP 658).
    pub(crate) fn pull_metadata(&self, file: &File, spawn: impl FnOnce(Task)) -> Option<Bytes> {
        let digest = match &file.core_metadata {
            CoreMetadata::Hashes(hashes) => {
                let sha256 = hashes.iter().find(|(name, _)| name == "sha256");
                sha256.and_then(|(_, digest)| digest.parse::<crate::catalog::Digest>().ok())
            }
            CoreMetadata::Present => None,
            CoreMetadata::Absent | CoreMetadata::Unknown => return None,
        };
        let url = Url::parse(&format!("{}.metadata", file.url)).ok()?;
        self.bring(Want { url, digest: digest.map(|digest| digest.0), limit: METADATA_MAX as u64 }, spawn)
    }

    fn bring(&self, want: Want, spawn: impl FnOnce(Task)) -> Option<Bytes> {
        Some(match self.files.pull(&self.fetch, want, spawn) {
            Found::Here(path) => Bytes::Here(path),
            Found::Incoming(incoming) => Bytes::Incoming(incoming),
        })
    }
}
