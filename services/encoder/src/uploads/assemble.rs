//! Putting an upload together from its parts.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::{Held, Uploads, discard, lock};
use crate::error::Error;
use crate::records::{Concat, Upload};

impl Uploads {
    /// Writes a final upload's file, unless that was done.
    pub(super) async fn assemble(&self, upload: &Upload, _held: &Held) -> Result<(), Error> {
        let Concat::Final(parts) = &upload.concat else { return Ok(()) };
        if upload.is_complete() {
            return Ok(());
        }
        let to = self.path(&upload.id);
        let from: Vec<PathBuf> = parts.iter().map(|part| self.path(part)).collect();
        let paths = from.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&to, &paths)).await.map_err(io::Error::other)?;
        let bytes = match copied {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(Error::Busy),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Lost),
            Err(error) => return Err(error.into()),
        };
        if upload.length != Some(bytes) {
            return Err(Error::Lost);
        }
        self.records.assembled(&upload.id, bytes, parts).await?;
        for path in &from {
            discard(path).await;
        }
        Ok(())
    }
}

/// Copies files one after the other into one; `None` if another process does.
fn copy(to: &std::path::Path, from: &[PathBuf]) -> io::Result<Option<u64>> {
    let Some(mut file) = lock(to)? else { return Ok(None) };
    file.set_len(0)?;
    let mut bytes = 0;
    for part in from {
        // by the kernel, where it can
        bytes += io::copy(&mut File::open(part)?, &mut file)?;
    }
    file.sync_all()?;
    Ok(Some(bytes))
}
