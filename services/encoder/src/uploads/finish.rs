//! Making an upload that is whole an item. Each step can be done again, from wherever a crash cut it off.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use opsctl_auth::Author;
use sha2::{Digest, Sha256};

use super::{Held, Uploads};
use crate::error::Error;
use crate::ingest::{Metadata, Stored, source_key};
use crate::name::ItemName;
use crate::records::{Outcome, Upload, UploadState};

const BUFFER: usize = 1 << 20;

impl Uploads {
    /// An upload as it is, after whatever can be done to make it an item was done. `None` if there is no such upload.
    ///
    /// # Errors
    /// What kept it from becoming one; if that is for good, the upload has failed.
    pub(crate) async fn complete(&self, id: &str, held: &Held, by: Option<&Author>) -> Result<Option<Upload>, Error> {
        let Some(upload) = self.records.upload(id).await? else { return Ok(None) };
        if upload.state == UploadState::Open
            && let Err(error) = self.finish(&upload, held, by).await
        {
            if let Error::Lost | Error::Changed = error {
                self.records.end_upload(&upload, Some(&error.to_string())).await?;
                super::discard(&self.path(id)).await;
            }
            return Err(error);
        }
        Ok(self.records.upload(id).await?)
    }

    async fn finish(&self, upload: &Upload, held: &Held, by: Option<&Author>) -> Result<(), Error> {
        self.assemble(upload, held).await?;
        let Some(upload) = self.records.upload(&upload.id).await?.filter(Upload::is_due) else { return Ok(()) };
        let (key, sha256, bytes) = self.place(&upload).await?;
        let metadata: Metadata = upload.metadata.parse()?;
        let name: ItemName = upload.name.parse()?;
        let stored = Stored { key: &key, sha256, bytes, uploader: &upload.uploader, upload: Some(&upload.id) };
        let program = Author::program("encoder uploads");
        let by = by.unwrap_or(&program);
        let arrived =
            self.ingest.arrive(&upload.account, &name, &metadata.wishes, &stored, upload.expected, by).await?;
        match arrived {
            Outcome::Created | Outcome::Replaced => Ok(()),
            Outcome::Same => {
                let upload = Upload { key: Some(key), ..upload };
                Ok(self.records.end_upload(&upload, None).await?)
            }
            Outcome::Unexpected => Err(Error::Changed),
        }
    }

    /// Puts an upload's file into the store, unless it is there.
    async fn place(&self, upload: &Upload) -> Result<(String, [u8; 32], u64), Error> {
        let path = self.path(&upload.id);
        let is_here = tokio::fs::try_exists(&path).await?;
        let (key, sha256) = match (&upload.key, upload.sha256) {
            (Some(key), Some(sha256)) => (key.clone(), sha256),
            _ if !is_here => return Err(Error::Lost),
            _ => {
                let (key, sha256) = (source_key(), digest(path.clone(), upload.position).await?);
                self.records.name_blob(&upload.id, &key, sha256).await?;
                (key, sha256)
            }
        };
        if is_here {
            self.blobs.put_file(&key, &path).await?;
        }
        match self.blobs.head(&key).await? {
            Some(meta) if meta.size == upload.position => Ok((key, sha256, meta.size)),
            _ => Err(Error::Lost),
        }
    }
}

/// Of a file of so many bytes.
async fn digest(path: PathBuf, bytes: u64) -> Result<[u8; 32], Error> {
    let digest = move || -> io::Result<[u8; 32]> {
        let mut file = File::open(path)?;
        // a crash may have left bytes that were not acknowledged
        if file.metadata()?.len() != bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut hasher, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().into()),
                read => hasher.update(buffer.get(..read).unwrap_or_default()),
            }
        }
    };
    match tokio::task::spawn_blocking(digest).await.map_err(io::Error::other)? {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Error::Lost),
        digest => Ok(digest?),
    }
}
