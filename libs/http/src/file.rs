//! Files as answers: small ones in one read, large ones in pieces, and never a wait for a disk on the runtime's threads.
//!
//! What is in the page cache is read at once (RWF_NOWAIT, preadv2(2)); what is not is read by the blocking pool, one piece
//! ahead of the client. Opening is the same: at once if the kernel knows the path (RESOLVE_CACHED, openat2(2)), which
//! costs so little that no table of open files is kept; so a file that was replaced or removed is noticed with the next
//! request, and a removed one takes no space for longer than it is being sent.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use self::body::FileBody;
use crate::entity::{Reply, Send};
use crate::{ETag, Entity, HttpError, Stamp, Validators};

mod body;
mod section;

pub(crate) use self::section::Section;

/// Up to this many bytes are read at once.
const SMALL: u64 = 64 * 1024;

/// An open file of known size.
#[derive(Debug, Clone)]
pub struct LocalFile {
    file: Arc<File>,
    stamp: Stamp,
    revoked: Option<CancellationToken>,
}

impl LocalFile {
    /// Opens the file that `path` leads to, links followed. None if there is none, or something else than a file.
    ///
    /// # Errors
    /// No right to read it, and what else open(2) says.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Option<Self>> {
        let path = path.as_ref();
        match openat2(CWD, path, FLAGS, Mode::empty(), ResolveFlags::CACHED) {
            Ok(file) => Self::new(file.into()),
            Err(errno) if is_missing(errno) => Ok(None),
            // not known to the kernel, or a kernel or a sandbox that does not know the call
            Err(_) => {
                let path = path.to_owned();
                spawn_blocking(move || match openat(CWD, &path, FLAGS, Mode::empty()) {
                    Ok(file) => Self::new(file.into()),
                    Err(errno) if is_missing(errno) => Ok(None),
                    Err(errno) => Err(errno.into()),
                })
                .await?
            }
        }
    }

    /// A file that is open. None if it is something else than a file.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn new(file: File) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then(|| Self { file: Arc::new(file), stamp: Stamp::from(&metadata), revoked: None }))
    }

    /// When `token` is cancelled, no more of the file is sent: answers that are on their way are broken off.
    #[must_use]
    pub fn revocable(self, token: CancellationToken) -> Self {
        Self { revoked: Some(token), ..self }
    }

    /// What the system knew about it when it was opened.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.stamp.size()
    }

    /// A tag and a time made from the stamp: what an [`Entity`] gets that has none of its own.
    #[must_use]
    pub fn validators(&self) -> Validators {
        Validators { etag: Some(ETag::of_stamp(&self.stamp)), modified: Some(self.stamp.modified().into()) }
    }
}

/// A pipe of that name must not keep one waiting, nor a terminal become ours.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn is_missing(errno: Errno) -> bool {
    // a socket, a name that is longer than any can be, a path through a file
    [Errno::NOENT, Errno::NOTDIR, Errno::ISDIR, Errno::NXIO, Errno::NAMETOOLONG, Errno::LOOP].contains(&errno)
}

/// The answer to a request for a file: the whole, parts, or that it is not modified (RFC 9110, sections 13 to 15).
/// `entity` says what it is; a tag or time that it has not is the file's own.
///
/// The file must not be changed while it is sent, only replaced: a client would get a mixture, or be cut off.
///
/// A large one may be sent by the kernel, past the body: a layer that wraps bodies sees the end of it, but not its bytes.
pub async fn respond_file(method: &Method, headers: &HeaderMap, mut entity: Entity, file: LocalFile) -> Response {
    entity.complete(|| file.validators());
    let Reply { head, send } = entity.reply(method, headers, file.size());
    let body = match send {
        Send::Nothing => return head,
        Send::One(range) if range.end - range.start <= SMALL => match read_small(&file.file, range).await {
            Ok(bytes) => Body::from(bytes),
            Err(error) => return HttpError::internal(error).into_response(),
        },
        Send::One(range) => {
            let section = Section::new(file, range);
            let mut response = head.map(|_| Body::new(FileBody::new(section.clone())));
            if section.can_be_sent_by_kernel() {
                response.extensions_mut().insert(section);
            }
            return response;
        }
        Send::Several(ranges) => {
            Body::new(ranges.body(None, move |range| FileBody::new(Section::new(file.clone(), range))))
        }
    };
    head.map(|_| body)
}

/// All of a range that fits into memory.
async fn read_small(file: &Arc<File>, Range { start, end }: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
    if matches!(read_cached(file, &mut bytes, start), Ok(read) if read == bytes.len()) {
        return Ok(bytes);
    }
    let file = Arc::clone(file);
    spawn_blocking(move || file.read_exact_at(&mut bytes, start).map(|()| bytes)).await?
}

/// Can these bytes be read without waiting? Told by the first and the last, as the kernel reads in long stretches.
pub(crate) fn in_memory(file: &File, start: u64, count: usize) -> bool {
    let last = start.saturating_add(count as u64).saturating_sub(1);
    count == 0 || [start, last].iter().all(|&at| matches!(read_cached(file, &mut [0], at), Ok(1)))
}

/// Reads what is in memory already.
///
/// # Errors
/// `WouldBlock` if it is not, `Unsupported` if that cannot be told for this file.
fn read_cached(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match preadv2(file, &mut [io::IoSliceMut::new(bytes)], offset, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Err(io::ErrorKind::Unsupported.into()),
        result => Ok(result?),
    }
}
