//! An HTTP/1.1 client that shows what came, byte by byte.

use std::net::SocketAddr;

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{in_time, until};

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    head_only: bool,
}

/// What came back; the body may be still to come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: in_time(TcpStream::connect(address)).await.unwrap(), head_only: false }
    }

    /// A request without a body, and its answer.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(method, path, headers).await;
        let mut answer = self.head().await;
        answer.body = self.rest_of(&answer).await;
        if let Some(length) = answer.headers.get("content-length").filter(|_| !self.head_only) {
            assert_eq!(length, &answer.body.len().to_string(), "broken off");
        }
        answer
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
        self.head_only = method == "HEAD";
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// The next head.
    pub(crate) async fn head(&mut self) -> Answer {
        let head = until(&mut self.stream, "\r\n\r\n").await;
        let mut lines = head.trim_end().lines();
        let mut first = lines.next().unwrap().splitn(3, ' ');
        assert_eq!(first.next(), Some("HTTP/1.1"));
        let status = first.next().unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        Answer { status, headers, body: Vec::new() }
    }

    /// The body that the head announces, or what there is of it.
    pub(crate) async fn rest_of(&mut self, head: &Answer) -> Vec<u8> {
        let length = head.headers.get("content-length").map(|length| length.to_str().unwrap().parse().unwrap());
        let length = length.filter(|_| !self.head_only && head.status >= 200).unwrap_or(0);
        let mut body = Vec::new();
        // a reset is also an end
        let _ = in_time((&mut self.stream).take(length).read_to_end(&mut body)).await;
        body
    }

    /// Everything up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        let _ = in_time(self.stream.read_to_end(&mut body)).await;
        body
    }
}
