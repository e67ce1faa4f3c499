//! An accepted connection, whatever it came in by.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsAcceptor, server};

use crate::{BoxFuture, Tls};

/// How long a client may take over the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An address; an IPv4 client on an IPv6 socket has its IPv4 address.
    Tcp(SocketAddr),
    /// A process on this machine, as it was when it connected (SO_PEERCRED, unix(7)). `pid` is 0 when it is in another
    /// pid namespace.
    Unix {
        /// Process.
        pid: i32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
}

impl Peer {
    /// The IP address, if there is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix { .. } => None,
        }
    }
}

/// `127.0.0.1:5555`, `unix:pid=812`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { pid, .. } => write!(f, "unix:pid={pid}"),
        }
    }
}

/// A connection, registered with the runtime.
#[derive(Debug)]
pub enum Stream {
    /// TCP; small writes are sent at once (TCP_NODELAY).
    Tcp(TcpStream),
    /// A unix socket.
    Unix(UnixStream),
    /// TLS over one of the others.
    Tls(TlsStream),
}

/// A TLS connection. The handshake happens in the first read or write, or when asked for ([`Stream::handshake`]): in
/// the connection's own task, never in the one that accepts, and within ten seconds.
pub struct TlsStream(State);

enum State {
    Handshake(BoxFuture<'static, io::Result<server::TlsStream<Stream>>>),
    Open(Box<server::TlsStream<Stream>>),
    Failed,
}

impl Stream {
    /// This connection under TLS, before the handshake.
    pub(crate) fn under_tls(self, tls: Arc<Tls>, config: Arc<ServerConfig>) -> Self {
        let handshake = async move {
            tls.refresh().await;
            TlsAcceptor::from(config).accept(self).await
        };
        let limited = async move {
            tokio::time::timeout(HANDSHAKE, handshake)
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")))
        };
        Self::Tls(TlsStream(State::Handshake(Box::pin(limited))))
    }

    /// Waits for the TLS handshake, if there is one to wait for.
    ///
    /// # Errors
    /// The client does not speak TLS, or not ours, or is too slow.
    pub async fn handshake(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => std::future::poll_fn(|cx| stream.poll_open(cx).map_ok(|_| ())).await,
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
        }
    }

    /// The protocol agreed on in the TLS handshake (ALPN, RFC 7301); None without TLS and before the handshake.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Tls(stream) => match &stream.0 {
                State::Open(stream) => stream.get_ref().1.alpn_protocol(),
                State::Handshake(_) | State::Failed => None,
            },
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }

    /// Calls `write` with the socket as soon as there is room in it, until it does not say `WouldBlock`. Not for TLS.
    pub(crate) fn poll_direct(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let result = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || write(stream.as_fd()))
                }
                Self::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || write(stream.as_fd()))
                }
                Self::Tls(_) => return Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Does it go over the wire encrypted?
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl TlsStream {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut server::TlsStream<Stream>>>> {
        if let State::Handshake(handshake) = &mut self.0 {
            self.0 = match ready!(handshake.as_mut().poll(cx)) {
                Ok(stream) => State::Open(Box::new(stream)),
                Err(error) => {
                    self.0 = State::Failed;
                    return Poll::Ready(Err(error));
                }
            };
        }
        match &mut self.0 {
            State::Open(stream) => Poll::Ready(Ok(Pin::new(stream.as_mut()))),
            State::Handshake(_) | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Handshake(_) => "TlsStream(handshake)",
            State::Open(_) => "TlsStream(open)",
            State::Failed => "TlsStream(failed)",
        })
    }
}

/// Calls a method of whatever stream it is.
macro_rules! delegate {
    ($self:ident, $cx:ident, $method:ident $(, $argument:expr)*) => {
        match $self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($cx $(, $argument)*),
            Stream::Unix(stream) => Pin::new(stream).$method($cx $(, $argument)*),
            Stream::Tls(stream) => ready!(stream.poll_open($cx))?.$method($cx $(, $argument)*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, cx, poll_read, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, cx, poll_write, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, cx, poll_write_vectored, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, cx, poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, cx, poll_shutdown)
    }
}
