//! Blobs as files of a folder.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::key::{Key, is_segment};
use super::staging::Staging;
use super::{Blob, Content, Entry, Existing, Meta};
use crate::{Error, Result};

/// What is read at a time.
const CHUNK: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Folder {
    root: Arc<Path>,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root: root.into() }
    }

    pub(super) fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// `None` if something is there and is to be kept.
    pub(super) async fn put(
        &self,
        staging: &Staging,
        key: Key,
        content: Content,
        existing: Existing,
    ) -> Result<Option<Meta>> {
        let (root, path, temp) = (Arc::clone(&self.root), self.path(&key), staging.temp());
        blocking(move || {
            let source = match &content {
                Content::File(source) => {
                    is_file(source).map_err(|error| Error::io("read", source, error))?;
                    source.as_path()
                }
                Content::Bytes(bytes) => {
                    temp.create()?.write_all(bytes).map_err(|error| Error::io("write", temp.path(), error))?;
                    temp.path()
                }
            };
            match put(&root, source, &path, existing) {
                // from another file system
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                    fs::copy(source, temp.path()).map_err(|error| Error::io("write", temp.path(), error))?;
                    let put =
                        put(&root, temp.path(), &path, existing).map_err(|error| Error::io("write", &path, error))?;
                    // what was not taken stays where it is
                    if put.is_some() {
                        fs::remove_file(source).map_err(|error| Error::io("remove", source, error))?;
                    }
                    Ok(put)
                }
                outcome => outcome.map_err(|error| Error::io("write", &path, error)),
            }
        })
        .await
    }

    pub(super) async fn get(&self, key: Key, range: Option<Range<u64>>) -> Result<Option<Blob>> {
        let path = self.path(&key);
        let opened = blocking({
            let path = path.clone();
            move || open(&path).map_err(|error| Error::io("open", &path, error))
        });
        let Some((file, meta)) = opened.await? else { return Ok(None) };
        let range = range.unwrap_or(0..meta.size);
        let range = range.start.min(meta.size)..range.end.clamp(range.start.min(meta.size), meta.size);
        Ok(Some(Blob { meta, range: range.clone(), stream: read(file, path, range) }))
    }

    pub(super) async fn head(&self, key: Key) -> Result<Option<Meta>> {
        let path = self.path(&key);
        blocking(move || match fs::metadata(&path) {
            Ok(found) if found.is_file() => Ok(Some(meta(&found))),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("look at", &path, error)),
        })
        .await
    }

    pub(super) async fn delete(&self, key: Key) -> Result<bool> {
        let (root, path) = (Arc::clone(&self.root), self.path(&key));
        blocking(move || match fs::remove_file(&path) {
            Ok(()) => {
                remove_empty(&root, path.parent()).map_err(|error| Error::io("remove the folder of", &path, error))?;
                Ok(true)
            }
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(Error::io("remove", &path, error)),
        })
        .await
    }

    pub(super) fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry>> {
        let start = match folder {
            "" => String::new(),
            folder => match Key::parse(folder) {
                Ok(key) => key.as_str().to_owned(),
                Err(error) => return stream::once(std::future::ready(Err(error))).boxed(),
            },
        };
        let root = Arc::clone(&self.root);
        let folders = stream::try_unfold(vec![start], move |mut left| {
            let root = Arc::clone(&root);
            async move {
                let Some(folder) = left.pop() else { return Ok(None) };
                let (entries, deeper) = blocking(move || {
                    let path = root.join(&folder);
                    read_folder(&path, &folder).map_err(|error| Error::io("read folder", &path, error))
                })
                .await?;
                left.extend(deeper);
                Ok(Some((stream::iter(entries.into_iter().map(Ok)), left)))
            }
        });
        folders.try_flatten().boxed()
    }

    /// What cannot be: the system replaced a file and says that it kept it.
    pub(super) fn replaced_nothing(&self) -> Error {
        Error::io("replace a file in", &self.root, io::ErrorKind::AlreadyExists.into())
    }
}

/// Runs what blocks off the runtime's threads. Dropped half way it goes on to its end.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::Other { doing: "finish work on a file".to_owned(), source: error.into() }),
    }
}

/// A link would be moved as the link that it is, and a folder with all that is in it.
fn is_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

fn put(root: &Path, source: &Path, path: &Path, existing: Existing) -> io::Result<Option<Meta>> {
    let file = File::open(source)?;
    // its time is that of being put here; of somebody else's file it may stay what it is
    let _ = file.set_modified(SystemTime::now());
    file.sync_all()?;
    let meta = meta(&file.metadata()?);
    let folder = path.parent().unwrap_or(root);
    // a folder may go between being made and being used, with the last blob that was in it
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        make_folders(root, folder)?;
        match rename(source, path, existing) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && source.exists() => {}
            Err(error) if existing == Existing::Keep && error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(None);
            }
            Err(error) => return Err(error),
            Ok(()) => {
                File::open(folder)?.sync_all()?;
                return Ok(Some(meta));
            }
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn rename(source: &Path, path: &Path, existing: Existing) -> io::Result<()> {
    match existing {
        Existing::Replace => fs::rename(source, path),
        Existing::Keep => match renameat_with(CWD, source, CWD, path, RenameFlags::NOREPLACE) {
            // a file system without it; a link is refused as well where something is
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::hard_link(source, path)?;
                fs::remove_file(source)
            }
            outcome => Ok(outcome?),
        },
    }
}

/// Makes `folder` and what lies between it and `root`, each synchronised in the one above.
fn make_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(above) = folder.parent().filter(|_| folder != root) else { return Ok(()) };
    make_folders(root, above)?;
    match DirBuilder::new().mode(0o750).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(above)?.sync_all(),
    }
}

/// Removes `folder` and those above it, up to `root`, while they are empty.
fn remove_empty(root: &Path, folder: Option<&Path>) -> io::Result<()> {
    let mut folder = folder;
    while let Some(empty) = folder.filter(|folder| *folder != root) {
        if fs::remove_dir(empty).is_err() {
            break;
        }
        folder = empty.parent();
    }
    match folder.map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        // gone in the meantime, with whatever was removed from it
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn open(path: &Path) -> io::Result<Option<(File, Meta)>> {
    match File::open(path) {
        Ok(file) => {
            let found = file.metadata()?;
            Ok(found.is_file().then(|| (file, meta(&found))))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn meta(found: &Metadata) -> Meta {
    let modified = UNIX_EPOCH
        + Duration::from_secs(found.mtime().try_into().unwrap_or_default())
        + Duration::from_nanos(found.mtime_nsec().try_into().unwrap_or_default());
    Meta { size: found.len(), etag: etag(found, modified), modified }
}

/// A file is not changed in place, so number, time and size tell one from the next.
fn etag(found: &Metadata, modified: SystemTime) -> String {
    let nanos = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{:x}-{nanos:x}-{:x}", found.ino(), found.len())
}

fn read(file: File, path: PathBuf, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    let state = (Arc::new(file), range);
    stream::try_unfold(state, move |(file, range)| {
        let path = path.clone();
        async move {
            if range.is_empty() {
                return Ok(None);
            }
            let wanted = CHUNK.min(range.end - range.start);
            let (at, reader) = (range.start, Arc::clone(&file));
            let chunk = blocking(move || {
                let mut chunk = vec![0; usize::try_from(wanted).unwrap_or_default()];
                reader.read_exact_at(&mut chunk, at).map_err(|error| Error::io("read", &path, error))?;
                Ok(Bytes::from(chunk))
            });
            Ok(Some((chunk.await?, (file, at + wanted..range.end))))
        }
    })
    .boxed()
}

/// The blobs of a folder, and the folders in it.
fn read_folder(path: &Path, key: &str) -> io::Result<(Vec<Entry>, Vec<String>)> {
    let (mut entries, mut folders) = (Vec::new(), Vec::new());
    let listed = match fs::read_dir(path) {
        Err(error) if is_absent(&error) => return Ok((entries, folders)),
        listed => listed?,
    };
    for entry in listed {
        let entry = entry?;
        let name = entry.file_name();
        // what has no key is nobody's blob
        let Some(name) = name.to_str().filter(|name| is_segment(name)) else { continue };
        let key = if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") };
        match fs::metadata(entry.path()) {
            // not through a link, which may lead in a circle
            Ok(found) if found.is_dir() => folders.extend(entry.file_type()?.is_dir().then_some(key)),
            Ok(found) if found.is_file() => entries.push(Entry { key, meta: meta(&found) }),
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((entries, folders))
}
