//! `/proc/net/dev`, `/sys/class/net`, and the counters of `/proc/net/{snmp,netstat,snmp6}`.

use super::bytes::{cut_last, hex, lines, number, signed, small, text, words};
use super::{netlink, read};
use crate::{Counter, Counters, Error, Interface, System};

/// Switched on, in `/sys/class/net/NAME/flags`.
const UP: u64 = 1;

pub(crate) fn interfaces(system: &System) -> Result<Vec<Interface>, Error> {
    let table = read::file(&system.view("net/dev"))?;
    let mut interfaces: Vec<_> = lines(&table).skip(2).filter_map(parse).collect();
    if system.is_own_view() {
        for interface in &mut interfaces {
            describe(system, interface);
        }
        netlink::addresses(&mut interfaces)?;
    }
    Ok(interfaces)
}

pub(crate) fn counters(system: &System) -> Result<Counters, Error> {
    let mut counters = Vec::new();
    pairs(&read::file(&system.view("net/snmp"))?, &mut counters);
    for (name, parse) in [("net/netstat", pairs as fn(&[u8], &mut Vec<Counter>)), ("net/snmp6", singles)] {
        if let Some(text) = read::optional(&system.view(name)) {
            parse(&text, &mut counters);
        }
    }
    Ok(Counters(counters))
}

fn parse(line: &[u8]) -> Option<Interface> {
    // a name may hold colons, the counters do not
    let (name, numbers) = cut_last(line, b':')?;
    let mut numbers = words(numbers).map(|word| number(word).unwrap_or(0));
    let mut interface = Interface { name: text(name.trim_ascii()), ..Interface::default() };
    let mut next = || numbers.next();
    interface.received_bytes = next()?;
    interface.received_packets = next()?;
    interface.receive_errors = next()?;
    interface.receive_drops = next()?;
    let _fifo_frame_compressed_multicast = (next()?, next()?, next()?, next()?);
    interface.sent_bytes = next()?;
    interface.sent_packets = next()?;
    interface.send_errors = next()?;
    interface.send_drops = next()?;
    let _fifo = next()?;
    interface.collisions = next()?;
    Some(interface)
}

/// The sys file system shows the interfaces of the network that it was mounted in, which is ours.
fn describe(system: &System, interface: &mut Interface) {
    let folder = system.sys("class/net").join(&interface.name);
    let number = |name: &str| read::line(&folder.join(name)).and_then(|line| small(&line));
    interface.mtu = number("mtu");
    // -1 where it is not known, and an error while it is switched off
    interface.speed = number("speed");
    interface.carrier = number("carrier").map(|carrier| carrier == 1);
    let flags = read::line(&folder.join("flags")).and_then(|flags| hex(flags.strip_prefix(b"0x")?));
    interface.up = flags.map(|flags| flags & UP != 0);
    interface.hardware = read::line(&folder.join("address")).map(|line| text(&line)).filter(|line| !line.is_empty());
}

/// Two lines per protocol: `Tcp: Name Name`, `Tcp: 1 2`.
fn pairs(table: &[u8], counters: &mut Vec<Counter>) {
    let mut lines = lines(table);
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let (mut names, mut values) = (words(names), words(values));
        let (Some(protocol), Some(same)) = (names.next(), values.next()) else { continue };
        if protocol != same {
            continue;
        }
        let protocol = text(protocol.strip_suffix(b":").unwrap_or(protocol));
        for (name, value) in names.zip(values) {
            if let Some(value) = signed(value) {
                counters.push(Counter { protocol: protocol.clone(), name: text(name), value });
            }
        }
    }
}

/// One line per counter: `Udp6InDatagrams 3`.
fn singles(table: &[u8], counters: &mut Vec<Counter>) {
    for line in lines(table) {
        let mut words = words(line);
        let (Some(name), Some(value)) = (words.next(), words.next().and_then(signed)) else { continue };
        let end = name.iter().position(|byte| *byte == b'6').map_or(0, |at| at + 1);
        let (protocol, name) = name.split_at(end);
        counters.push(Counter { protocol: text(protocol), name: text(name), value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_an_interface() {
        let interface = parse(b"eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16").unwrap();
        assert_eq!((interface.name.as_str(), interface.received_bytes, interface.receive_drops), ("eth0:1", 1, 4));
        assert_eq!((interface.sent_bytes, interface.send_drops, interface.collisions), (9, 12, 14));
        assert!(parse(b"eth0: 1 2").is_none());
    }

    #[test]
    fn counters_are_found_by_name() {
        let mut all = Vec::new();
        pairs(b"Tcp: MaxConn InSegs\nTcp: -1 5\nUdp: A\nIcmp: 3\nIp: B\nIp: 4\n", &mut all);
        singles(b"Udp6InDatagrams \t3\nIp6OutOctets 4\n", &mut all);
        let all = Counters(all);
        assert_eq!((all.get("Tcp", "MaxConn"), all.get("Tcp", "InSegs")), (Some(-1), Some(5)));
        assert_eq!((all.get("Udp6", "InDatagrams"), all.get("Ip", "B"), all.get("Udp", "A")), (Some(3), Some(4), None));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut all = Vec::new();
            pairs(&bytes, &mut all);
            singles(&bytes, &mut all);
            let _ = parse(&bytes);
        }
    }
}
