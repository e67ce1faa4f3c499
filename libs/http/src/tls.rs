//! A server's certificate and key, re-read when their files change, without touching connections that are open.
//!
//! They are read first when the endpoint is bound, which may be as root; later reading may lack the rights. Whatever is
//! wrong with the files later, the pair in use stays in use: a listener that served once never stops serving because of
//! a file.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use opsctl_logging::chain;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{InconsistentKeys, ServerConfig};
use tracing::{info, warn};

use crate::{Error, Pair, Stamp};

/// How often the files are looked at, at most.
const PAUSE: Duration = Duration::from_secs(1);

/// A certificate with its key, and the TLS settings that go with it: TLS 1.2 and 1.3, no client certificates.
pub struct Tls {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    files: Pair,
    watch: Mutex<Watch>,
}

/// What handshakes use. Apart from [`Tls`], which owns the settings that refer to this.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

#[derive(Debug)]
struct Watch {
    /// When to look at the files again.
    due: Instant,
    /// Those of the files that were read, in the order certificate, key.
    stamps: [Option<Stamp>; 2],
    /// What was logged last; the same is not logged again.
    complaint: Option<String>,
}

impl Tls {
    /// Reads the pair.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Pem`] or [`Error::Pair`].
    pub fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, Error> {
        let files = Pair { cert: cert.into(), key: key.into() };
        let provider = Arc::new(default_provider());
        let watch = Watch { due: Instant::now() + PAUSE, stamps: stamps(&files), complaint: None };
        let chain = read_chain(cert)?;
        let key = read_key(key, &provider)?;
        let current = Arc::new(Current(RwLock::new(matched(&files, chain, key)?)));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| unusable(&files, source))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as _);
        Ok(Arc::new(Self { current, config: Arc::new(config), provider, files, watch: Mutex::new(watch) }))
    }

    /// The settings with these protocols to choose from in the handshake (ALPN, RFC 7301), best first; none means that
    /// the client's wishes are ignored.
    pub(crate) fn config(&self, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }

    /// Reads the pair again if the files have changed, and if it was not looked at them within the last second. To be
    /// called before a handshake.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        if !self.due() {
            return;
        }
        let tls = Arc::clone(self);
        // the files may be on a slow disk; a panic in there is in the log, and the old pair stays
        let _ = tokio::task::spawn_blocking(move || tls.reread()).await;
    }

    fn due(&self) -> bool {
        // when another handshake is at it, this one need not wait
        let Ok(mut watch) = self.watch.try_lock() else { return false };
        let now = Instant::now();
        let due = now >= watch.due;
        if due {
            watch.due = now + PAUSE;
        }
        due
    }

    fn reread(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps == watch.stamps && watch.complaint.is_none() {
            return;
        }
        let Pair { cert, key } = &self.files;
        match self.load_again() {
            Ok(pair) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
                watch.stamps = stamps;
                watch.complaint = None;
                info!(cert = %cert.display(), "certificate read again");
            }
            Err(error) => {
                let complaint = chain(&error).to_string();
                if watch.complaint.as_ref() != Some(&complaint) {
                    warn!(
                        cert = %cert.display(), key = %key.display(), error = %complaint,
                        "failed to read the certificate again, the former one stays in use"
                    );
                    watch.complaint = Some(complaint);
                }
            }
        }
    }

    /// A key that may no longer be read is taken to be the one that was: a certificate is often renewed for the same
    /// key, and if not, the two do not match.
    fn load_again(&self) -> Result<Arc<CertifiedKey>, Error> {
        let chain = read_chain(&self.files.cert)?;
        match read_key(&self.files.key, &self.provider) {
            Ok(key) => matched(&self.files, chain, key),
            Err(Error::Read { path, source }) if source.kind() == io::ErrorKind::PermissionDenied => {
                let former = Arc::clone(&self.current.get().key);
                matched(&self.files, chain, former).map_err(|_| Error::Read { path, source })
            }
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

fn stamps(Pair { cert, key }: &Pair) -> [Option<Stamp>; 2] {
    [cert, key].map(|path| Stamp::of(path).ok())
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let invalid = |why| Error::Pem { path: path.into(), why };
    let certs = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| invalid("is not in PEM format"))?;
    if certs.is_empty() { Err(invalid("holds no certificate")) } else { Ok(certs) }
}

fn read_key(path: &Path, provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, Error> {
    let invalid = |why| Error::Pem { path: path.into(), why };
    let key = PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        pem::Error::NoItemsFound => invalid("holds no private key, or an encrypted one"),
        _ => invalid("is not in PEM format"),
    })?;
    provider.key_provider.load_private_key(key).map_err(|_| invalid("holds a private key of an unknown kind"))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })
}

/// The two together, if the certificate is for the key.
fn matched(
    files: &Pair,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
) -> Result<Arc<CertifiedKey>, Error> {
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        // "unknown" is a key that cannot tell its public half: nothing speaks against it
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Arc::new(pair)),
        Err(source) => Err(unusable(files, source)),
    }
}

fn unusable(Pair { cert, key }: &Pair, source: rustls::Error) -> Error {
    Error::Pair { cert: cert.clone(), key: key.clone(), source }
}
