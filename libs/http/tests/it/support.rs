//! What the tests have in common.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opsctl_http::{Activated, BoxFuture, Endpoint, Error, Limits, Site, Socket, Spawner, serve};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Generous: it costs nothing when things go well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

pub(crate) fn bind(text: &str) -> Socket {
    try_bind(text).unwrap()
}

pub(crate) fn try_bind(text: &str) -> Result<Socket, Error> {
    endpoint(text).bind(&Activated::none())
}

/// Where a TCP socket can be connected to.
pub(crate) fn address(socket: &Socket) -> SocketAddr {
    let mut address = socket.local().socket_addr().unwrap();
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    address
}

pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> JoinHandle<F::Output> {
    Handle::current().spawn(future)
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it took too long")
}

/// Waits until `check` gives something.
pub(crate) async fn eventually<T>(mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "it took too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything up to the end.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    in_time(stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads until `end` has come.
pub(crate) async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = in_time(stream.read_u8()).await.unwrap_or_else(|error| panic!("{error} after {text:?}"));
        text.push(char::from(byte));
    }
    text
}

/// A running server.
pub(crate) struct Server {
    pub(crate) socket: Socket,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) fn start(endpoint: &str, site: impl Into<Site>, limits: Limits) -> Self {
        Self::on(bind(endpoint), site, limits)
    }

    pub(crate) fn on(socket: Socket, site: impl Into<Site>, limits: Limits) -> Self {
        let listener = socket.listener().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let running = spawn(serve(listener, site.into(), limits, spawner(), stopped));
        Self { socket, stop: Some(stop), running }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        address(&self.socket)
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the end of it.
    pub(crate) async fn done(mut self) {
        self.stop();
        in_time(self.running).await.unwrap().unwrap();
    }
}

pub(crate) fn spawner() -> Spawner {
    Arc::new(|task: BoxFuture<'static, ()>| drop(spawn(task)))
}

/// A self-signed certificate for `localhost` and its key, in files.
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    /// Writes a new pair, replacing the former one.
    pub(crate) fn write(folder: &Path) -> (Self, CertifiedKey<KeyPair>) {
        let files = Self { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        replace(&files.cert, &pair.cert.pem());
        replace(&files.key, &pair.signing_key.serialize_pem());
        (files, pair)
    }

    pub(crate) fn endpoint(&self, address: &str) -> String {
        format!("tls:{address}?cert={}&key={}", self.cert.display(), self.key.display())
    }
}

/// Written beside and renamed, as whoever renews certificates does it.
pub(crate) fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}
