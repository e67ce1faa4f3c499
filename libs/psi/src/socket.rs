//! Sockets: who listens, who talks to whom, and which process it is.

use std::ffi::OsString;
use std::net::SocketAddr;

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP over IPv4 or IPv6; the addresses tell which.
    Tcp,
    /// UDP.
    Udp,
    /// IP itself; the local port is the protocol's number.
    Raw,
}

/// What a socket is doing (RFC 9293 for TCP). UDP sockets are `Established` if they have a peer, `Closed` if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketState {
    /// Talks.
    Established,
    /// Has asked for a connection.
    SynSent,
    /// Was asked for a connection.
    SynReceived,
    /// Has ended its side.
    FinWait1,
    /// Has ended its side, and the peer knows.
    FinWait2,
    /// Ended; waits for stray packets.
    TimeWait,
    /// Nothing.
    Closed,
    /// The peer has ended its side.
    CloseWait,
    /// Both have ended, the peer first.
    LastAck,
    /// Waits for connections.
    Listening,
    /// Both have ended at the same time.
    Closing,
    /// A number that this crate does not know.
    Other(u8),
}

/// One TCP, UDP or raw socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// What it speaks.
    pub protocol: Protocol,
    /// Our end.
    pub local: SocketAddr,
    /// The other end; port 0 where there is none.
    pub remote: SocketAddr,
    /// What it is doing.
    pub state: SocketState,
    /// Bytes that the program has not taken yet; connections that wait to be accepted, where it listens.
    pub receive_queue: u64,
    /// Bytes that the peer has not taken yet.
    pub send_queue: u64,
    /// User that made it.
    pub uid: u32,
    /// Its number; 0 where no process has it any more.
    pub inode: u64,
    /// Processes that hold it, ascending. Empty if none does, if they may not be looked at, or if it was not asked.
    pub owners: Vec<u32>,
}

impl Socket {
    /// Whether it waits for peers: listens (TCP), or has a port and no peer (UDP).
    pub fn is_listening(&self) -> bool {
        match self.protocol {
            Protocol::Tcp => self.state == SocketState::Listening,
            Protocol::Udp | Protocol::Raw => self.state == SocketState::Closed,
        }
    }
}

/// One unix domain socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// File, or a name that begins with `@` and is no file. None for one without a name.
    pub path: Option<OsString>,
    /// 1 stream, 2 datagram, 5 packets in order.
    pub kind: u32,
    /// Whether it waits for connections.
    pub listening: bool,
    /// Whether it has a peer.
    pub connected: bool,
    /// Its number.
    pub inode: u64,
    /// Processes that hold it, as in [`Socket::owners`].
    pub owners: Vec<u32>,
}
