//! Looks names up, and hands out only addresses that may be gone to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::is_public;
use crate::origin::Reach;

/// The name leads to no address that may be gone to.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` has no public address")]
pub(crate) struct NotPublic {
    name: String,
}

/// The system's resolver behind a judge.
#[derive(Debug)]
pub(crate) struct Judged(pub(crate) Arc<Reach>);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let trusted = reach.trusts_host(name);
            let fine: Vec<_> = found.into_iter().filter(|address| trusted || is_public(address.ip())).collect();
            if fine.is_empty() {
                return Err(NotPublic { name: name.to_owned() }.into());
            }
            Ok(Box::new(fine.into_iter()) as Addrs)
        })
    }
}
