//! The finger port: one query, one answer, and the connection is closed (RFC 1288 section 2.2).
//!
//! The client speaks first, so mostly its query is there when its connection is (see `Listen::defer`): then it is
//! answered within the accepting task, by one read and one write, and neither a task nor the runtime's poller learns of
//! it. Only a client that keeps us waiting gets a task, and then counts against the limit.

use std::io::{Error, ErrorKind};
use std::pin::pin;
use std::sync::Arc;

use opsctl_host::Context;
use opsctl_http::{Accepted, Listener, Peer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::debug;

use crate::answer::{Answer, answer};
use crate::audit::{Door, Outcome};
use crate::query::{LINE_MAX, Query};
use crate::site::Site;
use crate::text::decode;
use crate::{forward, plan};

/// Written at a time, so that a slow client's time-out starts anew now and then.
const PIECE: usize = 16 * 1024;
/// What a client may send after its query before it reads the answer.
const LINGER_MAX: u64 = 64 * 1024;
const NO_ROOM: &str = "Too many connections, try again later\r\n";

/// Accepts connections until the service stops.
pub(crate) async fn serve(
    site: Arc<Site>,
    room: Arc<Semaphore>,
    listener: Listener,
    cx: Context,
) -> anyhow::Result<()> {
    let mut stopping = pin!(cx.stopping());
    loop {
        let mut accepted = tokio::select! {
            biased;
            () = &mut stopping => return Ok(()),
            accepted = listener.accept_ready() => accepted?,
        };
        let Some(work) = at_once(&site, &mut accepted) else { continue };
        let peer = accepted.peer();
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            site.audit.record(Door::Finger, peer, "", Outcome::Refused);
            let _ = accepted.try_write(NO_ROOM.as_bytes());
            continue;
        };
        let (site, cx_task) = (Arc::clone(&site), cx.clone());
        cx.spawn_connection(async move {
            let talk = async { converse(&site, accepted.into_stream()?, peer, work, cx_task.stopping()).await };
            if let Err(error) = talk.await {
                debug!(%peer, %error, "finger connection ended early");
            }
            drop(place);
        });
    }
}

/// What remains to be done for a connection.
#[derive(Debug)]
enum Work {
    /// Wait for the rest of the query, or do what its answer needs.
    Query(Box<Received>),
    /// Send the rest of the answer.
    Send(Vec<u8>),
}

/// Answers a query that is already there. `None`: the connection is done with.
fn at_once(site: &Site, accepted: &mut Accepted) -> Option<Work> {
    let mut received = Received::default();
    match accepted.try_read(received.room()) {
        Ok(0) => return None, // somebody looked whether there is a server
        Ok(len) => received.len = len,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(Work::Query(Box::new(received))),
        Err(_) => return None,
    }
    let Some(line) = received.line().filter(|_| !received.is_overlong()) else {
        return Some(Work::Query(Box::new(received)));
    };
    let query = Query::parse(line);
    if query.as_ref().is_ok_and(|query| query.verbose || !query.hosts.is_empty()) {
        return Some(Work::Query(Box::new(received))); // may need files or other servers
    }
    let Answer::Text(outcome, text) = answer(query, &site.policy, &site.directory.users()) else {
        return Some(Work::Query(Box::new(received)));
    };
    site.audit.record(Door::Finger, accepted.peer(), &decode(line), outcome);
    match accepted.try_write(&text) {
        Ok(len) if len == text.len() => None,
        Ok(len) => Some(Work::Send(text[len..].to_vec())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Work::Send(text)),
        Err(_) => None,
    }
}

/// A connection that has to be waited for.
async fn converse(
    site: &Site,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    work: Work,
    stopping: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (text, is_long) = match work {
        Work::Send(text) => (text, false),
        Work::Query(mut received) => {
            let line = tokio::select! {
                line = timeout(site.timeout, received.read(&mut stream)) => line??,
                () = stopping => return Ok(()),
            };
            let Some(line) = line else { return Ok(()) };
            let text = reply(site, &mut stream, peer, line).await?;
            (text, received.is_overlong())
        }
    };
    for piece in text.chunks(PIECE) {
        timeout(site.timeout, stream.write_all(piece)).await??;
    }
    timeout(site.timeout, stream.shutdown()).await??;
    if is_long {
        // closed with bytes unread, the connection would be reset and the answer lost
        let mut rest = stream.take(LINGER_MAX);
        timeout(site.timeout, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await??;
    }
    Ok(())
}

/// Does what a query asks for; returns what is still to be sent.
async fn reply(site: &Site, stream: &mut (impl AsyncWrite + Unpin), peer: Peer, line: &[u8]) -> Result<Vec<u8>, Error> {
    let users = site.directory.users();
    let (outcome, text) = match answer(Query::parse(line), &site.policy, &users) {
        Answer::Text(outcome, text) => (outcome, text),
        Answer::Plan { mut text, at, user } => {
            let folder = site.plans.clone();
            let plan = tokio::task::spawn_blocking(move || plan::lines(folder.as_deref(), &user)).await?;
            text.splice(at..at, plan);
            (Outcome::Answered, text)
        }
        Answer::Forward(remote, query) => forward::forward(remote, &query, site.timeout, stream).await?,
    };
    site.audit.record(Door::Finger, peer, &decode(line), outcome);
    Ok(text)
}

/// What a client has sent: its query line, once that is whole.
#[derive(Debug)]
struct Received {
    bytes: [u8; LINE_MAX + 2],
    len: usize,
}

impl Default for Received {
    fn default() -> Received {
        Received { bytes: [0; LINE_MAX + 2], len: 0 }
    }
}

impl Received {
    fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.len..]
    }

    /// Is there no room for the rest of the line?
    fn is_overlong(&self) -> bool {
        self.len == self.bytes.len() && !self.bytes.contains(&b'\n')
    }

    /// The line without its end; all there is if that is too much already.
    fn line(&self) -> Option<&[u8]> {
        let bytes = &self.bytes[..self.len];
        match bytes.iter().position(|&byte| byte == b'\n') {
            Some(end) => Some(bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end])),
            None if self.is_overlong() => Some(bytes),
            None => None,
        }
    }

    /// Reads until there is a line. The end of the stream ends one, too; an empty stream is none.
    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<&[u8]>, Error> {
        while self.line().is_none() {
            match stream.read(self.room()).await? {
                0 if self.len == 0 => return Ok(None),
                0 => return Ok(Some(&self.bytes[..self.len])),
                len => self.len += len,
            }
        }
        Ok(self.line())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::duplex;

    use super::*;
    use crate::site::tests::site;

    const PEER: Peer = Peer::Unix { pid: 1, uid: 0, gid: 0 };

    /// What a client that sends `pieces` is answered; it closes its side if `closes`.
    async fn talk(site: &Site, pieces: &[&[u8]], closes: bool) -> String {
        let (mut client, server) = duplex(1 << 20);
        for piece in pieces {
            client.write_all(piece).await.unwrap();
        }
        if closes {
            client.shutdown().await.unwrap();
        }
        let work = Work::Query(Box::default());
        converse(site, server, PEER, work, std::future::pending()).await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        text
    }

    async fn check(pieces: &[&[u8]], closes: bool, said: &str) {
        assert_eq!(talk(&site("moshez: happy and well\nshawn: alive\n"), pieces, closes).await, said);
    }

    #[tokio::test]
    async fn one_query_one_answer() {
        check(&[b"moshez\r\n"], false, "happy and well\r\n").await;
        check(&[b"mos", b"hez", b"\r", b"\n"], false, "happy and well\r\n").await;
        check(&[b"shawn\n", b"moshez\r\n"], false, "alive\r\n").await;
        check(&[b"\r\n"], false, "moshez\r\nshawn\r\n").await;
        check(&[b"/W moshez\r\n"], false, "happy and well\r\n").await;
        check(&[b"a@b\r\n"], false, "Finger forwarding service denied\r\n").await;
    }

    #[tokio::test]
    async fn a_query_may_end_with_the_stream() {
        check(&[b"moshez"], true, "happy and well\r\n").await;
        check(&[], true, "").await;
    }

    #[tokio::test]
    async fn a_query_has_an_end() {
        let long = "malformed query: a query has at most 1024 bytes\r\n";
        check(&[&[b'x'; 20_000]], true, long).await;
        check(&[&[b'x'; LINE_MAX], b"\r\n"], false, "No such user\r\n").await;
        check(&[&[b'x'; LINE_MAX + 1], b"\r\n"], true, long).await;
        check(&[b"moshez\0\r\n"], false, "malformed query: control character in the query\r\n").await;
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let impatient = Site { timeout: Duration::from_millis(20), ..site("moshez: well\n") };
        let (mut client, server) = duplex(64);
        client.write_all(b"mos").await.unwrap();
        let work = Work::Query(Box::default());
        let ended = converse(&impatient, server, PEER, work, std::future::pending()).await;
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);

        let (_client, server) = duplex(64);
        let ended = converse(&impatient, server, PEER, Work::Send(vec![b'x'; 1000]), std::future::pending()).await;
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut, "a client that does not read");

        let (_client, server) = duplex(64);
        let work = Work::Query(Box::default());
        converse(&site(""), server, PEER, work, std::future::ready(())).await.unwrap();
    }

    #[tokio::test]
    async fn a_plan_stands_in_its_place() {
        let plans = tempfile::tempdir().unwrap();
        std::fs::write(plans.path().join("moshez"), "tea\n").unwrap();
        let mut site = Site { plans: Some(plans.path().to_owned()), ..site("moshez: well\nshawn: alive\n") };
        site.policy.detail = vec![crate::policy::Field::Plan, crate::policy::Field::Name];
        assert_eq!(talk(&site, &[b"/W moshez\r\n"], false).await, "Plan:\r\ntea\r\nLogin: moshez\r\n");
        assert_eq!(talk(&site, &[b"/W shawn\r\n"], false).await, "No Plan.\r\nLogin: shawn\r\n");
    }

    /// What is done within the accepting task for a client that has sent `query`, and what is left to do.
    async fn check_at_once(query: &[u8], said: &str, left: Option<&str>) {
        let endpoint: opsctl_http::Endpoint = "127.0.0.1:0".parse().unwrap();
        let socket = endpoint.bind(&opsctl_http::Activated::default()).unwrap();
        let listener = socket.listener().unwrap();
        let mut client = std::net::TcpStream::connect(socket.local().socket_addr().unwrap()).unwrap();
        std::io::Write::write_all(&mut client, query).unwrap();
        let mut accepted = listener.accept_ready().await.unwrap();
        let work = at_once(&site("moshez: happy and well\n"), &mut accepted);
        drop(accepted);
        let seen = work.map(|work| match work {
            Work::Query(received) => received.bytes[..received.len].escape_ascii().to_string(),
            Work::Send(rest) => format!("{} bytes to send", rest.len()),
        });
        assert_eq!(seen.as_deref(), left);
        if left.is_none() {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut client, &mut text).unwrap();
            assert_eq!(text, said);
        }
    }

    #[tokio::test]
    async fn what_is_there_is_answered_at_once() {
        check_at_once(b"moshez\r\n", "happy and well\r\n", None).await;
        check_at_once(b"\r\n", "moshez\r\n", None).await;
        check_at_once(b"a\0\n", "malformed query: control character in the query\r\n", None).await;
    }

    #[tokio::test]
    async fn the_rest_is_left_to_a_task() {
        check_at_once(b"", "", Some("")).await;
        check_at_once(b"mos", "", Some("mos")).await;
        check_at_once(b"/W moshez\r\n", "", Some("/W moshez\\r\\n")).await;
        check_at_once(b"a@b\n", "", Some("a@b\\n")).await;
        check_at_once(&[b'x'; 2000], "", Some(&"x".repeat(LINE_MAX + 2))).await;
    }
}
