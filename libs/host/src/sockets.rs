//! The sockets of one service. They belong to the host: a restarted or reloaded instance gets listeners on the same
//! ones, so that no connection is refused in between, also on a port that could not be bound again.

use std::io;
use std::sync::Arc;

use opsctl_http::{Activated, Endpoint, Listener, Socket};

use crate::Listen;

/// What is bound for one service. Cheap to clone; a socket closes when the last holder lets go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sockets(Arc<[Bound]>);

#[derive(Debug, Clone)]
struct Bound {
    listen: Listen,
    socket: Socket,
}

impl Sockets {
    /// Binds `listens`, taking over from `old` what is listened on already.
    ///
    /// # Errors
    /// The first that cannot be bound; those bound before it close again.
    pub(crate) fn bind(listens: Vec<Listen>, old: &Self, activated: &Activated) -> anyhow::Result<Self> {
        let bind = |listen: Listen| {
            let socket = match old.0.iter().find(|bound| bound.listen == listen) {
                Some(bound) => bound.socket.clone(),
                None => listen.endpoint.bind_with(activated, listen.defer).map_err(explain)?,
            };
            Ok(Bound { listen, socket })
        };
        listens.into_iter().map(bind).collect::<Result<_, _>>().map(Self)
    }

    /// What the sockets were bound for.
    pub(crate) fn listens(&self) -> impl Iterator<Item = &Listen> {
        self.0.iter().map(|bound| &bound.listen)
    }

    /// Listener names and the addresses that they have, ports chosen by the system included.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (&'static str, Endpoint)> {
        self.0.iter().flat_map(|bound| bound.socket.locals().map(|address| (bound.listen.name, address)))
    }

    /// Listeners on the sockets bound under `name`, registered with the running runtime.
    pub(crate) fn listeners(&self, name: &str) -> io::Result<Vec<Listener>> {
        self.0.iter().filter(|bound| bound.listen.name == name).map(|bound| bound.socket.listener()).collect()
    }
}

/// Says what helps, where the error alone does not.
fn explain(error: opsctl_http::Error) -> anyhow::Error {
    const HELP: &str =
        "ports below 1024 need a start as root with --user, CAP_NET_BIND_SERVICE, or a socket of systemd's";
    let denied = matches!(error, opsctl_http::Error::NoRight { .. });
    let error = anyhow::Error::new(error);
    if denied { error.context(HELP) } else { error }
}
