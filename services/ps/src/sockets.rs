//! Sockets as parts of a report: who listens, and who talks to whom.

use std::collections::BTreeMap;

use psi::{Protocol, Socket, SocketState, Table, UnixSocket};

use crate::columns::protocol;
use crate::report::Part;
use crate::value::Value;

/// Sockets that wait for somebody, by port, and a word on all the others.
pub(crate) fn listening(sockets: &[Socket], table: &Table) -> Part<'static> {
    let mut waiting: Vec<&Socket> = sockets.iter().filter(|socket| socket.is_listening()).collect();
    waiting.sort_by_key(|socket| (socket.protocol, socket.local.port(), socket.local.ip()));
    let rows = waiting.iter().map(|socket| {
        vec![
            Value::Word(protocol(socket.protocol)),
            Value::owned(socket.local.to_string()),
            Value::Count(socket.receive_queue),
            Value::List(pids(&socket.owners)),
            Value::List(names(&socket.owners, table)),
        ]
    });
    let mut states: BTreeMap<(Protocol, SocketState), usize> = BTreeMap::new();
    for socket in sockets.iter().filter(|socket| !socket.is_listening()) {
        *states.entry((socket.protocol, socket.state)).or_default() += 1;
    }
    let others = states.iter().map(|((of, state), count)| format!("{count} {} {}", protocol(*of), word(*state)));
    let others: Vec<_> = others.collect();
    let note = (!others.is_empty()).then(|| format!("and {}", others.join(", ")));
    Part { note, ..Part::table("sockets", &["protocol", "local", ">waiting~1", "pids", "programs"], rows.collect()) }
}

/// Names of the programs that hold a socket, each once.
fn names(owners: &[u32], table: &Table) -> Vec<Value<'static>> {
    let mut names: Vec<_> =
        owners.iter().filter_map(|pid| table.get(*pid)).map(|process| process.name.clone()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(Value::owned).collect()
}

/// All of a process's sockets.
pub(crate) fn of_process(sockets: &[Socket]) -> Part<'static> {
    let rows = sockets.iter().map(|socket| ends(socket).into());
    Part::table("sockets", &["protocol", "local", "remote", "state"], rows.collect())
}

/// Sockets that talk to somebody, or have, by state.
pub(crate) fn connections(sockets: &[Socket], table: &Table) -> Part<'static> {
    let mut talking: Vec<&Socket> = sockets.iter().filter(|socket| !socket.is_listening()).collect();
    talking.sort_by_key(|socket| (socket.state, socket.protocol, socket.local, socket.remote));
    let rows = talking.iter().map(|socket| {
        let queues = [socket.receive_queue, socket.send_queue].map(Value::Size);
        let owners = [Value::List(pids(&socket.owners)), Value::List(names(&socket.owners, table))];
        ends(socket).into_iter().chain(queues).chain(owners).collect()
    });
    let names =
        ["protocol", "local", "remote", "state~3", ">receive_queue|recv~2", ">send_queue|send~2", "pids", "programs~1"];
    Part::table("connections", &names, rows.collect())
}

/// Unix sockets that have a name.
pub(crate) fn unix(sockets: &[UnixSocket], table: &Table) -> Part<'static> {
    let (named, others): (Vec<_>, Vec<_>) = sockets.iter().partition(|socket| socket.path.is_some());
    let rows = named.into_iter().map(|socket| {
        let kind = match socket.kind {
            1 => "stream",
            2 => "datagram",
            5 => "packets",
            _ => "unknown",
        };
        let state = match (socket.listening, socket.connected) {
            (true, _) => "listening",
            (_, true) => "connected",
            _ => "open",
        };
        vec![
            Value::Word(kind),
            Value::Word(state),
            Value::List(pids(&socket.owners)),
            Value::List(names(&socket.owners, table)),
            Value::some(socket.path.clone(), Value::owned),
        ]
    });
    let note = (!others.is_empty()).then(|| format!("and {} without a name", others.len()));
    Part { note, ..Part::table("unix", &["kind", "state~1", "pids", "programs~2", "path"], rows.collect()) }
}

/// Protocol, both ends, state.
fn ends(socket: &Socket) -> [Value<'static>; 4] {
    let remote = (socket.remote.port() > 0).then(|| socket.remote.to_string());
    [
        Value::Word(protocol(socket.protocol)),
        Value::owned(socket.local.to_string()),
        Value::some(remote, Value::owned),
        Value::Word(if socket.is_listening() { "listening" } else { word(socket.state) }),
    ]
}

fn pids(owners: &[u32]) -> Vec<Value<'static>> {
    owners.iter().map(|pid| Value::Number((*pid).into())).collect()
}

fn word(state: SocketState) -> &'static str {
    match state {
        SocketState::Established => "established",
        SocketState::SynSent => "syn-sent",
        SocketState::SynReceived => "syn-received",
        SocketState::FinWait1 => "fin-wait-1",
        SocketState::FinWait2 => "fin-wait-2",
        SocketState::TimeWait => "time-wait",
        SocketState::Closed => "closed",
        SocketState::CloseWait => "close-wait",
        SocketState::LastAck => "last-ack",
        SocketState::Listening => "listening",
        SocketState::Closing => "closing",
        SocketState::Other(_) => "unknown",
    }
}
