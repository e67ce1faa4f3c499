//! Network interfaces, their addresses, and the protocols' counters.

use std::net::IpAddr;

/// One interface. Counters count since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Addresses. Empty where another process's network is looked at.
    pub addresses: Vec<Address>,
    /// Hardware address: `52:54:00:12:34:56`.
    pub hardware: Option<String>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
    /// Speed in Mbit/s; none where the device does not know.
    pub speed: Option<u32>,
    /// Whether it is switched on.
    pub up: Option<bool>,
    /// Whether something is at the other end.
    pub carrier: Option<bool>,
    /// Bytes received.
    pub received_bytes: u64,
    /// Packets received.
    pub received_packets: u64,
    /// Damaged packets received.
    pub receive_errors: u64,
    /// Packets thrown away on arrival.
    pub receive_drops: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Packets sent.
    pub sent_packets: u64,
    /// Packets that could not be sent.
    pub send_errors: u64,
    /// Packets thrown away before they were sent.
    pub send_drops: u64,
    /// Collisions.
    pub collisions: u64,
}

/// One address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// How many of its bits name the network.
    pub prefix: u8,
}

/// One counter of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// `Ip`, `Tcp`, `TcpExt`, `Udp6` …
    pub protocol: String,
    /// `RetransSegs` …, the names of RFC 4293, 4022, 4113 and the kernel's own.
    pub name: String,
    /// Its value; a few are settings and not counts, and may be negative.
    pub value: i64,
}

/// All protocols' counters in the kernel's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(pub Vec<Counter>);

impl Counters {
    /// One of them.
    pub fn get(&self, protocol: &str, name: &str) -> Option<i64> {
        self.0.iter().find(|counter| counter.protocol == protocol && counter.name == name).map(|counter| counter.value)
    }
}
