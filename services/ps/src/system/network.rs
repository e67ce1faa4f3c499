//! Interfaces, protocols and sockets.

use psi::{Counter, Error, Fields, Interface, System};

use crate::report::Part;
use crate::value::Value;

pub(super) fn interfaces(system: &System) -> Result<Part<'static>, Error> {
    let rows = system.interfaces()?.into_iter().map(|interface| {
        let state = match (interface.up, interface.carrier) {
            (Some(false), _) => "off",
            (Some(true), Some(false)) => "no carrier",
            (Some(true), _) => "up",
            (None, _) => "unknown",
        };
        let Interface { name, addresses, hardware, mtu, speed, .. } = interface;
        let addresses = addresses.iter().map(|found| Value::owned(format!("{}/{}", found.address, found.prefix)));
        vec![
            Value::owned(name),
            Value::Word(state),
            Value::List(addresses.collect()),
            Value::some(mtu, |mtu| Value::Count(mtu.into())),
            Value::some(speed, |speed| Value::Count(speed.into())),
            Value::Size(interface.received_bytes),
            Value::Size(interface.sent_bytes),
            Value::Count(interface.receive_errors.saturating_add(interface.send_errors)),
            Value::Count(interface.receive_drops.saturating_add(interface.send_drops)),
            Value::some(hardware, Value::owned),
        ]
    });
    let names = [
        "name",
        "state",
        "addresses",
        ">mtu~4",
        ">mbit~4",
        ">received_bytes|received~2",
        ">sent_bytes|sent~2",
        ">errors~3",
        ">drops~5",
        "hardware~6",
    ];
    Ok(Part::table("interfaces", &names, rows.collect()))
}

/// The counters that have counted something.
pub(super) fn protocols(system: &System) -> Result<Part<'static>, Error> {
    let counters = system.counters()?.0.into_iter().filter(|counter| counter.value != 0);
    let rows = counters.map(|Counter { protocol, name, value }| {
        vec![Value::owned(protocol), Value::Number(value), Value::owned(name)]
    });
    Ok(Part::table("protocols", &["protocol", ">value", "name"], rows.collect()))
}

pub(super) fn sockets(system: &System) -> Result<Part<'static>, Error> {
    Ok(crate::sockets::listening(&system.sockets()?, &system.processes(Fields::NONE)?))
}

pub(super) fn connections(system: &System) -> Result<Part<'static>, Error> {
    Ok(crate::sockets::connections(&system.sockets()?, &system.processes(Fields::NONE)?))
}

pub(super) fn unix(system: &System) -> Result<Part<'static>, Error> {
    Ok(crate::sockets::unix(&system.unix_sockets()?, &system.processes(Fields::NONE)?))
}
