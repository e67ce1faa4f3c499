//! HTTP/1 and HTTP/2 on any listener: what every service needs around its router.
//!
//! Stopping loses nothing: no new connections are taken (they wait for the next instance, or go to another one), what
//! is being answered is answered to its end, idle connections close at once, and one that was accepted just before still
//! gets its first request answered.

mod answer;
mod connection;
mod io;
mod kernel;

use std::io::Result;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use self::connection::Connection;
use crate::{AccessLog, BoxFuture, ErrorPage, Listener, Proxy};

/// The protocols offered in a TLS handshake.
const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Runs a future as a task of its own. A service hands in its context's way to do so.
pub type Spawner = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// What clients may take of a server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time, over all listeners of one call; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// From accepting to the first byte of a request, TLS handshake included; then for the head of each request. An
    /// HTTP/1 connection that is kept alive also rests this long at most.
    pub header_timeout: Duration,
    /// Between two pieces of a request's body.
    pub body_timeout: Duration,
    /// For which a client may take nothing of an answer.
    pub write_timeout: Duration,
    /// For which a client may go on with a request that is answered already, so that it gets to read the answer; five
    /// seconds of silence end it earlier.
    pub linger_timeout: Duration,
    /// For which an HTTP/2 connection may carry no request; it is between this and twice as long.
    pub idle_timeout: Duration,
    /// Bytes of a request's head.
    pub max_head: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub max_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            linger_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            max_head: 64 * 1024,
            max_streams: 128,
        }
    }
}

/// What is served: a router, and the page for errors.
#[derive(Clone)]
pub struct Site {
    router: Router,
    error_page: Option<ErrorPage>,
    access_log: Option<AccessLog>,
    proxies: Arc<[Proxy]>,
}

impl Site {
    /// The router alone; errors get a plain page.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, error_page: None, access_log: None, proxies: Arc::default() }
    }

    /// Errors look like this to browsers.
    #[must_use]
    pub fn error_page(self, page: ErrorPage) -> Self {
        Self { error_page: Some(page), ..self }
    }

    /// Each answer is written down.
    #[must_use]
    pub fn access_log(self, log: AccessLog) -> Self {
        Self { access_log: Some(log), ..self }
    }

    /// What these proxies say about their clients is believed ([`Client`](crate::Client)). Without, nobody is.
    #[must_use]
    pub fn proxies(self, proxies: impl Into<Arc<[Proxy]>>) -> Self {
        Self { proxies: proxies.into(), ..self }
    }
}

impl From<Router> for Site {
    fn from(router: Router) -> Self {
        Self::new(router)
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

/// One listener or several.
#[derive(Debug)]
pub struct Listeners(Vec<Listener>);

impl From<Listener> for Listeners {
    fn from(listener: Listener) -> Self {
        Self(vec![listener])
    }
}

impl From<Vec<Listener>> for Listeners {
    fn from(listeners: Vec<Listener>) -> Self {
        Self(listeners)
    }
}

/// Serves `site` on `listeners` until `stop`, then finishes what was begun. Connections, and the requests of HTTP/2
/// ones, are tasks given to `spawn`; all are done when this returns. Handlers find the [`Peer`](crate::Peer), the
/// [`Client`](crate::Client) and the [`RequestId`] among the request's extensions; one that panics answers 500.
///
/// Dropping the future stops as well, but does not wait.
///
/// # Errors
/// A listener that broke; the others were stopped then.
pub async fn serve(
    listeners: impl Into<Listeners>,
    site: impl Into<Site>,
    limits: Limits,
    spawn: Spawner,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let Listeners(listeners) = listeners.into();
    let server = Arc::new(Server::new(site.into(), limits, spawn));
    let _stop_when_dropped = server.stop.clone().drop_guard();
    let accepting = listeners.into_iter().map(|listener| Arc::clone(&server).accept(listener.with_alpn(ALPN)));
    let mut accepting: Vec<_> = accepting.map(Box::pin).collect();
    let mut stop = pin!(stop);
    let mut result = Ok(());
    std::future::poll_fn(|cx| {
        if !server.stop.is_cancelled() && stop.as_mut().poll(cx).is_ready() {
            server.stop.cancel();
        }
        // a listener is dropped as soon as it is done: its connections are the others' then
        accepting.retain_mut(|accept| match accept.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(error)) => {
                server.stop.cancel();
                result = Err(error);
                false
            }
        });
        if accepting.is_empty() && server.stop.is_cancelled() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    server.connections.close();
    server.connections.wait().await;
    result
}

pub use answer::RequestId;

/// What the connections of one call share.
struct Server {
    site: Site,
    limits: Limits,
    spawn: Spawner,
    /// Room for more connections.
    room: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    fn new(site: Site, limits: Limits, spawn: Spawner) -> Self {
        let room = Arc::new(Semaphore::new(limits.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { site, limits, spawn, room, connections: TaskTracker::new(), stop: CancellationToken::new() }
    }

    async fn accept(self: Arc<Self>, listener: Listener) -> Result<()> {
        let mut warned = false;
        loop {
            if self.room.available_permits() == 0 && !std::mem::replace(&mut warned, true) {
                warn!(
                    limit = self.limits.max_connections,
                    "no room for more connections, further clients have to wait"
                );
            }
            let next = async {
                let room = Arc::clone(&self.room).acquire_owned().await.ok();
                listener.accept().await.map(|accepted| (room, accepted))
            };
            // nothing is lost: `accept` gives up a connection only by returning it
            let (room, (stream, peer)) = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                next = next => next?,
            };
            let connection = Connection::new(Arc::clone(&self), peer);
            let task = self.connections.track_future(async move {
                connection.run(stream).await;
                drop(room);
            });
            (self.spawn)(Box::pin(task));
        }
    }
}
