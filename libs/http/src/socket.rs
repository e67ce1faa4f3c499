//! Bound sockets. Binding needs no runtime and may need rights; it is done once, by the host, which keeps the
//! [`Socket`] for ever. Every instance of a service gets a [`Listener`] of its own on the same queue of connections, so
//! that between two instances nobody is refused.

mod unix;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::net::sockopt;
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::listener::{Listener, Queue};
use crate::{Activated, Address, Endpoint, Error, Tls, sys};

/// Connections that may wait to be accepted; the system's own limit (`net.core.somaxconn`) is 4096.
const BACKLOG: i32 = 1024;

/// A bound endpoint: its listening sockets (more than one if `systemd:NAME` names several) and its certificate.
///
/// Closes, and removes the file of a unix socket, when it and all of its listeners are gone.
#[derive(Debug, Clone)]
pub struct Socket {
    /// Never empty.
    bound: Arc<[Arc<Bound>]>,
    tls: Option<Arc<Tls>>,
    endpoint: Endpoint,
}

/// One listening socket. The order of the fields is that of their end: closed first, its file removed after.
#[derive(Debug)]
pub(crate) struct Bound {
    fd: OwnedFd,
    address: Address,
    _file: Option<unix::SocketFile>,
}

impl Endpoint {
    /// Binds it and listens; connections wait in the kernel until somebody accepts them. `activated` is what
    /// `systemd:NAME` chooses from.
    ///
    /// # Errors
    /// See [`Error`]. Nothing stays bound then.
    pub fn bind(&self, activated: &Activated) -> Result<Socket, Error> {
        self.bind_with(activated, 0)
    }

    /// The same, for a protocol in which the client speaks first: the kernel holds a connection back until the first
    /// bytes are there, or for `defer` seconds (TCP_DEFER_ACCEPT, tcp(7)). 0 is off; no effect on unix sockets.
    ///
    /// # Errors
    /// See [`Error`]. Nothing stays bound then.
    pub fn bind_with(&self, activated: &Activated, defer: u32) -> Result<Socket, Error> {
        // before the socket, so that whoever can connect is also answered
        let tls = self.tls().map(|pair| Tls::load(&pair.cert, &pair.key)).transpose()?;
        let failed = |source| Error::bind(self, source);
        let bound = match self.address() {
            Address::Tcp(address) => vec![tcp(*address, true).map_err(failed)?],
            Address::Any(port) => vec![any(*port).map_err(failed)?],
            Address::Unix { path, mode } => vec![self.unix_file(path, *mode)?],
            Address::Systemd(name) => self.passed(name, activated)?,
        };
        for bound in &bound {
            bound.tune(defer).map_err(failed)?;
        }
        Ok(Socket { bound: bound.into_iter().map(Arc::new).collect(), tls, endpoint: self.clone() })
    }

    fn unix_file(&self, path: &Path, mode: Option<u32>) -> Result<Bound, Error> {
        match unix::bind(path, mode, BACKLOG) {
            Ok((fd, file)) => Ok(Bound { fd, address: self.address().clone(), _file: Some(file) }),
            Err(unix::BindError::Occupied) => Err(Error::Occupied { endpoint: self.to_string() }),
            Err(unix::BindError::Io(source)) => Err(Error::bind(self, source)),
        }
    }

    fn passed(&self, name: &str, activated: &Activated) -> Result<Vec<Bound>, Error> {
        let bound = activated.named(name).map(|fd| match inherited(fd) {
            Ok(Some(bound)) => Ok(bound),
            Ok(None) => Err(Error::NotListening { endpoint: self.to_string() }),
            Err(source) => Err(Error::bind(self, source)),
        });
        let bound = bound.collect::<Result<Vec<_>, _>>()?;
        if bound.is_empty() {
            let names = activated.names().map(str::to_owned).collect();
            return Err(Error::NotPassed { endpoint: self.to_string(), names });
        }
        Ok(bound)
    }
}

impl Socket {
    /// A new listener on the same queue, registered with the running runtime. Any number of them may accept side by
    /// side; each connection goes to one.
    ///
    /// # Errors
    /// Too many open files.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn listener(&self) -> io::Result<Listener> {
        let queues = self.bound.iter().map(|bound| Queue::new(Arc::clone(bound)));
        Ok(Listener::new(queues.collect::<io::Result<_>>()?, self.tls.clone()))
    }

    /// The endpoint as it was configured.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where it really listens, with the port that the system chose for port 0. The first of them, if there are several
    /// ([`Self::locals`]).
    #[must_use]
    pub fn local(&self) -> Endpoint {
        self.locals().next().unwrap_or_else(|| self.endpoint.clone())
    }

    /// Where it really listens, one endpoint for each socket.
    pub fn locals(&self) -> impl Iterator<Item = Endpoint> {
        self.bound.iter().map(|bound| {
            let local = Endpoint::new(bound.address.clone());
            match self.endpoint.tls() {
                Some(pair) => local.with_tls(pair.clone()),
                None => local,
            }
        })
    }
}

impl Bound {
    /// Options that accepted connections inherit from the listener, so that setting them costs nothing per connection.
    fn tune(&self, defer: u32) -> io::Result<()> {
        if self.is_unix() {
            return Ok(());
        }
        sockopt::set_tcp_nodelay(&self.fd, true)?;
        // also when 0: a passed socket, or one kept over a reload, may have it on
        sys::set_defer_accept(self.fd.as_fd(), defer)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self.address, Address::Unix { .. })
    }
}

/// The port on all addresses in one socket.
fn any(port: u16) -> io::Result<Bound> {
    let bound = match tcp((Ipv6Addr::UNSPECIFIED, port).into(), false) {
        Err(error) if no_ipv6(&error) => tcp((Ipv4Addr::UNSPECIFIED, port).into(), false)?,
        result => result?,
    };
    Ok(match bound.address {
        Address::Tcp(SocketAddr::V6(address)) => Bound { address: Address::Any(address.port()), ..bound },
        _ => bound,
    })
}

fn no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(|errno| Some(errno.raw_os_error())).contains(&error.raw_os_error())
}

fn tcp(address: SocketAddr, v6_only: bool) -> io::Result<Bound> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::STREAM.cloexec().nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    // connections of a former process that still linger must not keep the port
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let address = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Bound { fd: socket.into(), address: Address::Tcp(address), _file: None })
}

/// A duplicate of a passed socket, or None if it is of the wrong kind.
fn inherited(fd: BorrowedFd<'_>) -> io::Result<Option<Bound>> {
    let socket = socket2::Socket::from(fd.try_clone_to_owned()?);
    if !matches!(socket.r#type(), Ok(Type::STREAM)) || !sockopt::socket_acceptconn(fd)? {
        return Ok(None);
    }
    let Some(address) = place(&socket.local_addr()?) else { return Ok(None) };
    socket.set_nonblocking(true)?;
    Ok(Some(Bound { fd: socket.into(), address, _file: None }))
}

fn place(address: &SockAddr) -> Option<Address> {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => Some(Address::Tcp(address)),
        (None, Some(path)) => Some(Address::Unix { path: path.into(), mode: None }),
        // an abstract name, which has no text of its own here
        (None, None) if address.is_unix() => Some(Address::Unix { path: "@".into(), mode: None }),
        (None, None) => None,
    }
}
