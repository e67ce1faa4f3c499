//! Talking to the provider: what it publishes about itself, its keys, and a code for a token.

use std::sync::Mutex;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use opsctl_fetch::{Fetch, Reach, Url};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::jwt::{BadToken, Claims, Expected, Keys, verify};
use super::settings::OidcSettings;

/// Bytes of any answer.
const ANSWER_MAX: u64 = 1 << 20;
/// How long what it publishes is used without asking.
const FRESH: Duration = Duration::from_secs(3600);
/// How often, at most, keys are asked for because of a token that none of them has signed.
const KEYS_AGAIN: Duration = Duration::from_secs(30);

/// Why a provider's word is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// It is away.
    #[error("failed to ask the login provider")]
    Fetch(#[from] opsctl_fetch::Error),
    /// It refuses, or sends something else than is agreed on.
    #[error("the login provider {0}")]
    Answer(String),
    /// Its token.
    #[error("the login provider's token is not believed")]
    Token(#[source] BadTokenError),
    /// The configuration.
    #[error("{0}")]
    Settings(String),
}

/// What is wrong with a token.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BadTokenError(#[from] BadToken);

/// What the provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    #[serde(deserialize_with = "url")]
    pub(super) authorization_endpoint: Url,
    #[serde(deserialize_with = "url")]
    token_endpoint: Url,
    #[serde(deserialize_with = "url")]
    jwks_uri: Url,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// An address on the web, and nothing that a browser would run.
fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = Url::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(D::Error::custom("no address on the web")) }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// The provider.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: String,
    client: String,
    secret: Option<String>,
    fetch: Fetch,
    known: Mutex<Option<(Discovery, Timestamp)>>,
    keys: Mutex<Option<(std::sync::Arc<Keys>, Timestamp)>>,
}

impl Provider {
    pub(super) fn new(settings: &OidcSettings, secret: Option<String>) -> Result<Self, OidcError> {
        let url =
            settings.url().ok_or_else(|| OidcError::Settings("`auth.oidc.issuer` is no http or https URL".into()))?;
        let authorities = settings.authorities.clone().map(opsctl_config::ConfigPath::into_path_buf);
        let reach = Reach::trusting(&url);
        let fetch = Fetch::new(opsctl_fetch::Settings { reach, authorities, ..opsctl_fetch::Settings::default() })?;
        let (issuer, client) = (settings.issuer.clone(), settings.client_id.clone());
        Ok(Self { issuer, client, secret, fetch, known: Mutex::default(), keys: Mutex::default() })
    }

    /// What it says of itself.
    pub(super) async fn discovery(&self, now: Timestamp) -> Result<Discovery, OidcError> {
        if let Some((known, at)) = &*lock(&self.known)
            && is_fresh(*at, now, FRESH)
        {
            return Ok(known.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url = Url::parse(&address).map_err(|_| OidcError::Settings("`auth.oidc.issuer` is no URL".into()))?;
        let discovery: Discovery = parse(&self.get(&url).await?, "says nothing of itself that can be read")?;
        // another's word about itself could lead anywhere (Discovery, 4.3)
        if discovery.issuer != self.issuer {
            return Err(OidcError::Answer(format!("calls itself `{}`", discovery.issuer.escape_debug())));
        }
        *lock(&self.known) = Some((discovery.clone(), now));
        Ok(discovery)
    }

    /// What the ID token says that the provider gives for `code`.
    pub(super) async fn redeem(
        &self,
        code: &str,
        verifier: &str,
        redirect: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Claims, OidcError> {
        let discovery = self.discovery(now).await?;
        let token = self.exchange(&discovery, code, verifier, redirect).await?;
        let expected = Expected { issuer: &self.issuer, client: &self.client, nonce, now: now.as_second() };
        let keys = self.keys(&discovery, now, FRESH).await?;
        match verify(&token, &keys, expected) {
            // it may have new ones
            Err(BadToken::Key) => {
                let keys = self.keys(&discovery, now, KEYS_AGAIN).await?;
                verify(&token, &keys, expected)
            }
            verified => verified,
        }
        .map_err(|bad| OidcError::Token(bad.into()))
    }

    async fn exchange(
        &self,
        discovery: &Discovery,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<String, OidcError> {
        let (headers, body) = self.request(discovery, code, verifier, redirect);
        let answer = self.fetch.send(Method::POST, &discovery.token_endpoint, headers, body.into()).await?;
        if !answer.status().is_success() {
            return Err(OidcError::Answer(format!("gives no token: {}", answer.status())));
        }
        let tokens: Tokens = parse(&answer.bytes(ANSWER_MAX).await?, "gives no ID token")?;
        Ok(tokens.id_token)
    }

    /// What asks for the token, and shows who we are.
    fn request(&self, discovery: &Discovery, code: &str, verifier: &str, redirect: &str) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", redirect).append_pair("code_verifier", verifier);
        let methods = discovery.token_endpoint_auth_methods_supported.as_deref();
        let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        match &self.secret {
            Some(secret) if basic => {
                let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let both = STANDARD.encode(format!("{}:{}", encode(&self.client), encode(secret)));
                let value = HeaderValue::try_from(format!("Basic {both}"));
                headers.extend(value.map(|value| (AUTHORIZATION, value)));
            }
            Some(secret) => {
                form.append_pair("client_id", &self.client).append_pair("client_secret", secret);
            }
            None => {
                form.append_pair("client_id", &self.client);
            }
        }
        (headers, form.finish().into_bytes())
    }

    /// Its keys, those that are known if they are younger than `fresh`.
    async fn keys(
        &self,
        discovery: &Discovery,
        now: Timestamp,
        fresh: Duration,
    ) -> Result<std::sync::Arc<Keys>, OidcError> {
        if let Some((keys, at)) = &*lock(&self.keys)
            && is_fresh(*at, now, fresh)
        {
            return Ok(std::sync::Arc::clone(keys));
        }
        let keys = Keys::read(&self.get(&discovery.jwks_uri).await?);
        let keys = keys.ok_or_else(|| OidcError::Answer("publishes no keys".to_owned()))?;
        let keys = std::sync::Arc::new(keys);
        *lock(&self.keys) = Some((std::sync::Arc::clone(&keys), now));
        Ok(keys)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, OidcError> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let answer = self.fetch.get(url, headers).await?;
        if !answer.status().is_success() {
            return Err(OidcError::Answer(format!("answers {}", answer.status())));
        }
        Ok(answer.bytes(ANSWER_MAX).await?.to_vec())
    }
}

fn is_fresh(at: Timestamp, now: Timestamp, fresh: Duration) -> bool {
    let age = now.as_second().saturating_sub(at.as_second());
    u64::try_from(age).is_ok_and(|age| age < fresh.as_secs())
}

fn parse<T: for<'a> Deserialize<'a>>(json: &[u8], otherwise: &str) -> Result<T, OidcError> {
    serde_json::from_slice(json).map_err(|_| OidcError::Answer(otherwise.to_owned()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
