//! Ports on loopback, for programs that cannot be told to choose one themselves.
use anyhow::Result;
use std::net::{Ipv4Addr, TcpListener};

/// A port that is free now.
pub(crate) fn free() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether this account may listen on `port`, and nobody does.
pub(crate) fn may_bind(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
