//! A stretch of an open file that is to be sent.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use rustix::fs::sendfile;
use tokio_util::sync::CancellationToken;

use super::{LocalFile, read_cached};

/// What is left of it. Among the extensions of an answer it says that the body is just this.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    file: Arc<File>,
    range: Range<u64>,
    revoked: Option<CancellationToken>,
}

impl Section {
    pub(super) fn new(LocalFile { file, revoked, .. }: LocalFile, range: Range<u64>) -> Self {
        Self { file, range, revoked }
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub(crate) fn start(&self) -> u64 {
        self.range.start
    }

    /// Bytes left.
    pub(crate) fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Passes over so many bytes, and gives how many are left.
    pub(crate) fn advance(&mut self, count: u64) -> u64 {
        self.range.start = self.range.start.saturating_add(count).min(self.range.end);
        self.length()
    }

    /// Takes off the first bytes, `most` at most. None if none are left.
    pub(crate) fn split(&mut self, most: u64) -> Option<Self> {
        let mut first = self.clone();
        first.range.end = first.range.start + first.length().min(most);
        self.advance(first.length());
        (first.length() > 0).then_some(first)
    }

    /// May it still be sent?
    ///
    /// # Errors
    /// It was revoked.
    pub(crate) fn check(&self) -> io::Result<()> {
        match &self.revoked {
            Some(token) if token.is_cancelled() => Err(io::Error::other("the file is no longer to be sent")),
            _ => Ok(()),
        }
    }

    /// Can the system tell what of the file is in memory? Otherwise sending it might wait for a disk.
    pub(super) fn can_be_sent_by_kernel(&self) -> bool {
        !matches!(read_cached(&self.file, &mut [0], self.range.start), Err(error) if error.kind() == io::ErrorKind::Unsupported)
    }

    /// Is the body of `response` still what [`respond_file`](crate::respond_file) made it? Not if it was compressed, or
    /// replaced.
    pub(crate) fn is_all_of<B: hyper::body::Body>(&self, response: &http::Response<B>) -> bool {
        let headers = response.headers();
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        announced == Some(self.length())
            && response.body().size_hint().exact() == Some(self.length())
            && !headers.contains_key(CONTENT_ENCODING)
    }

    /// Sends up to `count` bytes of what is left to a socket.
    ///
    /// # Errors
    /// It was revoked; and what sendfile(2) says.
    pub(crate) fn send(&self, socket: BorrowedFd<'_>, count: usize) -> io::Result<usize> {
        self.check()?;
        Ok(sendfile(socket, &self.file, Some(&mut self.start()), count)?)
    }
}
