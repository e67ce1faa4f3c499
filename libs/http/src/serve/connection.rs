//! One connection from its first byte to its last.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use opsctl_logging::chain;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::Server;
use super::answer::{Activity, Answerer};
use super::io::Guarded;
use crate::{BoxFuture, Peer, Stream};

/// What an HTTP/2 client says first (RFC 9113, section 3.4). No HTTP/1 request begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How much is read to find out the protocol: a usual request whole, so that it costs no second call.
const FIRST_READ: usize = 4096;
/// For how long a connection that has not sent anything yet may still do so after `stop`. It was accepted, so nobody
/// else can answer it; but one that a browser keeps in store never speaks.
const STILL_FRESH: Duration = Duration::from_secs(1);
/// After a quiet time of this length an HTTP/2 client is asked whether it is still there, and given as long to answer.
const PING: Duration = Duration::from_secs(20);

/// A connection before it is read.
pub(super) struct Connection {
    server: Arc<Server>,
    peer: Peer,
}

enum Protocol {
    Http1,
    Http2,
}

impl Connection {
    pub(super) fn new(server: Arc<Server>, peer: Peer) -> Self {
        Self { server, peer }
    }

    /// Serves it. Errors are the client's, and of interest only to somebody who looks for them.
    pub(super) async fn run(self, mut stream: Stream) {
        let peer = self.peer;
        let opened = tokio::select! {
            opened = timeout(self.server.limits.header_timeout, open(&mut stream)) => opened,
            () = self.gone_stale() => return,
        };
        let (protocol, before) = match opened {
            Ok(Ok(Some(opened))) => opened,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return debug!(%peer, %error, "connection failed"),
            Err(_) => return debug!(%peer, "no request came in time"),
        };
        let activity = Arc::new(Activity::default());
        let is_tls = stream.is_tls();
        let mut io = Guarded::new(stream, before, Arc::clone(&activity), &self.server.limits);
        let pieces = match protocol {
            Protocol::Http1 => io.sends_files(),
            Protocol::Http2 => None,
        };
        let io = TokioIo::new(io);
        let service = Answerer::new(Arc::clone(&self.server), peer, is_tls, Arc::clone(&activity), pieces);
        match protocol {
            // hyper itself ends an HTTP/1 connection that rests for too long
            Protocol::Http1 => {
                let connection = self.http1().serve_connection(io, service);
                self.drive(connection, &activity, std::future::pending()).await;
            }
            Protocol::Http2 => {
                let rested = quiet(&activity, self.server.limits.idle_timeout, Activity::begun);
                let connection = self.http2().serve_connection(io, service);
                self.drive(connection, &activity, rested).await;
            }
        }
    }

    /// Waits for the end of the time that a silent connection has after `stop`.
    async fn gone_stale(&self) {
        self.server.stop.cancelled().await;
        sleep(STILL_FRESH).await;
    }

    /// Serves requests until either side has enough. From `stop` or `rested` on no further ones are taken.
    async fn drive<C>(&self, connection: C, activity: &Activity, rested: impl Future<Output = ()>)
    where
        C: GracefulConnection<Error = hyper::Error>,
    {
        let mut connection = pin!(connection);
        let end = async {
            tokio::select! {
                () = rested => {}
                () = self.server.stop.cancelled() => {
                    // its first request is on the way: the answer will say that it is the last
                    let _ = timeout(STILL_FRESH, activity.first_request()).await;
                }
            }
        };
        let result = tokio::select! {
            // first, so that a request that has arrived is seen before the connection counts as idle
            biased;
            result = connection.as_mut() => result,
            () = end => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    result = connection => result,
                    // an HTTP/2 client that does not answer to the farewell
                    () = quiet(activity, self.server.limits.header_timeout, Activity::writes) => return,
                }
            }
        };
        if let Err(error) = result {
            debug!(peer = %self.peer, error = %chain(&error), "connection failed");
        }
    }

    fn http1(&self) -> http1::Builder {
        let limits = &self.server.limits;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
        // hyper takes no less than 8 KiB
        builder.max_buf_size(limits.max_head.max(8192)).half_close(true);
        // pieces of files are recognised by where they are: nothing may be copied together
        builder.writev(true);
        builder
    }

    fn http2(&self) -> http2::Builder<Executor> {
        let limits = &self.server.limits;
        let mut builder = http2::Builder::new(Executor(Arc::clone(&self.server)));
        builder.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
        builder.max_concurrent_streams(limits.max_streams);
        builder.max_header_list_size(u32::try_from(limits.max_head).unwrap_or(u32::MAX));
        builder
    }
}

/// Finds out the protocol: from the TLS handshake, else from the first bytes. None if the client left without a word.
async fn open(stream: &mut Stream) -> io::Result<Option<(Protocol, Bytes)>> {
    stream.handshake().await?;
    if stream.alpn() == Some(b"h2") {
        return Ok(Some((Protocol::Http2, Bytes::new())));
    }
    let mut first = BytesMut::with_capacity(FIRST_READ);
    loop {
        if stream.read_buf(&mut first).await? == 0 {
            return Ok(if first.is_empty() { None } else { Some((Protocol::Http1, first.freeze())) });
        }
        if first.starts_with(PREFACE) {
            return Ok(Some((Protocol::Http2, first.freeze())));
        }
        if !PREFACE.starts_with(&first) {
            return Ok(Some((Protocol::Http1, first.freeze())));
        }
    }
}

/// Waits until for a while of `length` no request was at work and `count` stood still.
async fn quiet(activity: &Activity, length: Duration, count: impl Fn(&Activity) -> u64) {
    loop {
        let before = count(activity);
        sleep(length).await;
        if count(activity) == before && !activity.is_busy() {
            return;
        }
    }
}

/// Runs the requests of HTTP/2 connections.
#[derive(Clone)]
pub(super) struct Executor(Arc<Server>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        let future: BoxFuture<'static, ()> = Box::pin(self.0.connections.track_future(future));
        (self.0.spawn)(future);
    }
}
