//! Who asks, as handlers and the access log see it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Extension;
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use opsctl_http::{AccessLog, Client, HttpError, Limits, Proxy, RemoteUser, Site};
use tokio::net::UnixStream;

use crate::support::{Files, Server, eventually, rest};
use crate::{client, tls};

async fn who(Extension(Client { address, secure }): Extension<Client>) -> String {
    format!("{address:?} {secure}")
}

fn router() -> Router {
    Router::new()
        .route("/", get(who))
        .route("/ann", get(async || (Extension(RemoteUser("ann".into())), "hello").into_response()))
        .route("/failed", get(async || HttpError::new(StatusCode::CONFLICT, "no")))
}

fn site(proxies: &[&str]) -> Site {
    Site::new(router()).proxies(proxies.iter().map(|proxy| proxy.parse().unwrap()).collect::<Vec<Proxy>>())
}

#[tokio::test]
async fn behind_a_proxy_and_not() {
    let forwarded = [("x-forwarded-for", "1.1.1.1, 198.51.100.1"), ("x-forwarded-proto", "https")];
    for (proxies, expected) in [
        (&[][..], "Some(127.0.0.1) false"),
        (&["unix"], "Some(127.0.0.1) false"),
        (&["127.0.0.0/8"], "Some(198.51.100.1) true"),
    ] {
        let server = Server::start("127.0.0.1:0", site(proxies), Limits::default());
        let mut client = client::Client::connect(server.address()).await;
        assert_eq!(String::from_utf8(client.ask("GET", "/", &forwarded).await.body).unwrap(), expected);
        drop(client);
        server.done().await;
    }
}

#[tokio::test]
async fn by_tls_and_unix() {
    use tokio::io::AsyncWriteExt;

    let folder = tempfile::tempdir().unwrap();
    let (files, pair) = Files::write(folder.path());
    let server = Server::start(&files.endpoint("127.0.0.1:0"), site(&[]), Limits::default());
    let mut stream = tls::connect(&server.socket, &pair, &[]).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.ends_with("Some(127.0.0.1) true"));
    server.done().await;

    let path = folder.path().join("socket");
    let server = Server::start(&format!("unix:{}", path.display()), site(&["unix"]), Limits::default());
    for (line, expected) in [("x: y", "None false"), ("X-Forwarded-For: ::1", "Some(::1) false")] {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(format!("GET / HTTP/1.0\r\n{line}\r\n\r\n").as_bytes()).await.unwrap();
        assert!(rest(&mut stream).await.ends_with(expected));
    }
    server.done().await;
}

#[tokio::test]
async fn each_answer_is_written_down() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let log = AccessLog::new(move |line| sink.lock().unwrap().push(line.to_owned()));
    let server = Server::start("127.0.0.1:0", site(&["127.0.0.1"]).access_log(log), Limits::default());
    let mut client = client::Client::connect(server.address()).await;
    let headers = [("user-agent", "a \"b\""), ("referer", "/x"), ("x-forwarded-for", "198.51.100.1")];
    client.ask("GET", "/ann?b=c", &headers).await;
    client.ask("HEAD", "/ann", &[]).await;
    let failed = client.ask("GET", "/failed", &[]).await;
    client.ask("GET", "/nowhere", &[]).await;
    drop(client);
    let said = eventually(async || Some(lines.lock().unwrap().clone()).filter(|lines| lines.len() == 4)).await;
    let said: Vec<_> = said
        .iter()
        .map(|line| {
            let (before, after) = (line.split(" [").next().unwrap(), line.split("] ").nth(1).unwrap());
            format!("{before} {after}")
        })
        .collect();
    assert_eq!(said[0], "198.51.100.1 - ann \"GET /ann?b=c HTTP/1.1\" 200 5 \"/x\" \"a \\\"b\\\"\"\n");
    assert_eq!(said[1], "127.0.0.1 - ann \"HEAD /ann HTTP/1.1\" 200 - \"-\" \"-\"\n");
    assert_eq!(said[2], format!("127.0.0.1 - - \"GET /failed HTTP/1.1\" 409 {} \"-\" \"-\"\n", failed.body.len()));
    assert!(said[3].starts_with("127.0.0.1 - - \"GET /nowhere HTTP/1.1\" 404 "), "{}", said[3]);
    server.done().await;
}
