//! Uploads that are refused, before or while they are sent.

use std::process::{Command, Output};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, put};
use http::HeaderMap;
use opsctl_http::{Form, FormLimits, HttpError, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, in_time, rest, until};

const REFUSED: &str = "first say who you are";

fn router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/refused", put(async || HttpError::unauthorized("uploads", REFUSED)))
        .route(
            "/form",
            put(async |headers: HeaderMap, body: Body| {
                let mut form = Form::new(&headers, body, FormLimits::total(1000))?;
                while form.next_part().await?.is_some() {}
                Ok::<_, HttpError>("read")
            }),
        )
        .route("/taken", put(async |body: Bytes| body.len().to_string()))
}

/// Uploads a file of `size` bytes with curl.
async fn curl(server: &Server, path: &str, size: u64, options: &[&str]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(size).unwrap();
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--upload-file"]).arg(file.path()).args(options);
    command.args(["--write-out", "\n%{http_code} %{size_upload}\n", &format!("http://{}{path}", server.address())]);
    let run = move || command.output().expect("curl is needed, of the package `curl`");
    let Output { status, stdout, stderr } = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{status}: {text} {}", String::from_utf8_lossy(&stderr));
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_before_the_answer() {
    let server = Server::start("127.0.0.1:0", router(), Limits::default());
    let size = 100 << 20;
    let text =
        curl(&server, "/refused", size, &["--header", "Expect: 100-continue", "--expect100-timeout", "30"]).await;
    assert!(text.contains(REFUSED) && text.ends_with("\n401 0\n"), "{text}");
    let options = ["--header", "Expect: 100-continue", "--header", "Content-Type: multipart/form-data; boundary=x"];
    let text = curl(&server, "/form", size, &options).await;
    assert!(text.contains("larger than 1000 bytes") && text.ends_with("\n413 0\n"), "{text}");
    let text = curl(&server, "/taken", 100_000, &["--header", "Expect: 100-continue"]).await;
    assert_eq!(text, "100000\n200 100000\n");
    server.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_read_although_more_is_sent() {
    let server = Server::start("127.0.0.1:0", router(), Limits::default());
    // curl stops by itself
    let text = curl(&server, "/refused", 100 << 20, &["--header", "Expect:"]).await;
    assert!(text.contains(REFUSED) && text.contains("\n401 "), "{text}");
    // others read nothing before they have sent all
    for chunked in [false, true] {
        let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
        let (head, size) = match chunked {
            false => ("content-length: 50000000\r\n\r\n", 50_000_000),
            true => ("transfer-encoding: chunked\r\n\r\n2FAF080\r\n", 50_000_000),
        };
        stream.write_all(format!("PUT /refused HTTP/1.1\r\nhost: x\r\n{head}").as_bytes()).await.unwrap();
        let piece = vec![b'x'; 100_000];
        for _ in 0..size / piece.len() {
            in_time(stream.write_all(&piece)).await.unwrap();
        }
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 401 {REFUSED}\r\n")), "{answer}");
    }
    server.done().await;
}

#[tokio::test]
async fn who_never_ends_is_cut_off() {
    let short = Duration::from_millis(50);
    let limits = Limits { linger_timeout: short, max_connections: 1, ..Limits::default() };
    let server = Server::start("127.0.0.1:0", router(), limits);
    let mut silent = in_time(TcpStream::connect(server.address())).await.unwrap();
    silent.write_all(b"PUT /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123").await.unwrap();
    assert!(rest(&mut silent).await.starts_with("HTTP/1.1 401 "));
    let mut endless = in_time(TcpStream::connect(server.address())).await.unwrap();
    endless.write_all(b"PUT /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n123").await.unwrap();
    let piece = vec![b'x'; 100_000];
    while in_time(endless.write_all(&piece)).await.is_ok() {}
    // there is room again
    let mut next = in_time(TcpStream::connect(server.address())).await.unwrap();
    next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut next, "hello").await;
    drop(next);
    server.done().await;
}

#[tokio::test]
async fn what_is_read_to_its_end_keeps_the_connection() {
    let server = Server::start("127.0.0.1:0", router(), Limits::default());
    let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
    for (path, body, end) in
        [("/taken", "12345", "\r\n\r\n5"), ("/refused", "12345", "}"), ("/taken", "1", "\r\n\r\n1")]
    {
        let request = format!("PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        until(&mut stream, end).await;
    }
    stream.shutdown().await.unwrap();
    assert_eq!(in_time(stream.read(&mut [0; 1])).await.unwrap(), 0);
    server.done().await;
}
