//! Accepting connections: a queue of the kernel's, shared with other listeners on the same [`Socket`](crate::Socket).
//!
//! A connection costs one system call here (accept4 brings its address along) and is not registered with the runtime
//! before somebody has to wait for it: a service whose client speaks first can often answer and close within the call.

use std::io::{self, Read, Write};
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketFlags, acceptfrom_with};
use rustls::ServerConfig;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};
use tracing::warn;

use crate::socket::Bound;
use crate::{Peer, Stream, Tls, sys};

/// How long to leave new connections in the kernel when there are no descriptors or buffers left for them.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections for one instance of a service. Dropping it loses none: those not yet accepted go to the other
/// listeners on the socket, or wait for the next one.
#[derive(Debug)]
pub struct Listener {
    /// Never empty.
    queues: Vec<Queue>,
    tls: Option<Acceptor>,
    /// Which queue is asked first.
    turn: AtomicUsize,
}

/// A listening socket's queue. The order of the fields is that of their end: the duplicate goes before its original.
#[derive(Debug)]
pub(crate) struct Queue {
    io: AsyncFd<OwnedFd>,
    bound: Arc<Bound>,
}

#[derive(Debug, Clone)]
struct Acceptor {
    tls: Arc<Tls>,
    config: Arc<ServerConfig>,
}

impl Listener {
    pub(crate) fn new(queues: Vec<Queue>, tls: Option<Arc<Tls>>) -> Self {
        let tls = tls.map(|tls| Acceptor { config: tls.config(&[]), tls });
        Self { queues, tls, turn: AtomicUsize::new(0) }
    }

    /// The protocols to choose from in a TLS handshake (ALPN, RFC 7301), best first. No effect without TLS.
    #[must_use]
    pub fn with_alpn(mut self, protocols: &[&[u8]]) -> Self {
        if let Some(Acceptor { tls, config }) = &mut self.tls {
            *config = tls.config(protocols);
        }
        self
    }

    /// The next connection, registered with the runtime. Safe to cancel: a connection is either returned or still
    /// waiting.
    ///
    /// # Errors
    /// Only those after which the listener is of no use any more. Clients that are gone again are passed over; want of
    /// descriptors is logged and waited out.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        loop {
            let accepted = self.accept_ready().await?;
            let peer = accepted.peer();
            match accepted.into_stream() {
                Ok(stream) => return Ok((stream, peer)),
                Err(error) => warn!(%peer, %error, "failed to register a connection"),
            }
        }
    }

    /// The next connection, not yet registered with the runtime. For protocols with short exchanges: read, write and be
    /// done, and go on as a [`Stream`] only if the client keeps one waiting. Safe to cancel.
    ///
    /// # Errors
    /// As for [`Self::accept`].
    pub async fn accept_ready(&self) -> io::Result<Accepted> {
        let (fd, peer) = match self.queues.as_slice() {
            [queue] => queue.accept().await?,
            queues => self.accept_any(queues).await?,
        };
        let socket = match peer {
            Peer::Tcp(_) => Plain::Tcp(fd.into()),
            Peer::Unix { .. } => Plain::Unix(fd.into()),
        };
        Ok(Accepted { socket, peer, tls: self.tls.clone() })
    }

    /// Whichever queue has one, starting with another one every time.
    async fn accept_any(&self, queues: &[Queue]) -> io::Result<(OwnedFd, Peer)> {
        let start = self.turn.fetch_add(1, Ordering::Relaxed) % queues.len().max(1);
        let (later, sooner) = queues.split_at(start);
        let mut waiting: Vec<Pin<Box<_>>> = sooner.iter().chain(later).map(|queue| Box::pin(queue.accept())).collect();
        std::future::poll_fn(|cx| {
            let ready = waiting.iter_mut().find_map(|accept| match accept.as_mut().poll(cx) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Queue {
    pub(crate) fn new(bound: Arc<Bound>) -> io::Result<Self> {
        let duplicate = bound.fd().try_clone_to_owned()?;
        Ok(Self { io: sys::register(duplicate)?, bound })
    }

    async fn accept(&self) -> io::Result<(OwnedFd, Peer)> {
        let mut warned = false;
        loop {
            let accepted = self.io.async_io(Interest::READABLE, |fd| Ok(acceptfrom_with(fd, FLAGS)?)).await;
            let error = match accepted.and_then(|(fd, address)| Ok((self.peer(&fd, address)?, fd))) {
                Ok((peer, fd)) => return Ok((fd, peer)),
                Err(error) => error,
            };
            match Verdict::on(&error) {
                Verdict::Next => {}
                Verdict::Wait => {
                    if !std::mem::replace(&mut warned, true) {
                        warn!(%error, "failed to accept a connection, trying again until it works");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Verdict::Fail => return Err(error),
            }
        }
    }

    fn peer(&self, fd: &OwnedFd, address: Option<SocketAddrAny>) -> io::Result<Peer> {
        if self.bound.is_unix() {
            let peer = getsockopt(fd, PeerCredentials)?;
            return Ok(Peer::Unix { pid: peer.pid(), uid: peer.uid(), gid: peer.gid() });
        }
        // an address of no known family: the connection is no use
        let address = address.and_then(|address| SocketAddr::try_from(address).ok()).ok_or(Errno::CONNABORTED)?;
        Ok(Peer::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port())))
    }
}

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// What an error of accept(2) means for the ones to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It was about that connection only.
    Next,
    /// Something has run out, and may come back.
    Wait,
    /// The listener itself is broken.
    Fail,
}

impl Verdict {
    fn on(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => Self::Wait,
            // errors of the network that are pending on the new socket: accept(2) says to treat them like EAGAIN; EPERM
            // is a firewall's
            Some(
                Errno::CONNABORTED
                | Errno::INTR
                | Errno::NETDOWN
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::NONET
                | Errno::HOSTUNREACH
                | Errno::OPNOTSUPP
                | Errno::NETUNREACH
                | Errno::TIMEDOUT
                | Errno::PERM,
            ) => Self::Next,
            _ => Self::Fail,
        }
    }
}

/// A connection that is accepted but not yet registered with the runtime. Its socket does not block.
#[derive(Debug)]
pub struct Accepted {
    socket: Plain,
    peer: Peer,
    tls: Option<Acceptor>,
}

#[derive(Debug)]
enum Plain {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

impl Accepted {
    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Reads what is there; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing yet, and always under TLS: go on with [`Self::into_stream`].
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (&mut self.socket, &self.tls) {
            (Plain::Tcp(socket), None) => socket.read(buffer),
            (Plain::Unix(socket), None) => socket.read(buffer),
            (_, Some(_)) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room, and always under TLS: go on with [`Self::into_stream`].
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (&mut self.socket, &self.tls) {
            (Plain::Tcp(socket), None) => socket.write(bytes),
            (Plain::Unix(socket), None) => socket.write(bytes),
            (_, Some(_)) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Registers it with the runtime. What was read stays read.
    ///
    /// # Errors
    /// The runtime cannot take it.
    pub fn into_stream(self) -> io::Result<Stream> {
        let stream = match self.socket {
            Plain::Tcp(socket) => Stream::Tcp(TcpStream::from_std(socket)?),
            Plain::Unix(socket) => Stream::Unix(UnixStream::from_std(socket)?),
        };
        Ok(match self.tls {
            Some(Acceptor { tls, config }) => stream.under_tls(tls, config),
            None => stream,
        })
    }
}

/// For options of the socket.
impl AsFd for Accepted {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.socket {
            Plain::Tcp(socket) => socket.as_fd(),
            Plain::Unix(socket) => socket.as_fd(),
        }
    }
}
