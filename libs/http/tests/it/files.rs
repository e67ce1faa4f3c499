//! Files on disk: replaced, cut, revoked; and what the kernel sends by itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;

use axum::Router;
use axum::response::Response;
use axum::routing::any;
use http::{HeaderMap, HeaderValue, Method};
use opsctl_http::{Limits, LocalFile, respond_file};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::ranges::{content, entity, files, heads};
use crate::support::{Files, Server, in_time, until};
use crate::tls;

/// Everything that comes back for these requests.
async fn all(mut stream: impl AsyncRead + AsyncWrite + Unpin, requests: &str) -> Vec<u8> {
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    in_time(stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

/// What the kernel sends comes out as if it had been written, in the order of the requests.
#[tokio::test]
async fn requests_in_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let (large, small) = (content(3 << 20), content(1000));
    fs::write(folder.path().join("large"), &large).unwrap();
    fs::write(folder.path().join("small"), &small).unwrap();
    let path = folder.path().join("socket");
    for endpoint in ["127.0.0.1:0", &format!("unix:{}", path.display())] {
        let server = Server::start(endpoint, files(folder.path()), Limits::default());
        let mut requests = String::new();
        let mut expected = Vec::new();
        for number in 0..10 {
            let (name, bytes) = if number % 3 == 0 { ("small", &small) } else { ("large", &large) };
            let first = number * 7;
            requests += &format!("GET /{name} HTTP/1.1\r\nhost: x\r\nrange: bytes={first}-\r\n\r\n");
            expected.push(&bytes[first..]);
        }
        let bytes = match endpoint.starts_with("unix") {
            true => all(UnixStream::connect(&path).await.unwrap(), &requests).await,
            false => all(TcpStream::connect(server.address()).await.unwrap(), &requests).await,
        };
        let mut rest = &bytes[..];
        for body in expected {
            let end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            assert!(rest.starts_with(b"HTTP/1.1 206 ") && rest[end..].starts_with(body));
            rest = &rest[end + body.len()..];
        }
        assert!(rest.is_empty());
        server.done().await;
    }
}

/// A layer that replaces bodies is not passed by.
#[tokio::test]
async fn what_is_no_longer_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), content(200_000)).unwrap();
    for (body, header) in [("short", None), ("short", Some("gzip")), ("", Some("gzip"))] {
        let layer = axum::middleware::map_response(move |mut response: Response| async move {
            if let Some(coding) = header {
                response.headers_mut().insert("content-encoding", HeaderValue::from_static(coding));
            }
            if !body.is_empty() {
                response.headers_mut().remove("content-length");
                *response.body_mut() = body.into();
            }
            response
        });
        let server = Server::start("127.0.0.1:0", files(folder.path()).layer(layer), Limits::default());
        let answer = Client::connect(server.address()).await.ask("GET", "/file", &[]).await;
        let expected = if body.is_empty() { content(200_000) } else { body.into() };
        assert!(answer.status == 200 && answer.body == expected, "{} bytes", answer.body.len());
        server.done().await;
    }
}

/// Read by the pool then, by the kernel for HTTP/1 and otherwise; small ones as well.
#[tokio::test]
async fn a_file_that_is_not_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, certified) = Files::write(folder.path());
    for (endpoint, size) in [("127.0.0.1:0", 5000), ("127.0.0.1:0", 3 << 20), (&*pair.endpoint("127.0.0.1:0"), 3 << 20)]
    {
        let bytes = content(size);
        let mut file = fs::File::create(folder.path().join("file")).unwrap();
        file.write_all(&bytes).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let server = Server::start(endpoint, files(folder.path()), Limits::default());
        let request = "GET /file HTTP/1.1\r\nhost: x\r\n\r\n";
        let received = match endpoint.starts_with("tls") {
            true => all(tls::connect(&server.socket, &certified, &[]).await.unwrap(), request).await,
            false => all(TcpStream::connect(server.address()).await.unwrap(), request).await,
        };
        assert!(received.starts_with(b"HTTP/1.1 200 ") && received.ends_with(&bytes), "{} bytes", received.len());
        server.done().await;
    }
}

#[tokio::test]
async fn a_file_that_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let size = 64 << 20;
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    let (pair, certified) = Files::write(folder.path());
    for endpoint in ["127.0.0.1:0", &pair.endpoint("127.0.0.1:0")] {
        let token = CancellationToken::new();
        let (path, given) = (path.clone(), token.clone());
        let handler = async move |method: Method, headers: HeaderMap| {
            let file = LocalFile::open(&path).await.unwrap().unwrap().revocable(given);
            respond_file(&method, &headers, entity(), file).await
        };
        let server = Server::start(endpoint, Router::new().fallback(any(handler)), Limits::default());
        let received = match endpoint.starts_with("tls") {
            true => revoke(tls::connect(&server.socket, &certified, &[]).await.unwrap(), token).await,
            false => revoke(TcpStream::connect(server.address()).await.unwrap(), token).await,
        };
        assert!(received < usize::try_from(size).unwrap(), "{received} bytes");
        server.done().await;
    }
}

/// Asks, revokes when the answer begins, and counts what comes all the same.
async fn revoke(mut stream: impl AsyncRead + AsyncWrite + Unpin, token: CancellationToken) -> usize {
    stream.write_all(b"GET /file HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "\r\n\r\n").await;
    token.cancel();
    let mut bytes = Vec::new();
    // under TLS an end without farewell is an error
    let _ = in_time(stream.read_to_end(&mut bytes)).await;
    bytes.len()
}

/// One that gets shorter while it is sent must not look complete.
#[tokio::test]
async fn a_file_that_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut out = fs::File::create(&path).unwrap();
    // more than buffers take
    let size = 64 << 20;
    out.set_len(size).unwrap();
    out.write_all(b"start").unwrap();
    let server = Server::start("127.0.0.1:0", files(folder.path()), Limits::default());
    let mut client = Client::connect(server.address()).await;
    client.send("GET", "/file", &[]).await;
    let head = client.head().await;
    assert_eq!(head.headers["content-length"], size.to_string());
    out.set_len(1 << 20).unwrap();
    assert!(client.rest().await.len() < usize::try_from(size).unwrap());
    server.done().await;
}

#[tokio::test]
async fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("real"), "real").unwrap();
    symlink("real", at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("loop", at("loop")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(fifo.success());
    let long = "x".repeat(300);
    for name in ["folder", "nothing", "dangling", "loop", "socket", "pipe", "real/under", &long] {
        // asked twice: as the kernel does not know it yet, and as it does
        for _ in 0..2 {
            assert!(LocalFile::open(at(name)).await.unwrap().is_none(), "{name}");
        }
    }
    assert_eq!(LocalFile::open(at("link")).await.unwrap().unwrap().size(), 4);
    let nul = LocalFile::open("a\0b").await.unwrap_err();
    assert_eq!(nul.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_file_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let server = Server::start("127.0.0.1:0", files(folder.path()), Limits::default());
    let mut client = Client::connect(server.address()).await;
    let mut tags = Vec::new();
    for text in ["one", "two", "one"] {
        fs::write(folder.path().join("beside"), text).unwrap();
        fs::rename(folder.path().join("beside"), &path).unwrap();
        let answer = client.ask("GET", "/file", &[]).await;
        assert_eq!(answer.body, text.as_bytes());
        let tag = heads(&answer, &["etag"]).remove(0);
        assert_eq!(client.ask("GET", "/file", &[("if-none-match", &tag)]).await.status, 304);
        tags.push(tag);
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2]);
    fs::remove_file(&path).unwrap();
    assert_eq!(client.ask("GET", "/file", &[("if-none-match", &tags[2])]).await.status, 404);
    drop(client);
    server.done().await;
}
