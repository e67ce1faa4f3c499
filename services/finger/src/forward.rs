//! Forwarding, RFC 1288 section 2.3 `{Q2}`: asks the next server and passes on what it says.
//!
//! Whether that may be done was decided before (see `policy`). Here time and size are bounded, and every byte is
//! filtered: the other server may be anybody's. The client learns whether there was an answer, never why not: the
//! network behind this host is not its business.

use std::io::Error;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::audit::Outcome;
use crate::policy::FINGER_PORT;
use crate::query::Query;
use crate::remote::Remote;
use crate::text::{Relay, push_line};

/// Bytes of an answer that are passed on.
const ANSWER_MAX: u64 = 256 * 1024;
/// Times the time-out: how long the whole may take.
const PATIENCE: u32 = 6;

/// Asks `remote`, writes its answer to `client` as it comes, and returns what is to be said besides.
pub(crate) async fn forward(
    remote: &Remote,
    query: &Query,
    patience: Duration,
    client: &mut (impl AsyncWrite + Unpin),
) -> Result<(Outcome, Vec<u8>), Error> {
    let until = Instant::now() + patience * PATIENCE;
    let mut text = Vec::new();
    let server = match within(patience, ask(remote, query)).await {
        Ok(server) => server,
        Err(error) => {
            warn!(server = %remote, %error, "failed to forward a query");
            push_line(&mut text, &format!("No answer from `{}`", remote.host));
            return Ok((Outcome::Unreachable, text));
        }
    };
    let mut server = server.take(ANSWER_MAX);
    let (mut filter, mut filtered, mut piece) = (Relay::default(), Vec::new(), vec![0; 8192]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match within(patience.min(left), server.read(&mut piece)).await {
            Ok(0) if server.limit() > 0 => break,
            Ok(len) if len > 0 => filter.push(&piece[..len], &mut filtered),
            cut => {
                let reason = cut.err().map_or_else(|| "too long".to_owned(), |error| error.to_string());
                warn!(server = %remote, reason, "cut a forwarded answer off");
                push_line(&mut text, "");
                push_line(&mut text, "[the rest of the answer is missing]");
                break;
            }
        }
        within(patience, client.write_all(&filtered)).await?;
        filtered.clear();
    }
    Ok((Outcome::Forwarded, text))
}

async fn within<T>(patience: Duration, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(patience, future).await?
}

async fn ask(remote: &Remote, query: &Query) -> Result<TcpStream, Error> {
    let mut server = TcpStream::connect(remote.with_port(FINGER_PORT)).await?;
    server.write_all(format!("{query}\r\n").as_bytes()).await?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    /// Asks a server that takes one query and plays `pieces`, then closes, or stays silent if `hangs`.
    async fn check(pieces: &[&[u8]], hangs: bool, patience: Duration, said: (Outcome, &str)) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = listener.local_addr().unwrap().to_string().parse().unwrap();
        let query = Query::parse(b"/W moshez@h1").unwrap();
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut line = [0; 14];
            socket.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"/W moshez@h1\r\n");
            for piece in pieces {
                let _ = socket.write_all(piece).await; // the client may have had enough
            }
            if hangs { Some(socket) } else { None }
        };
        let mut sent = Vec::new();
        let (outcome, text) = tokio::join!(forward(&remote, &query, patience, &mut sent), server).0.unwrap();
        sent.extend(text);
        let sent = String::from_utf8(sent).unwrap().replace(&"x".repeat(256 * 1024), "…");
        assert_eq!((outcome, &*sent), said);
    }

    #[tokio::test]
    async fn answers_are_passed_on_filtered() {
        let patience = Duration::from_secs(60);
        check(
            &[b"happy\nand \x1b[1mwell\r", b"\n"],
            false,
            patience,
            (Outcome::Forwarded, "happy\r\nand ?[1mwell\r\n"),
        )
        .await;
        check(&[], false, patience, (Outcome::Forwarded, "")).await;
    }

    #[tokio::test]
    async fn answers_end() {
        let cut = "\r\n[the rest of the answer is missing]\r\n";
        check(&[b"one"], true, SOON, (Outcome::Forwarded, &format!("one{cut}"))).await;
        let long = [b'x'; 300 * 1024];
        check(&[&long], false, Duration::from_secs(60), (Outcome::Forwarded, &format!("…{cut}"))).await;
    }

    #[tokio::test]
    async fn a_server_that_is_not_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = listener.local_addr().unwrap().to_string().parse().unwrap();
        drop(listener);
        let query = Query::parse(b"moshez").unwrap();
        let (outcome, text) = forward(&remote, &query, Duration::from_secs(60), &mut Vec::new()).await.unwrap();
        assert_eq!((outcome, &*text), (Outcome::Unreachable, &b"No answer from `127.0.0.1`\r\n"[..]));
    }
}
