//! TLS: handshakes, and certificates that change under way.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use opsctl_http::{Error, Listener, Socket, Tls};
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Files, address, bind, eventually, in_time, replace, spawn};

type Pair = CertifiedKey<KeyPair>;

/// Connects as a client that trusts `pair` alone.
pub(crate) async fn connect(socket: &Socket, pair: &Pair, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(pair.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let tcp = TcpStream::connect(address(socket)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    in_time(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
}

/// Echoes what each connection sends.
fn echo(listener: Listener) {
    spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            spawn(async move {
                let (mut read, mut write) = tokio::io::split(&mut stream);
                // what goes wrong is seen at the other end
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
}

async fn echoes(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    in_time(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"hello");
}

fn certificate(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn handshake() {
    let folder = tempfile::tempdir().unwrap();
    let (files, pair) = Files::write(folder.path());
    let text = files.endpoint("127.0.0.1:0");
    let socket = bind(&text);
    assert_eq!(socket.local().to_string(), text.replace(":0?", &format!(":{}?", address(&socket).port())));
    echo(socket.listener().unwrap());
    let mut stream = connect(&socket, &pair, &[]).await.unwrap();
    echoes(&mut stream).await;
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
}

#[tokio::test]
async fn protocols_are_chosen_only_where_some_are_offered() {
    let folder = tempfile::tempdir().unwrap();
    let (files, pair) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    for (offered, chosen) in [(&[][..], None), (&[&b"b"[..], b"a"], Some(&b"b"[..]))] {
        let listener = socket.listener().unwrap().with_alpn(offered);
        let accept = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(stream.alpn(), None, "not known before the handshake");
            stream.handshake().await.unwrap();
            assert_eq!(stream.alpn(), chosen);
        };
        let (client, ()) = in_time(async { tokio::join!(connect(&socket, &pair, &[b"a", b"b"]), accept) }).await;
        assert_eq!(client.unwrap().get_ref().1.alpn_protocol(), chosen);
    }
}

#[tokio::test]
async fn a_silent_client_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (files, pair) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    echo(socket.listener().unwrap());
    let _silent = TcpStream::connect(address(&socket)).await.unwrap();
    echoes(&mut connect(&socket, &pair, &[]).await.unwrap()).await;
}

/// The clock is stopped, and goes on by itself when all there is to do is to wait.
#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    let _silent = std::net::TcpStream::connect(address(&socket)).unwrap();
    let (mut stream, _) = socket.listener().unwrap().accept().await.unwrap();
    assert_eq!(stream.handshake().await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(stream.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::NotConnected, "and stays so");
}

#[tokio::test]
async fn what_is_no_tls_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    let mut client = TcpStream::connect(address(&socket)).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (mut stream, _) = in_time(socket.listener().unwrap().accept()).await.unwrap();
    assert!(in_time(stream.handshake()).await.is_err());
}

#[tokio::test]
async fn a_new_certificate_is_taken_while_connections_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (files, old) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    echo(socket.listener().unwrap());
    let mut open = connect(&socket, &old, &[]).await.unwrap();
    echoes(&mut open).await;

    let (_, new) = Files::write(folder.path());
    let mut fresh = eventually(async || connect(&socket, &new, &[]).await.ok()).await;
    assert_eq!(certificate(&fresh), *new.cert.der());
    echoes(&mut fresh).await;
    assert_eq!(certificate(&open), *old.cert.der());
    echoes(&mut open).await;
    assert!(connect(&socket, &old, &[]).await.is_err(), "the old one is not shown any more");
}

/// Whatever becomes of the files, the pair in use stays in use, and a good one is taken at last.
#[tokio::test]
async fn a_bad_certificate_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (files, old) = Files::write(folder.path());
    let socket = bind(&files.endpoint("127.0.0.1:0"));
    echo(socket.listener().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let (_, other) = Files::write(elsewhere.path());
    let spoil: [&dyn Fn(); 4] = [
        &|| replace(&files.cert, "no certificate"),
        &|| replace(&files.cert, &other.cert.pem()),
        &|| replace(&files.key, "no key"),
        &|| fs::remove_file(&files.cert).unwrap(),
    ];
    let log = Log::start(&files.cert);
    for (number, spoil) in spoil.iter().enumerate() {
        spoil();
        eventually(async || {
            echoes(&mut connect(&socket, &old, &[]).await.unwrap()).await;
            (log.count("the former one stays in use") > number).then_some(())
        })
        .await;
    }
    let (_, new) = Files::write(folder.path());
    eventually(async || connect(&socket, &new, &[]).await.ok()).await;
    assert_eq!(log.count("the former one stays in use"), spoil.len(), "each is logged once");
    assert_eq!(log.count("certificate read again"), 1);
}

/// What was logged about one certificate. One log for all tests, as files are read in threads of their own.
struct Log(String);

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Log {
    fn start(cert: &Path) -> Self {
        // it is another test's, if there is one
        let _ = tracing::subscriber::set_global_default(Collector);
        Self(cert.display().to_string())
    }

    fn count(&self, part: &str) -> usize {
        LINES.lock().unwrap().iter().filter(|line| line.contains(&self.0) && line.contains(part)).count()
    }
}

struct Collector;

impl tracing::Subscriber for Collector {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("opsctl_http")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{field}={value:?} ");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        LINES.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[track_caller]
fn refused(cert: &Path, key: &Path, expected: &str) -> Error {
    let error = Tls::load(cert, key).unwrap_err();
    assert_eq!(error.to_string(), expected);
    error
}

#[test]
fn files_that_do_not_do() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = Files::write(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let (other, _) = Files::write(elsewhere.path());
    let [none, empty, broken] = ["none", "empty", "broken"].map(|name| folder.path().join(name));
    fs::write(&empty, "").unwrap();
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    let (cert, key) = (&files.cert, &files.key);
    refused(&none, key, &format!("failed to read `{}`", none.display()));
    refused(cert, &none, &format!("failed to read `{}`", none.display()));
    refused(&empty, key, &format!("`{}` holds no certificate", empty.display()));
    refused(&broken, key, &format!("`{}` is not in PEM format", broken.display()));
    refused(cert, cert, &format!("`{}` holds no private key, or an encrypted one", cert.display()));
    refused(key, key, &format!("`{}` holds no certificate", key.display()));
    let mismatch = format!("failed to use the certificate `{}` with the key `{}`", cert.display(), other.key.display());
    refused(cert, &other.key, &mismatch);
}
