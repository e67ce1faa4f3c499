//! What a request of the API is about: whose account, which item, who asks, and which versions they know.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use http::header::{ACCEPT, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use opsctl_auth::{Author, Identity, Name, Refusal};
use opsctl_http::{HttpError, XHTML};
use opsctl_web::Visit;

use crate::error::Error;
use crate::records::{Expected, Item};

/// Before what belongs to the account of whoever asks.
pub(super) const OWN: &str = "/api/v1";

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) here: Here,
    /// The item's name, empty if the path has none.
    pub(super) name: String,
    /// The result's name, empty if the path has none.
    pub(super) asset: String,
    /// The upload in pieces, empty if the path has none.
    pub(super) upload: String,
    /// The language of captions, empty if the path has none.
    pub(super) language: String,
    pub(super) visit: Visit,
    /// Those of the request; what is wanted as `?format=…` stands in `Accept`.
    pub(super) headers: HeaderMap,
    /// With rights of their own alone: an account is nobody else's, also where everybody may read what is not said to be
    /// somebody's.
    pub(super) identity: Identity,
    pub(super) by: Author,
}

impl Asked {
    /// The item's address.
    pub(super) fn address(&self) -> String {
        format!("{}/media/{}", self.here.top, self.name)
    }

    /// Whether pages are wanted.
    pub(super) fn is_browser(&self) -> bool {
        opsctl_web::wants_page(&self.headers)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked, HttpError> {
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(HttpError::internal)?;
        let part = |wanted| path.iter().find(|(part, _)| *part == wanted).map_or("", |(_, value)| value).to_owned();
        let (name, asset, upload) = (part("id"), part("asset"), part("upload"));
        let visit = Visit::from_request_parts(parts, state).await.map_err(HttpError::internal)?;
        Ok(Asked {
            here: Here::from_request_parts(parts, state).await?,
            name,
            asset,
            upload,
            language: part("language"),
            headers: wanted(visit.query().get("format"), parts.headers.clone())?,
            visit,
            identity: Identity::from_request_parts(parts, state).await?.by_own_rights(),
            by: Author::from_request_parts(parts, state).await?,
        })
    }
}

/// The headers with what an address asks for by `?format=json` or `?format=xhtml`. It is no ending of the path: an item's
/// name may end in `.json` itself.
fn wanted(format: Option<&str>, mut headers: HeaderMap) -> Result<HeaderMap, HttpError> {
    let accept = match format {
        None | Some("") => return Ok(headers),
        Some("json") => "application/json",
        Some("xhtml") => XHTML,
        Some(_) => return Err(HttpError::bad_request("`format` is `json` or `xhtml`").code("bad-format")),
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    Ok(headers)
}

/// The account that a request's path names; that of whoever asks if it names none.
#[derive(Debug, Clone)]
pub(super) struct Here {
    pub(super) account: String,
    /// Before `/media` in addresses.
    pub(super) top: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Here, HttpError> {
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(HttpError::internal)?;
        if let Some((_, name)) = path.iter().find(|(part, _)| *part == "account") {
            let name: Name = name.parse().map_err(|_| HttpError::not_found("there is no such account"))?;
            return Ok(Here { account: name.to_string(), top: format!("/api/v1/accounts/{name}") });
        }
        let identity = Identity::from_request_parts(parts, state).await?;
        match identity.name() {
            Some(name) => Ok(Here { account: name.to_string(), top: OWN.to_owned() }),
            None => Err(Refusal::Unknown.into()),
        }
    }
}

/// The tag of an item: conditions of changes look at the version alone, which stands before the dot; what follows it
/// differs with how far the job is.
pub(super) fn tag(item: &Item, rest: &str) -> String {
    format!("\"{}-{}.{rest}\"", item.id, item.version)
}

/// What a request expects of an item that it changes: `If-Match`, and `If-None-Match: *` (RFC 9110, section 13.1).
///
/// # Errors
/// 412 if that can be told without looking.
pub(super) fn expected(headers: &HeaderMap, item: Option<&Item>) -> Result<Expected, HttpError> {
    if let Some(condition) = headers.get(IF_MATCH) {
        let Some(item) = item else { return Err(Error::Changed.into()) };
        let version = format!("{}-{}", item.id, item.version);
        let matches = |tag: &str| {
            let tag = tag.trim().trim_matches('"');
            tag == "*" || tag.split('.').next() == Some(version.as_str())
        };
        let condition = condition.to_str().unwrap_or_default();
        return match condition.split(',').any(matches) {
            true if condition.trim() == "*" => Ok(Expected::Anything),
            true => Ok(Expected::Version(item.version)),
            false => Err(Error::Changed.into()),
        };
    }
    match headers.get(IF_NONE_MATCH).map(|value| value.as_bytes()) {
        None => Ok(Expected::Anything),
        Some(b"*") if item.is_none() => Ok(Expected::Nothing),
        Some(b"*") => Err(Error::Changed.into()),
        Some(_) => Err(HttpError::new(StatusCode::BAD_REQUEST, "`If-None-Match` of a change can only be `*`")),
    }
}

/// The version that has to be there, if one was named.
pub(super) fn version(expected: Expected) -> Option<i64> {
    match expected {
        Expected::Version(version) => Some(version),
        Expected::Anything | Expected::Nothing => None,
    }
}
