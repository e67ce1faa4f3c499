//! The HTTP client below: whom it believes, how long it waits.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, S3CopyIfNotExists};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use rustls::{ClientConfig, RootCertStore};

use crate::error::Source;
use crate::location::{S3Keys, S3Url};

/// For a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For the next bytes of an answer, however long the whole takes.
const READ: Duration = Duration::from_secs(30);
/// For all tries of one request. Whoever waits for it should hear before giving up.
const TRIES: Duration = Duration::from_secs(15);

pub(super) fn connect(url: &S3Url, keys: Option<&S3Keys>) -> Result<AmazonS3, Source> {
    let plain = url.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    let mut client = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(READ).no_proxy();
    // the system's certificates are many, and not read where nothing is encrypted
    client = client.tls_backend_preconfigured(if plain { believing_nobody()? } else { opsctl_fetch::tls(None)? });
    let client = client.redirect(reqwest::redirect::Policy::none()).build()?;
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 3, retry_timeout: TRIES };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&url.bucket)
        .with_region(url.region.as_deref().unwrap_or("us-east-1"))
        .with_virtual_hosted_style_request(url.virtual_hosted)
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
        .with_retry(retry)
        .with_allow_http(plain)
        .with_http_connector(Connector(client));
    match &url.endpoint {
        Some(endpoint) if url.virtual_hosted => {
            builder = builder.with_endpoint(endpoint.replacen("://", &format!("://{}.", url.bucket), 1));
        }
        Some(endpoint) => builder = builder.with_endpoint(endpoint),
        None => {}
    }
    if let Some(S3Keys { access_key, secret_key }) = keys {
        builder = builder.with_access_key_id(access_key).with_secret_access_key(secret_key);
    }
    Ok(builder.build()?)
}

/// A client has a TLS configuration also where it never needs one.
fn believing_nobody() -> Result<ClientConfig, Source> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Hands the client over that was made here.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
