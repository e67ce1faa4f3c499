//! An S3-compatible store in this process, with its buckets in a temporary folder.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use http::Request;
use http::header::IF_NONE_MATCH;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};

const ACCESS_KEY: &str = "AKIATEST";
const SECRET_KEY: &str = "the secret of the tests";

/// A store of its own for one test; it ends, and its buckets go, when it is dropped.
#[derive(Debug)]
pub struct S3 {
    root: TempDir,
    address: SocketAddr,
    buckets: AtomicU32,
    stop: Option<oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

impl S3 {
    /// Starts a store without buckets on a free port of the loopback interface.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root.path()).expect("a folder for buckets"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of the loopback interface");
        let address = socket.local_addr().expect("a bound socket to have an address");
        socket.set_nonblocking(true).expect("a socket that does not block");
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(TcpListener::from_std(socket).expect("a socket for the runtime"), service) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { root, address, buckets: AtomicU32::default(), stop: Some(stop), server: Some(server) }
    }

    /// Makes a bucket and returns its URL, as `[host] store` has it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn bucket(&self) -> String {
        let bucket = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir(self.root.path().join(&bucket)).expect("a folder for a bucket");
        self.url(&bucket)
    }

    /// Where the buckets are, each a folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.root.path()
    }

    /// The URL of a bucket that need not exist.
    #[must_use]
    pub fn url(&self, bucket: &str) -> String {
        format!("s3://{bucket}?endpoint=http://{}", self.address)
    }

    /// Access key and secret key.
    #[must_use]
    pub fn keys(&self) -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// Serves until it is dropped, and with it every connection.
async fn serve(listener: TcpListener, service: S3Service) {
    // `If-None-Match` is decided by one at a time, as S3 does; the implementation here looks first and writes then
    let one_at_a_time = Arc::new(Mutex::new(()));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (service, one_at_a_time) = (service.clone(), Arc::clone(&one_at_a_time));
        let answer = service_fn(move |request: Request<Incoming>| {
            let (service, one_at_a_time) = (service.clone(), Arc::clone(&one_at_a_time));
            async move {
                let conditional = request.headers().contains_key(IF_NONE_MATCH) && request.method() != "GET";
                let _turn = if conditional { Some(one_at_a_time.lock().await) } else { None };
                hyper::service::Service::call(&service, request).await
            }
        });
        connections.spawn(async move {
            // a client that goes away is its own affair
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
