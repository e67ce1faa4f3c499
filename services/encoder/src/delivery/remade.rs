//! Files that are made of others as they are sent: a new beginning in memory, then bytes of a blob.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use opsctl_store::{Blobs, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tracing::debug;

use super::mp4::{self, Header, MOST_INDEX, Span, Unfit};
use super::{Seek, flv};

/// Bytes of memory for beginnings that are made or have not been sent yet, in all.
const ROOM: u64 = 256 << 20;
/// What the room is counted in.
const UNIT: u64 = 64 * 1024;
/// Bytes of a file that are read first.
const WINDOW: u64 = 64 * 1024;
/// Boxes before the index and itself.
const MOST_BOXES: usize = 16;

/// Makes parts of files.
#[derive(Debug)]
pub(crate) struct Remaker {
    room: Arc<Semaphore>,
}

/// A file that is made of another.
#[derive(Debug, Clone)]
pub(crate) struct Remade {
    key: Arc<str>,
    head: Bytes,
    media: Range<u64>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Made(Remade),
    /// There is no such part of it.
    Whole,
    /// There is no room for it just now.
    Busy,
}

/// A beginning, and the room that it takes up.
struct Kept(Vec<u8>, #[expect(dead_code, reason = "gives the room back when it is dropped")] OwnedSemaphorePermit);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Remaker {
    pub(crate) fn new() -> Remaker {
        let units = usize::try_from(ROOM / UNIT).unwrap_or(Semaphore::MAX_PERMITS);
        Remaker { room: Arc::new(Semaphore::new(units)) }
    }

    /// A part of a blob of `size` bytes.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn make(&self, blobs: &Blobs, key: &str, size: u64, seek: Seek) -> Result<Outcome> {
        let source = Source { blobs, key, size };
        match seek {
            Seek::Byte(start) => source.flv(start).await,
            Seek::Time(span) => self.mp4(&source, span).await,
        }
    }

    async fn mp4(&self, source: &Source<'_>, span: Span) -> Result<Outcome> {
        let Some(Index { ftyp, moov }) = source.index().await? else { return Ok(Outcome::Whole) };
        // the old one and the new one
        let units = u32::try_from(2 * (moov.end - moov.start).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units) else { return Ok(Outcome::Busy) };
        let (ftyp, moov) = (source.read(ftyp).await?, source.read(moov).await?);
        let size = source.size;
        let made = spawn_blocking(move || mp4::cut(&ftyp, &moov, size, span));
        Ok(match made.await {
            Ok(Ok(part)) => {
                let head = Bytes::from_owner(Kept(part.head, room));
                Outcome::Made(Remade { key: source.key.into(), head, media: part.media })
            }
            Ok(Err(Unfit::PastTheEnd)) => Outcome::Whole,
            Ok(Err(error)) => {
                debug!(key = source.key, %error, "no part can be made of a file");
                Outcome::Whole
            }
            Err(error) => {
                debug!(key = source.key, %error, "no part can be made of a file");
                Outcome::Whole
            }
        })
    }
}

/// A blob.
struct Source<'a> {
    blobs: &'a Blobs,
    key: &'a str,
    size: u64,
}

/// Where the boxes are that stand before the media.
struct Index {
    ftyp: Range<u64>,
    moov: Range<u64>,
}

impl Source<'_> {
    /// Bytes that are there; none of a blob that is not there.
    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let range = range.start..range.end.min(self.size);
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        match self.blobs.get_range(self.key, range).await? {
            Some(blob) => blob.bytes().await,
            None => Ok(Bytes::new()),
        }
    }

    async fn flv(&self, start: u64) -> Result<Outcome> {
        if start >= self.size {
            return Ok(Outcome::Whole);
        }
        let mut bytes = self.read(0..flv::WINDOW).await?;
        let after = flv::index_end(&bytes).unwrap_or(self.size);
        bytes = match usize::try_from(after) {
            Ok(after) if after < bytes.len() => bytes.slice(after..),
            _ => self.read(after..after.saturating_add(flv::WINDOW)).await?,
        };
        let head = flv::beginning(&bytes).into();
        Ok(Outcome::Made(Remade { key: self.key.into(), head, media: start..self.size }))
    }

    async fn index(&self) -> Result<Option<Index>> {
        let window = self.read(0..WINDOW).await?;
        let (mut at, mut ftyp) = (0, 0..0);
        for _ in 0..MOST_BOXES {
            let known = usize::try_from(at).ok().and_then(|at| window.get(at..)).filter(|rest| rest.len() >= 16);
            let bytes = match known {
                Some(rest) => window.slice_ref(rest),
                None => self.read(at..at.saturating_add(Header::MOST)).await?,
            };
            let Some(header) = Header::read(&bytes, self.size.saturating_sub(at)) else { return Ok(None) };
            // within the file, as the header was checked
            let range = at..at + header.size;
            match &header.kind {
                b"ftyp" if header.size <= WINDOW => ftyp = range.clone(),
                b"moov" if header.size <= MOST_INDEX => return Ok(Some(Index { ftyp, moov: range })),
                b"moov" => return Ok(None),
                _ => {}
            }
            at = range.end;
        }
        Ok(None)
    }
}

impl Remade {
    /// Bytes.
    pub(crate) fn size(&self) -> u64 {
        self.head.len() as u64 + (self.media.end - self.media.start)
    }

    /// The bytes of a range of it.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn open(self, blobs: Blobs, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let length = self.head.len() as u64;
        let place = |at: u64| usize::try_from(at.min(length)).unwrap_or(usize::MAX);
        let head = self.head.slice(place(range.start)..place(range.end));
        let media = |at: u64| self.media.start + at.saturating_sub(length);
        let media = media(range.start)..media(range.end);
        let head = stream::iter((!head.is_empty()).then_some(Ok(head)));
        if media.is_empty() {
            return Ok(head.boxed());
        }
        match blobs.get_range(&self.key, media).await? {
            Some(blob) => Ok(head.chain(blob.stream).boxed()),
            // ends too early, which breaks the answer off
            None => Ok(head.boxed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn ranges_of_what_is_remade() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(folder.path()).await.unwrap();
        blobs.put_bytes("a", Bytes::from_static(b"0123456789")).await.unwrap();
        let remade = Remade { key: "a".into(), head: Bytes::from_static(b"abc"), media: 4..9 };
        let whole = b"abc45678";
        assert_eq!(remade.size(), whole.len() as u64);
        for start in 0..whole.len() {
            for end in start..=whole.len() {
                let stream = remade.clone().open(blobs.clone(), start as u64..end as u64).await.unwrap();
                let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
                assert_eq!(chunks.concat(), &whole[start..end], "{start}..{end}");
            }
        }
    }

    #[tokio::test]
    async fn room_is_given_back() {
        let remaker = Remaker { room: Arc::new(Semaphore::new(1)) };
        let room = Arc::clone(&remaker.room).try_acquire_many_owned(1).unwrap();
        let head = Bytes::from_owner(Kept(vec![1, 2], room));
        let piece = head.slice(..1);
        drop(head);
        assert_eq!(remaker.room.available_permits(), 0);
        drop(piece);
        assert_eq!(remaker.room.available_permits(), 1);
    }
}
