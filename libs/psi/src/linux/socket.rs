//! `/proc/net/{tcp,tcp6,udp,udp6,raw,raw6,unix}`, and `/proc/PID/fd` for who holds a socket.

use std::collections::HashMap;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{Mode, openat, readlinkat_raw};
use rustix::io::Errno;

use super::bytes::{cut, hex, lines, number, small, words};
use super::process::FOLDER;
use super::read::{self, failed};
use super::scan::{Name, list, open_folder, open_root};
use crate::{Error, Protocol, Socket, SocketState, System, UnixSocket};

/// `SO_ACCEPTCON` in the table of unix sockets.
const LISTENS: u64 = 1 << 16;

const TABLES: [(&str, Protocol); 6] = [
    ("net/tcp", Protocol::Tcp),
    ("net/tcp6", Protocol::Tcp),
    ("net/udp", Protocol::Udp),
    ("net/udp6", Protocol::Udp),
    ("net/raw", Protocol::Raw),
    ("net/raw6", Protocol::Raw),
];

pub(crate) fn sockets(system: &System) -> Result<Vec<Socket>, Error> {
    let mut sockets = Vec::new();
    for (name, protocol) in TABLES {
        let table = match read::feature(&system.view(name), "sockets") {
            Ok(table) => table,
            // a kernel without IPv6
            Err(Error::NotHere { .. }) => continue,
            Err(error) => return Err(error),
        };
        sockets.extend(lines(&table).skip(1).filter_map(|line| parse(line, protocol)));
    }
    Ok(sockets)
}

pub(crate) fn unix_sockets(system: &System) -> Result<Vec<UnixSocket>, Error> {
    let table = read::feature(&system.view("net/unix"), "unix sockets")?;
    Ok(lines(&table).skip(1).filter_map(parse_unix).collect())
}

/// Which processes hold which socket, by the socket's number. Processes that may not be looked at are left out.
pub(crate) fn socket_owners(system: &System) -> Result<HashMap<u64, Vec<u32>>, Error> {
    let root = open_root(system)?;
    let mut owners: HashMap<u64, Vec<u32>> = HashMap::new();
    for pid in list(root.as_fd()).map_err(failed(system.proc("")))? {
        let Ok(folder) = open_folder(root.as_fd(), pid) else { continue };
        for inode in held(folder.as_fd()).unwrap_or_default() {
            let pids = owners.entry(inode).or_default();
            if pids.last() != Some(&pid) {
                pids.push(pid);
            }
        }
    }
    Ok(owners)
}

fn held(folder: BorrowedFd<'_>) -> Result<Vec<u64>, Errno> {
    let descriptors = openat(folder, c"fd", FOLDER, Mode::empty())?;
    let mut inodes = Vec::new();
    for descriptor in list(descriptors.as_fd())? {
        let mut target = [MaybeUninit::uninit(); 64];
        // closed meanwhile, or too long a name for a socket
        let Ok((target, _)) = readlinkat_raw(&descriptors, Name::folder(descriptor).as_c_str(), &mut target) else {
            continue;
        };
        inodes.extend(target.strip_prefix(b"socket:[").and_then(|rest| number(rest.strip_suffix(b"]")?)));
    }
    inodes.sort_unstable();
    Ok(inodes)
}

fn parse(line: &[u8], protocol: Protocol) -> Option<Socket> {
    let mut words = words(line).skip(1);
    let (local, remote) = (address(words.next()?)?, address(words.next()?)?);
    let state = state(u8::try_from(hex(words.next()?)?).ok()?);
    let (send, receive) = cut(words.next()?, b':')?;
    let (_timer, _retransmits) = (words.next()?, words.next()?);
    let uid = small(words.next()?)?;
    let _timeout = words.next()?;
    let inode = number(words.next()?)?;
    let (send_queue, receive_queue) = (hex(send)?, hex(receive)?);
    Some(Socket { protocol, local, remote, state, receive_queue, send_queue, uid, inode, owners: Vec::new() })
}

fn state(number: u8) -> SocketState {
    match number {
        1 => SocketState::Established,
        2 => SocketState::SynSent,
        // 12 is one that the kernel has not made a whole socket of yet
        3 | 12 => SocketState::SynReceived,
        4 => SocketState::FinWait1,
        5 => SocketState::FinWait2,
        6 => SocketState::TimeWait,
        7 => SocketState::Closed,
        8 => SocketState::CloseWait,
        9 => SocketState::LastAck,
        10 => SocketState::Listening,
        11 => SocketState::Closing,
        other => SocketState::Other(other),
    }
}

/// `0100007F:0016`: the port as a number, the address as words of 32 bits in the machine's own byte order.
fn address(word: &[u8]) -> Option<SocketAddr> {
    let (address, port) = cut(word, b':')?;
    let port = u16::try_from(hex(port)?).ok()?;
    let word = |at: usize| Some(u32::try_from(hex(address.get(at * 8..at * 8 + 8)?)?).ok()?.to_ne_bytes());
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let bytes = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// `Num RefCount Protocol Flags Type St Inode Path`.
fn parse_unix(line: &[u8]) -> Option<UnixSocket> {
    let mut words = words(line).skip(3);
    let flags = hex(words.next()?)?;
    let kind = u32::try_from(hex(words.next()?)?).ok()?;
    let connected = hex(words.next()?)? == 3;
    let inode_word = words.next()?;
    let inode = number(inode_word)?;
    // the path may hold blanks: it is whatever stands behind the number
    let after = words.next().map(|_| inode_word.as_ptr_range().end as usize - line.as_ptr_range().start as usize + 1);
    let path = after.and_then(|at| line.get(at..)).map(|path| OsString::from_vec(path.to_vec()));
    Some(UnixSocket { path, kind, listening: flags & LISTENS != 0, connected, inode, owners: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_in_the_machines_order() {
        let check = |word: &str, expected: &str| {
            assert_eq!(address(word.as_bytes()), Some(expected.parse().unwrap()), "{word}");
        };
        if cfg!(target_endian = "little") {
            check("0100007F:0016", "127.0.0.1:22");
            check("00000000000000000000000001000000:1F90", "[::1]:8080");
            check("B80D01200000000000000000010000FF:0001", "[2001:db8::ff00:1]:1");
        }
        assert_eq!(address(b"0100007F"), None);
        assert_eq!(address(b"0100007F:10000"), None);
    }

    #[test]
    fn a_line_is_a_socket() {
        let line = b"   0: 0100007F:0016 00000000:0000 0A 00000001:0000000a 00:00000000 00000000  1000  0 4711 1 0 100";
        let socket = parse(line, Protocol::Tcp).unwrap();
        assert_eq!((socket.state, socket.uid, socket.inode), (SocketState::Listening, 1000, 4711));
        assert_eq!((socket.send_queue, socket.receive_queue), (1, 10));
        assert!(socket.is_listening());
    }

    #[test]
    fn a_path_may_hold_blanks() {
        let check = |line: &str, path: Option<&str>| {
            let socket = parse_unix(line.as_bytes()).unwrap();
            assert_eq!((socket.path, socket.inode), (path.map(OsString::from), 77), "{line}");
            assert!(socket.listening && !socket.connected);
        };
        check("0000000000000000: 00000002 00000000 00010000 0001 01    77 /run/a  b", Some("/run/a  b"));
        check("0000000000000000: 00000002 00000000 00010000 0001 01 77 @abstract", Some("@abstract"));
        check("0000000000000000: 00000002 00000000 00010000 0001 01    77", None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes, Protocol::Tcp), parse_unix(&bytes), address(&bytes));
        }
    }
}
