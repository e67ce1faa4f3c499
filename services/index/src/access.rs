//! Who may do what: the one place that every request goes through before anything is done for it.
//!
//! Reading is open. Uploads need a token, sent as the password of HTTP Basic (RFC 7617), which is what every tool that
//! uploads can do; without a configured token nothing is taken.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use opsctl_config::Secret;
use opsctl_http::HttpError;
use sha2::{Digest as _, Sha256};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// See pages, take files.
    Read,
    /// Bring files.
    Upload,
}

/// Who does it, for the trail of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor(pub(crate) String);

/// What is allowed.
pub(crate) struct Access {
    /// Of the token for uploads: comparing digests does not tell how much of a guess was right.
    upload: Option<[u8; 32]>,
}

impl Access {
    /// Uploads with this token only.
    pub(crate) fn new(upload: Option<&Secret>) -> Access {
        Access { upload: upload.map(|token| digest(token.expose().as_bytes())) }
    }

    /// Whether the sender of `headers` may do what it wants.
    ///
    /// # Errors
    /// 401 if nobody has said who it is, 403 if that makes no difference.
    pub(crate) fn check(&self, headers: &HeaderMap, need: Need) -> Result<Actor, HttpError> {
        match (need, &self.upload) {
            (Need::Read, _) => Ok(Actor("anonymous".to_owned())),
            (Need::Upload, None) => Err(HttpError::forbidden("Uploads are off: there is no upload token")),
            (Need::Upload, Some(token)) => match basic(headers) {
                Some((_, password)) if digest(&password) == *token => Ok(Actor("token".to_owned())),
                Some(_) => Err(HttpError::forbidden("Invalid or non-existent authentication information")),
                None => Err(HttpError::unauthorized("packages", "Uploads need a token as the password")),
            },
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access(uploads {})", if self.upload.is_some() { "with a token" } else { "refused" })
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The name and the password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some((pair[..colon].to_vec(), pair[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(token: Option<&str>, authorization: &str, need: Need, status: Option<u16>) {
        let access = Access::new(token.map(Secret::new).as_ref());
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        }
        let refused = access.check(&headers, need).err().map(|error| error.status().as_u16());
        assert_eq!(refused, status, "{token:?} {authorization}");
    }

    #[test]
    fn reading_is_open_and_uploads_need_the_token() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        check(None, "", Need::Read, None);
        check(None, &basic("__token__:x"), Need::Upload, Some(403));
        check(Some("x"), "", Need::Upload, Some(401));
        check(Some("x"), &basic("__token__:x"), Need::Upload, None);
        check(Some("x"), &basic("anybody:x").replace("Basic", "basic"), Need::Upload, None);
        check(Some("x:y"), &basic("anybody:x:y"), Need::Upload, None);
        check(Some("x"), &basic("__token__:y"), Need::Upload, Some(403));
        check(Some("x"), &basic("x"), Need::Upload, Some(401));
        check(Some("x"), "Basic %", Need::Upload, Some(401));
        check(Some("x"), "Bearer x", Need::Upload, Some(401));
    }
}
