//! A document on the disk: a line that says what it is, then its bytes.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::files::{Digest, Shelf};

/// Longest line that says what a document is.
const LINE_MAX: u64 = 64 * 1024;

/// What is known of a document beside its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sheet {
    pub(super) found: bool,
    #[serde(with = "seconds")]
    pub(super) fetched: SystemTime,
    #[serde(with = "text")]
    pub(super) url: Url,
    pub(super) content_type: String,
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) mark: Digest,
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) sheet: Sheet,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Here(Bytes),
    File(PathBuf),
}

/// The folder of documents.
#[derive(Debug, Clone)]
pub(super) struct Folder(Arc<Mutex<Shelf>>);

impl Folder {
    pub(super) fn open(root: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Shelf::open(root, limit)?))))
    }

    fn shelf<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was kept under `key`; what cannot be read is as good as not there.
    pub(super) fn find(&self, key: &Digest) -> Option<Kept> {
        let path = self.shelf(|shelf| shelf.take(key))?;
        let mut line = Vec::new();
        BufReader::new(fs::File::open(&path).ok()?.take(LINE_MAX)).read_until(b'\n', &mut line).ok()?;
        Some(Kept { sheet: serde_json::from_slice(&line).ok()?, body: Body::File(path) })
    }

    /// Keeps a document; one that the disk does not take is still good for who asked.
    pub(super) fn keep(&self, key: &Digest, sheet: Sheet, body: Bytes) -> Kept {
        if !sheet.found {
            // anybody can ask for what does not exist: it must not fill a disk
            self.shelf(|shelf| shelf.remove(key));
            return Kept { sheet, body: Body::Here(body) };
        }
        match self.write(key, &sheet, &body) {
            Ok(path) => Kept { sheet, body: Body::File(path) },
            Err(_) => Kept { sheet, body: Body::Here(body) },
        }
    }

    fn write(&self, key: &Digest, sheet: &Sheet, body: &Bytes) -> io::Result<PathBuf> {
        let staging = self.shelf(Shelf::staging);
        let mut line = serde_json::to_vec(sheet)?;
        line.push(b'\n');
        let written = fs::File::create_new(&staging).and_then(|mut file| {
            file.write_all(&line)?;
            file.write_all(body)
        });
        let size = (line.len() + body.len()) as u64;
        let put = written.and_then(|()| self.shelf(|shelf| shelf.put(*key, size, &staging)));
        if put.is_err() {
            // swept at the next start if this fails too
            let _ = fs::remove_file(&staging);
        }
        put
    }
}

/// The bytes behind the line.
pub(super) fn read_body(path: &Path) -> io::Result<Bytes> {
    let mut whole = Bytes::from(fs::read(path)?);
    let line = whole.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::InvalidData)?;
    Ok(whole.split_off(line + 1))
}

mod seconds {
    use super::{Duration, SystemTime};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        Ok(SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(SystemTime::UNIX_EPOCH))
    }
}

mod text {
    use super::Url;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
