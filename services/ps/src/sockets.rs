//! Sockets as parts of a report: who listens, and who talks to whom.

use std::collections::BTreeMap;

use psi::{Protocol, Socket, SocketState, Table};

use crate::columns::protocol;
use crate::report::Part;
use crate::value::Value;

/// Sockets that wait for somebody, by port, and a word on all the others.
pub(crate) fn listening<'a>(sockets: &[Socket], table: &Table) -> Part<'a> {
    let mut waiting: Vec<&Socket> = sockets.iter().filter(|socket| socket.is_listening()).collect();
    waiting.sort_by_key(|socket| (socket.protocol, socket.local.port(), socket.local.ip()));
    let rows = waiting.iter().map(|socket| {
        vec![
            Value::Word(protocol(socket.protocol)),
            Value::owned(socket.local.to_string()),
            Value::Count(socket.receive_queue),
            Value::List(socket.owners.iter().map(|pid| Value::Number((*pid).into())).collect()),
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
pub(crate) fn connections(name: &'static str, sockets: &[Socket]) -> Part<'static> {
    let rows = sockets.iter().map(|socket| {
        let remote = (socket.remote.port() > 0).then(|| socket.remote.to_string());
        vec![
            Value::Word(protocol(socket.protocol)),
            Value::owned(socket.local.to_string()),
            Value::some(remote, Value::owned),
            Value::Word(if socket.is_listening() { "listening" } else { word(socket.state) }),
        ]
    });
    Part::table(name, &["protocol", "local", "remote", "state"], rows.collect())
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
