//! HTTP: both versions, limits, and how it ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opsctl_http::{Limits, Peer, RequestId, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

use crate::support::{Files, Server, bind, eventually, in_time, rest, spawn, spawner, until};
use crate::tls;

const HELLO: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// Short times, for tests of what happens after them.
fn impatient() -> Limits {
    let short = Duration::from_millis(50);
    Limits {
        header_timeout: short,
        body_timeout: short,
        write_timeout: short,
        idle_timeout: short,
        ..Limits::default()
    }
}

/// A handler at `/` that says when it is asked, and answers when it is told to.
fn slow() -> (Router, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, is_asked) = mpsc::channel(1);
    let (answer, may_answer) = mpsc::channel::<()>(1);
    let may_answer = std::sync::Arc::new(tokio::sync::Mutex::new(may_answer));
    let handler = async move || {
        asked.send(()).await.unwrap();
        may_answer.lock().await.recv().await;
        "at last"
    };
    (Router::new().route("/", get(handler)), is_asked, answer)
}

async fn client(server: &Server) -> TcpStream {
    in_time(TcpStream::connect(server.address())).await.unwrap()
}

/// One HTTP/1 request on a connection that stays open.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str, end: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    until(stream, end).await
}

/// One HTTP/2 request on a connection of its own.
async fn ask_http2(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, path: &str) -> (StatusCode, Bytes) {
    let io = TokioIo::new(stream);
    let (mut sender, connection) = in_time(http2::handshake(TokioExecutor::new(), io)).await.unwrap();
    spawn(connection);
    let request = Request::get(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
    let response = in_time(sender.send_request(request)).await.unwrap();
    let status = response.status();
    (status, in_time(response.collect()).await.unwrap().to_bytes())
}

#[tokio::test]
async fn http1_keeps_connections_open() {
    let server = Server::start("127.0.0.1:0", hello(), Limits::default());
    let mut stream = client(&server).await;
    for _ in 0..3 {
        let answer = ask(&mut stream, HELLO, "hello").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.ends_with("hello"));
    server.done().await;
}

#[tokio::test]
async fn a_request_in_pieces() {
    let server = Server::start("127.0.0.1:0", hello(), Limits::default());
    // the first bytes are also those of HTTP/2's preface
    for request in [HELLO, "PROPFIND / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"] {
        let mut stream = client(&server).await;
        for byte in request.bytes() {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(until(&mut stream, "\r\n").await.starts_with("HTTP/1.1 "));
    }
    server.done().await;
}

#[tokio::test]
async fn http2_in_the_clear() {
    let server = Server::start("0", hello(), Limits::default());
    assert_eq!(ask_http2(client(&server).await, "/").await, (StatusCode::OK, "hello".into()));
    server.done().await;
}

#[tokio::test]
async fn both_over_tls_and_unix() {
    let folder = tempfile::tempdir().unwrap();
    let (files, pair) = Files::write(folder.path());
    let server = Server::start(&files.endpoint("127.0.0.1:0"), hello(), Limits::default());
    let mut stream = tls::connect(&server.socket, &pair, &[]).await.unwrap();
    ask(&mut stream, HELLO, "hello").await;
    let mut stream = tls::connect(&server.socket, &pair, &[b"http/1.1"]).await.unwrap();
    ask(&mut stream, HELLO, "hello").await;
    let stream = tls::connect(&server.socket, &pair, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(ask_http2(stream, "/").await.1, "hello");
    server.done().await;

    let path = folder.path().join("socket");
    let server = Server::start(&format!("unix:{}", path.display()), hello(), Limits::default());
    let mut stream = UnixStream::connect(&path).await.unwrap();
    ask(&mut stream, HELLO, "hello").await;
    assert_eq!(ask_http2(UnixStream::connect(&path).await.unwrap(), "/").await.1, "hello");
    server.done().await;
}

#[tokio::test]
async fn several_listeners() {
    let sockets = [bind("127.0.0.1:0"), bind("[::1]:0")];
    let listeners: Vec<_> = sockets.iter().map(|socket| socket.listener().unwrap()).collect();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let serving = spawn(serve(listeners, hello(), Limits::default(), spawner(), stopped));
    for socket in &sockets {
        let mut stream = TcpStream::connect(socket.local().socket_addr().unwrap()).await.unwrap();
        ask(&mut stream, HELLO, "hello").await;
    }
    drop(stop);
    in_time(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn handlers_know_who_asks() {
    let router = Router::new().route(
        "/",
        get(async |Extension(peer): Extension<Peer>, Extension(id): Extension<RequestId>| format!("{peer} {id}")),
    );
    let server = Server::start("127.0.0.1:0", router, Limits::default());
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut stream = client(&server).await;
        let own = stream.local_addr().unwrap().to_string();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let answer = rest(&mut stream).await;
        let (peer, id) = answer.rsplit("\r\n").next().unwrap().split_once(' ').unwrap();
        assert_eq!(peer, own);
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        seen.push(id.to_owned());
    }
    assert_ne!(seen[0], seen[1]);
    server.done().await;
}

#[tokio::test]
async fn what_is_being_answered_is_answered() {
    let (router, mut asked, answer) = slow();
    let mut server = Server::start("127.0.0.1:0", router, Limits::default());
    let mut idle = client(&server).await;
    let mut busy = client(&server).await;
    let http2 = client(&server).await;
    // the idle one had a request
    idle.write_all(HELLO.as_bytes()).await.unwrap();
    in_time(asked.recv()).await.unwrap();
    answer.send(()).await.unwrap();
    until(&mut idle, "at last").await;
    busy.write_all(HELLO.as_bytes()).await.unwrap();
    in_time(asked.recv()).await.unwrap();
    let http2 = spawn(ask_http2(http2, "/"));
    in_time(asked.recv()).await.unwrap();

    server.stop();
    assert_eq!(rest(&mut idle).await, "", "closed at once");
    answer.send(()).await.unwrap();
    answer.send(()).await.unwrap();
    let last = rest(&mut busy).await;
    assert!(last.contains("connection: close") && last.ends_with("at last"), "{last}");
    assert_eq!(in_time(http2).await.unwrap().1, "at last");
    server.done().await;
}

#[tokio::test]
async fn what_was_accepted_is_answered_once() {
    let mut server = Server::start("127.0.0.1:0", hello(), Limits::default());
    let mut silent = client(&server).await;
    let mut late = client(&server).await;
    let late_http2 = client(&server).await;
    // all were accepted when a later one is answered
    ask(&mut client(&server).await, HELLO, "hello").await;
    server.stop();
    let mut refused = TcpStream::connect(server.address()).await.unwrap();
    late.write_all(HELLO.as_bytes()).await.unwrap();
    let last = rest(&mut late).await;
    assert!(last.ends_with("hello"), "{last}");
    assert_eq!(ask_http2(late_http2, "/").await.1, "hello");
    assert_eq!(rest(&mut silent).await, "", "closed in the end");

    // not accepted: for the next one on the socket
    let socket = server.socket.clone();
    server.done().await;
    let next = Server::on(socket, hello(), Limits::default());
    ask(&mut refused, HELLO, "hello").await;
    next.done().await;
}

#[tokio::test]
async fn dropped_it_stops_as_well() {
    let socket = bind("127.0.0.1:0");
    let listener = socket.listener().unwrap();
    let serving = spawn(serve(listener, hello(), Limits::default(), spawner(), std::future::pending()));
    let mut stream = TcpStream::connect(socket.local().socket_addr().unwrap()).await.unwrap();
    ask(&mut stream, HELLO, "hello").await;
    serving.abort();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn slow_heads() {
    let server = Server::start("127.0.0.1:0", hello(), impatient());
    for start in ["", "G", "GET / HTTP/1.1\r\nhost:", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = client(&server).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // an HTTP/2 client is told why
        let _ = in_time(stream.read_to_end(&mut bytes)).await;
        assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{start}");
    }
    let mut stream = client(&server).await;
    ask(&mut stream, HELLO, "hello").await;
    assert_eq!(rest(&mut stream).await, "", "kept alive for that long only");
    server.done().await;
}

#[tokio::test]
async fn slow_bodies() {
    let router = Router::new().route("/", post(async |body: Bytes| format!("{} bytes", body.len())));
    let server = Server::start("127.0.0.1:0", router, impatient());
    let mut stream = client(&server).await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nab").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    server.done().await;
}

#[tokio::test]
async fn clients_that_take_nothing() {
    let endless = Router::new().route("/", get(async || Body::new(Endless)));
    let limits = Limits { max_connections: 1, ..impatient() };
    let server = Server::start("127.0.0.1:0", endless, limits);
    let mut greedy = client(&server).await;
    greedy.write_all(HELLO.as_bytes()).await.unwrap();
    let mut second = client(&server).await;
    second.write_all(HELLO.as_bytes()).await.unwrap();
    // it is served only when the first one was given up
    until(&mut second, "200 OK").await;
    drop((greedy, second));
    server.done().await;
}

/// A body without an end.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 65536])))))
    }
}

#[tokio::test]
async fn only_so_many_connections() {
    let limits = Limits { max_connections: 2, ..Limits::default() };
    let server = Server::start("127.0.0.1:0", hello(), limits);
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = client(&server).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let [first, second, third, fourth] = &mut streams[..] else { unreachable!() };
    until(first, "hello").await;
    until(second, "hello").await;
    assert!(third.try_read(&mut [0; 1]).is_err(), "waits");
    first.shutdown().await.unwrap();
    until(third, "hello").await;
    assert!(fourth.try_read(&mut [0; 1]).is_err(), "waits");
    second.shutdown().await.unwrap();
    until(fourth, "hello").await;
    drop(streams);
    server.done().await;
}

#[tokio::test]
async fn heads_that_are_too_long() {
    let server = Server::start("127.0.0.1:0", hello(), Limits { max_head: 8192, ..Limits::default() });
    let mut stream = client(&server).await;
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(until(&mut stream, "\r\n").await.starts_with("HTTP/1.1 431"));
    server.done().await;
}

#[tokio::test]
async fn nonsense_harms_nobody() {
    let server = Server::start("127.0.0.1:0", hello(), Limits::default());
    for nonsense in [&b"\0\0\0\0"[..], b"PRI * HTTP/3.0\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\r\n\r\n\r\n", b"GET"] {
        let mut stream = client(&server).await;
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = in_time(stream.read_to_end(&mut Vec::new())).await;
    }
    let mut garbled = client(&server).await;
    garbled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").await.unwrap();
    let _ = in_time(garbled.read_to_end(&mut Vec::new())).await;
    ask(&mut client(&server).await, HELLO, "hello").await;
    server.done().await;
}

/// A new instance beside the old one for each reload, on the same socket, while clients ask over new connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_under_load() {
    let mut server = Server::start("127.0.0.1:0", hello(), Limits::default());
    let address = server.address();
    let (done, is_done) = tokio::sync::watch::channel(false);
    let clients = [(); 4].map(|()| {
        let is_done = is_done.clone();
        spawn(async move {
            let mut answers = 0;
            while !*is_done.borrow() {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
                assert!(rest(&mut stream).await.ends_with("hello"));
                answers += 1;
            }
            answers
        })
    });
    for _ in 0..200 {
        let next = Server::on(server.socket.clone(), hello(), Limits::default());
        std::mem::replace(&mut server, next).done().await;
    }
    eventually(async || Some(done.send(true))).await.unwrap();
    for client in clients {
        assert!(in_time(client).await.unwrap() > 0);
    }
    server.done().await;
}
