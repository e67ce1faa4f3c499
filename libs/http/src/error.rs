//! What can keep a listener from being set up.

use std::io;
use std::path::PathBuf;

/// Why an endpoint cannot be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody listens there already.
    #[error("`{endpoint}` is already in use")]
    InUse {
        /// As configured.
        endpoint: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A port below 1024, or a folder that is not ours.
    #[error("no right to listen on `{endpoint}`")]
    NoRight {
        /// As configured.
        endpoint: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Binding failed for another reason.
    #[error("failed to listen on `{endpoint}`")]
    Bind {
        /// As configured.
        endpoint: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `unix:PATH` where there is a file that is no socket. It is left alone.
    #[error("failed to listen on `{endpoint}`: there is a file of that name, and it is no socket")]
    Occupied {
        /// As configured.
        endpoint: String,
    },
    /// `systemd:NAME` without a socket of that name.
    #[error("no socket was passed for `{endpoint}`, {}", passed(.names))]
    NotPassed {
        /// As configured.
        endpoint: String,
        /// The names under which there are some.
        names: Vec<String>,
    },
    /// A passed descriptor is something else than a listening stream socket.
    #[error("what was passed for `{endpoint}` is no listening stream socket")]
    NotListening {
        /// As configured.
        endpoint: String,
    },
    /// The variables of socket activation make no sense.
    #[error("failed to take over the sockets passed by the service manager: {0}")]
    Activation(String),
    /// A certificate or key cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A certificate or key file does not hold what it should.
    #[error("`{}` {why}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// "holds no certificate" …
        why: &'static str,
    },
    /// The certificate cannot be used, or not with this key.
    #[error("failed to use the certificate `{}` with the key `{}`", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        #[source]
        source: rustls::Error,
    },
}

impl Error {
    /// What the system said when binding `endpoint`, sorted by who can do something about it.
    pub(crate) fn bind(endpoint: &impl ToString, source: io::Error) -> Self {
        let endpoint = endpoint.to_string();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { endpoint, source },
            io::ErrorKind::PermissionDenied => Self::NoRight { endpoint, source },
            _ => Self::Bind { endpoint, source },
        }
    }
}

fn passed(names: &[String]) -> String {
    match names {
        [] => "nor any other".into(),
        names => format!("only for `{}`", names.join("`, `")),
    }
}
