//! The client of `bench host`: finger queries one after the other, each on a connection of its own.
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// Asks `count` times for `user`; each answer must contain `expected`.
pub(super) fn ask(address: SocketAddr, user: &str, expected: &str, count: usize) -> Result<()> {
    let request = format!("{user}\r\n");
    let mut answer = Vec::new();
    for number in 0..count {
        answer.clear();
        exchange(address, request.as_bytes(), &mut answer).with_context(|| format!("in query {number}"))?;
        let text = String::from_utf8_lossy(&answer);
        ensure!(text.contains(expected), "query {number} was answered with `{text}`");
    }
    Ok(())
}

fn exchange(address: SocketAddr, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request)?;
    stream.read_to_end(answer)?;
    Ok(())
}
