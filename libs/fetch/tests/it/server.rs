//! A server for one test: it hands each request's head to a function, and sends what that returns.

use std::path::Path;
use std::sync::Arc;

use opsctl_fetch::Url;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// What a server answers: bytes, then the end of the connection, or silence for ever.
pub(crate) type Script = Arc<dyn Fn(&str) -> (String, bool) + Send + Sync>;

/// A script from a function; what it returns is the whole answer.
pub(crate) fn script(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Script {
    Arc::new(move |head| (answer(head), true))
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A redirect to there.
pub(crate) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

/// Serves in the clear until the test ends; the URL of its root.
pub(crate) async fn http(script: Script) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&script)));
        }
    });
    url
}

/// The same with TLS, for the name localhost; its certificate is written to `pem`.
pub(crate) async fn https(script: Script, pem: &Path) -> Url {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(pem, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    talk(stream, script).await;
                }
            });
        }
    });
    url
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Script) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let (answer, end) = script(&String::from_utf8(head).unwrap());
    // the client may have left by now
    let _ = stream.write_all(answer.as_bytes()).await;
    if end {
        let _ = stream.shutdown().await;
    } else {
        std::future::pending().await
    }
}
