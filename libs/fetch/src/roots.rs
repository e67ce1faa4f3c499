//! Whom to believe: the system's certificate authorities, or those in a file.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::Error;

/// Most bytes of a file with certificates; the system's bundle has some 220 KB.
const FILE_MAX: u64 = 16 << 20;

/// A TLS configuration that believes the system's authorities, and those in `file` besides.
///
/// # Errors
/// [`Error::Certificates`]: `file` cannot be read or holds no certificate.
pub fn tls(file: Option<&Path>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    // one that the system has and we cannot read is none: the others are still good
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = file {
        let failed = |source| Error::Certificates { path: path.display().to_string(), source };
        let certificates = read(path).map_err(failed)?;
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "there is no certificate in it")));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Error::SetUp(error.into()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    if fs::metadata(path)?.len() > FILE_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large for certificates"));
    }
    let pem = fs::read(path)?;
    let certificates: Result<_, _> = CertificateDer::pem_slice_iter(&pem).collect();
    certificates.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
