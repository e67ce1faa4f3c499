//! One request: given a number, handed to the router, and whatever comes of it turned into an answer.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::hash::BuildHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use opsctl_logging::chain;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};
use tower_service::Service;
use tracing::{error, warn};

use super::Server;
use super::kernel::Pieces;
use crate::access_log::{Line, Received};
use crate::file::Section;
use crate::{BoxFuture, Client, HttpError, Peer, Problem, RemoteUser};

/// The number of a request: 16 hexadecimal digits, not to be guessed, different for each request of a process. Among
/// the extensions of every request; shown to the client when the answer is 500 or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static SEED: LazyLock<std::hash::RandomState> = LazyLock::new(Default::default);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What goes on in a connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    begun: AtomicU64,
    running: AtomicUsize,
    writes: AtomicU64,
    /// A request was answered although it was not read to its end.
    unread: AtomicBool,
    first: Notify,
}

impl Activity {
    /// Requests so far.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Writes so far.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Is a handler at work, or its answer's body not yet at its end?
    pub(super) fn is_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// Waits for the first request, unless there was one.
    pub(super) async fn first_request(&self) {
        if self.begun() == 0 {
            self.first.notified().await;
        }
    }

    pub(super) fn write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Was the last request answered although it was not read to its end? The client may still be sending it then.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    fn begin(self: &Arc<Self>) -> Running {
        self.unread.store(false, Ordering::Relaxed);
        if self.begun.fetch_add(1, Ordering::Relaxed) == 0 {
            // kept for a waiter that comes later
            self.first.notify_one();
        }
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }
}

/// A request at work, until dropped.
struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers the requests of one connection.
#[derive(Clone)]
pub(super) struct Answerer {
    server: Arc<Server>,
    peer: Peer,
    is_tls: bool,
    activity: Arc<Activity>,
    /// Where to put files that the kernel is to send.
    pieces: Option<Pieces>,
}

impl Answerer {
    pub(super) fn new(
        server: Arc<Server>,
        peer: Peer,
        is_tls: bool,
        activity: Arc<Activity>,
        pieces: Option<Pieces>,
    ) -> Self {
        Self { server, peer, is_tls, activity, pieces }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<http::Response<Answer>, Infallible> {
        let running = self.activity.begin();
        let id = RequestId::next();
        let timeout = self.server.limits.body_timeout;
        let is_http1 = request.version() <= Version::HTTP_11;
        // an HTTP/2 client is told to stop sending
        let activity = is_http1.then(|| Arc::clone(&self.activity));
        let mut request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(Timed { body, timeout, waiting: None, ended: false, activity }),
        });
        let client = Client::of(self.peer, self.is_tls, request.headers(), &self.server.site.proxies);
        let received = self
            .server
            .site
            .access_log
            .is_some()
            .then(|| Received::new(client, request.method(), request.uri(), request.version(), request.headers()));
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(id);
        // what an error needs to know of the request, which the router consumes
        let asked = Asked { id, method: request.method().clone(), uri: request.uri().clone() };
        let headers = AcceptOnly::of(request.headers());
        let mut router = self.server.site.router.clone();
        let response = match catch(|| router.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => HttpError::internal(panic).into_response(),
        };
        let mut response = self.finish(&asked, &headers, response);
        // HTTP/2 has a frame for it
        if is_http1 && self.server.stop.is_cancelled() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let user = response.extensions_mut().remove::<RemoteUser>();
        let line = self.server.site.access_log.clone().zip(received);
        let line = line.map(|(log, received)| Line::new(log, received, user, response.status()));
        let file = response.extensions_mut().remove::<Section>();
        let file = file.filter(|file| file.is_all_of(&response)).zip(self.pieces);
        Ok(response.map(|body| Answer { body, file, line, _running: running }))
    }

    /// Gives an error its body and a line in the log.
    fn finish(&self, asked: &Asked, AcceptOnly(headers): &AcceptOnly, mut response: Response) -> Response {
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            // the router counts the empty body when the method is HEAD; the length would be that of the client's copy
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        if !status.is_client_error() && !status.is_server_error() {
            return response;
        }
        let error = response.extensions_mut().remove::<Arc<HttpError>>();
        if let Some(reason) = error.as_ref().and_then(|error| error.reason()) {
            response.extensions_mut().insert(reason);
        }
        let message = match &error {
            Some(error) => error.to_string(),
            None if is_bare(&response) => unsaid(status).to_owned(),
            // the handler has said it all by itself
            None => return response,
        };
        let id = status.is_server_error().then(|| asked.id.to_string());
        if id.is_some() {
            asked.log(status, error.as_deref());
        }
        let problem = Problem { status, message: &message, request_id: id.as_deref() };
        let code = error.as_ref().and_then(|error| error.own_code());
        problem.render(headers, code, self.server.site.error_page.as_ref(), response)
    }
}

impl hyper::service::Service<Request<Incoming>> for Answerer {
    type Response = http::Response<Answer>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// The Accept lines of a request.
struct AcceptOnly(HeaderMap);

impl AcceptOnly {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get_all(http::header::ACCEPT).into_iter();
        Self(accept.map(|value| (http::header::ACCEPT, value.clone())).collect())
    }
}

/// What the log says about a request.
struct Asked {
    id: RequestId,
    method: Method,
    uri: Uri,
}

impl Asked {
    fn log(&self, status: StatusCode, error: Option<&HttpError>) {
        let Self { id, method, uri } = self;
        let (status, path) = (status.as_u16(), uri.path());
        let cause = error.map(|error| chain(error).to_string()).unwrap_or_default();
        // the others say that something else is at fault, or that a later try will do
        if status == 500 {
            error!(request_id = %id, %method, path, status, error = cause, "failed to answer a request");
        } else {
            warn!(request_id = %id, %method, path, status, error = cause, "failed to answer a request");
        }
    }
}

/// An error that only has a status, as the router makes them for unknown paths and methods.
fn is_bare(response: &Response) -> bool {
    response.body().size_hint().exact() == Some(0) && !response.headers().contains_key(CONTENT_TYPE)
}

fn unsaid(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "there is nothing at this address",
        StatusCode::METHOD_NOT_ALLOWED => "this address does not take that method",
        _ => "",
    }
}

/// Runs what `start` gives; a panic comes out as its message.
async fn catch<F: Future>(start: impl FnOnce() -> F) -> Result<F::Output, String> {
    // state that a panic leaves half changed is the router's own, as with any server that survives panics
    let mut future = pin!(catch_unwind(AssertUnwindSafe(start)).map_err(message)?);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(message(panic))),
    })
    .await
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("for an unknown reason"))
}

/// An answer's body; the request is at work until it is through.
pub(super) struct Answer {
    body: Body,
    /// What the kernel sends in place of the body.
    file: Option<(Section, Pieces)>,
    line: Option<Line>,
    _running: Running,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = match &mut self.file {
            Some((section, pieces)) => pieces.mark(section).map(|mark| Ok(Frame::data(mark))),
            None => ready!(Pin::new(&mut self.body).poll_frame(cx)),
        };
        if let (Some(line), Some(Ok(frame))) = (&mut self.line, &frame) {
            line.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.file.as_ref().map_or_else(|| self.body.is_end_stream(), |(section, _)| section.length() == 0)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.file {
            Some((section, _)) => SizeHint::with_exact(section.length()),
            None => self.body.size_hint(),
        }
    }
}

/// A request's body whose sender may not pause for too long.
struct Timed {
    body: Incoming,
    timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// To be told if it is not read to its end.
    activity: Option<Arc<Activity>>,
}

impl Drop for Timed {
    fn drop(&mut self) {
        if let Some(activity) = self.activity.as_ref().filter(|_| !self.ended && !self.body.is_end_stream()) {
            activity.unread.store(true, Ordering::Relaxed);
        }
    }
}

impl hyper::body::Body for Timed {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.waiting = None;
            self.ended = frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = self.timeout;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Some(Err("the client paused for too long within its request".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
