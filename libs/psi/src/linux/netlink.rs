//! Addresses of interfaces, by `rtnetlink(7)`: the proc file system has no table of them that names the interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::read;
use crate::{Address, Error, Interface};

const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
/// A request for all there are.
const DUMP: u16 = 0x301;
/// The other end's address on a line between two machines, ours elsewhere.
const ADDRESS: u16 = 1;
/// Ours, where it differs.
const LOCAL: u16 = 2;
const INET: u8 = 2;
const INET6: u8 = 10;
/// The kernel sends no more in one piece.
const PIECE: usize = 32 << 10;

/// Adds their addresses to the interfaces.
pub(crate) fn addresses(interfaces: &mut [Interface]) -> Result<(), Error> {
    let found = ask().map_err(|error| Error::System { what: "ask for addresses", source: error.into() })?;
    for interface in interfaces {
        // the index is the process's own network's, so it is looked up there and not below another root
        let index = read::number(std::path::Path::new(&format!("/sys/class/net/{}/ifindex", interface.name)));
        let own = found.iter().filter(|(of, _)| Some(u64::from(*of)) == index);
        interface.addresses = own.map(|(_, address)| *address).collect();
    }
    Ok(())
}

fn ask() -> Result<Vec<(u32, Address)>, Errno> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None, /* the routing family is number 0 */
    )?;
    let mut request = [0; 24];
    request[0..4].copy_from_slice(&24u32.to_ne_bytes());
    request[4..6].copy_from_slice(&GET_ADDRESS.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    rustix::net::sendto(&socket, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut found = Vec::new();
    while receive(socket.as_fd(), &mut found)? {}
    Ok(found)
}

/// Takes one piece of the answer; false after the last.
fn receive(socket: impl AsFd, found: &mut Vec<(u32, Address)>) -> Result<bool, Errno> {
    let mut piece = vec![0; PIECE];
    let (length, _) = rustix::net::recv(socket, &mut piece[..], RecvFlags::empty())?;
    parse(piece.get(..length).unwrap_or_default(), found)
}

/// Messages one after the other, each with its length in front and padded to four bytes.
fn parse(mut piece: &[u8], found: &mut Vec<(u32, Address)>) -> Result<bool, Errno> {
    if piece.is_empty() {
        return Ok(false);
    }
    while let Some((length, kind)) = u32_at(piece, 0).zip(u16_at(piece, 4)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(message) = piece.get(16..length) else { return Ok(false) };
        match kind {
            DONE => return Ok(false),
            ERROR => return Err(Errno::IO),
            NEW_ADDRESS => found.extend(address(message)),
            _ => {}
        }
        piece = piece.get(padded(length)..).unwrap_or_default();
    }
    Ok(true)
}

fn address(message: &[u8]) -> Option<(u32, Address)> {
    let (family, prefix, index) = (*message.first()?, *message.get(1)?, u32_at(message, 4)?);
    let mut attributes = message.get(8..)?;
    let (mut other, mut own) = (None, None);
    while let Some((length, kind)) = u16_at(attributes, 0).zip(u16_at(attributes, 2)) {
        let length = usize::from(length);
        let Some(value) = attributes.get(4..length) else { break };
        match kind {
            ADDRESS => other = ip(family, value),
            LOCAL => own = ip(family, value),
            _ => {}
        }
        attributes = attributes.get(padded(length)..).unwrap_or_default();
    }
    Some((index, Address { address: own.or(other)?, prefix }))
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        INET => <[u8; 4]>::try_from(value).ok().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        INET6 => <[u8; 16]>::try_from(value).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        _ => None,
    }
}

fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_panic_or_hang(bytes: Vec<u8>, kind in prop::sample::select(vec![NEW_ADDRESS, ERROR, DONE])) {
            let mut found = Vec::new();
            let _ = parse(&bytes, &mut found);
            let length = u32::try_from(bytes.len() + 16).unwrap();
            let piece = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], &bytes].concat();
            let _ = parse(&piece, &mut found);
        }
    }
}
