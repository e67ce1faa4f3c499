//! Logging in at a provider that is elsewhere (OpenID Connect Core 1.0): the authorization code flow with PKCE (RFC 7636).
//!
//! What a browser carries between going and coming back is signed, and good for ten minutes and for that browser alone: the
//! `state` keeps another's answer out, the `nonce` another's token, the verifier another's code. A user is known by the
//! provider's name and its own number for them, for good; one of our own users is never taken over because of a name or an
//! address that a provider tells.

mod account;
mod jwt;
mod provider;
mod settings;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use opsctl_config::Secret;
use opsctl_web::Key;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use self::jwt::Claims;
use self::provider::Provider;
pub use self::provider::{BadTokenError, OidcError};
pub use self::settings::OidcSettings;
use crate::random;
use crate::settings::Settings;

/// How long somebody may take at the provider, in seconds.
pub(crate) const PATIENCE: u64 = 600;
/// Where the provider sends browsers back to.
pub(crate) const CALLBACK: &str = "/_/oidc/callback";

/// The provider that is configured.
#[derive(Debug)]
pub(crate) struct Oidc {
    pub(crate) settings: OidcSettings,
    provider: Provider,
    redirect: String,
    key: Key,
}

/// What the browser carries.
#[derive(Debug, Serialize, Deserialize)]
struct Carried {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    /// Seconds since 1970.
    since: i64,
}

impl Oidc {
    /// The provider of these settings, if there is one; `key` signs what browsers carry. Asks nobody anything.
    pub(crate) fn open(settings: &Settings, key: [u8; 32]) -> Result<Option<Arc<Self>>, OidcError> {
        let Some(oidc) = settings.oidc.clone() else { return Ok(None) };
        let told = |text: &str| OidcError::Settings(text.to_owned());
        let url = settings
            .url
            .as_ref()
            .ok_or_else(|| told("`auth.oidc` needs `auth.url`: the provider sends people back there"))?;
        let secret = Secret::load(oidc.client_secret.clone(), oidc.client_secret_file.clone());
        let secret = secret.map_err(|error| OidcError::Settings(error.to_string()))?;
        // a role that is none is told at the start, not at a login
        let groups: Vec<&str> = oidc.roles.keys().map(String::as_str).collect();
        oidc.roles_of(&groups).map_err(|error| OidcError::Settings(format!("`auth.oidc.roles`: {error}")))?;
        let provider = Provider::new(&oidc, secret.map(|secret| secret.expose().to_owned()))?;
        let redirect = format!("{}{CALLBACK}", url.as_str());
        Ok(Some(Arc::new(Self { settings: oidc, provider, redirect, key: Key::new(key).derive("oidc") })))
    }

    /// What the button says.
    pub(crate) fn label(&self) -> String {
        let host = || self.settings.url().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        self.settings.label.clone().unwrap_or_else(host)
    }

    /// Where a browser is sent to, and what it carries.
    pub(crate) async fn begin(&self, next: &str, now: Timestamp) -> Result<(String, String), crate::Error> {
        let carried = Carried {
            state: random::text()?,
            nonce: random::text()?,
            verifier: random::text()?,
            next: next.to_owned(),
            since: now.as_second(),
        };
        let mut url = self.provider.discovery(now).await?.authorization_endpoint;
        let scopes = std::iter::once("openid").chain(self.settings.scopes.0.iter().map(String::as_str));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(carried.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "))
            .append_pair("state", &carried.state)
            .append_pair("nonce", &carried.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let json = serde_json::to_vec(&carried).map_err(|_| crate::Error::Denied("this login cannot be remembered"))?;
        Ok((url.into(), self.key.seal(&json)))
    }

    /// Who somebody is that comes back with `state` and `code`, having carried `carried`; and where they were going.
    pub(crate) async fn finish(
        &self,
        carried: &str,
        state: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<(Claims, String), crate::Error> {
        const OLD: crate::Error = crate::Error::Denied("this login is not one that was begun in this browser just now");
        let carried = self.key.open(carried).and_then(|json| serde_json::from_slice::<Carried>(&json).ok());
        let carried = carried.ok_or(OLD)?;
        let age = now.as_second().saturating_sub(carried.since);
        let in_time = u64::try_from(age).is_ok_and(|age| age <= PATIENCE);
        if !in_time || !bool::from(carried.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(OLD);
        }
        let claims = self.provider.redeem(code, &carried.verifier, &self.redirect, &carried.nonce, now).await?;
        Ok((claims, carried.next))
    }
}
