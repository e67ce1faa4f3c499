//! Whether a request that changes something was meant by the one whose browser sent it.
//!
//! Two lines. First what the browser itself says about where the request comes from: `Sec-Fetch-Site` (Fetch Metadata),
//! else `Origin` (RFC 6454). Then a token in the form that other sites cannot know: an HMAC over the session's cookie
//! or, where nobody is logged in yet, over a random cookie (signed double submit). Safe methods need neither.

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};

use crate::key::random;
use crate::{Error, Key};

/// The name of the token's field in a form.
pub const CSRF_FIELD: &str = "_csrf";
/// The header in which a script sends the token.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Random bytes in front of a token: it looks different each time, so that a compressed page does not betray it (BREACH).
const NONCE: usize = 16;

/// Makes and checks the tokens of one browser.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    key: Key,
}

impl Tokens {
    /// For the browser that holds the cookie value `binding`.
    pub(crate) fn new(key: &Key, binding: &str) -> Self {
        Self { key: key.derive(&format!("csrf {binding}")) }
    }

    /// Another token each time.
    pub(crate) fn make(&self) -> Result<String, Error> {
        Ok(self.key.seal(&random::<NONCE>()?))
    }

    pub(crate) fn check(&self, token: &str) -> bool {
        self.key.open(token).is_some_and(|nonce| nonce.len() == NONCE)
    }
}

/// Does the browser say that the request comes from another site? Programs say nothing and are not meant. `trusted` are
/// origins under which this server is reached, or that may post to it.
pub(crate) fn is_foreign(headers: &HeaderMap, uri: &Uri, trusted: &[String]) -> bool {
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
    if origin.is_some_and(|origin| trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(origin))) {
        return false;
    }
    match headers.get(&SEC_FETCH_SITE).map(|site| site.as_bytes()) {
        // `none`: typed by the user, or from a bookmark
        Some(b"same-origin" | b"none") => false,
        Some(_) => true,
        None => origin.is_some_and(|origin| !is_host(origin, headers, uri)),
    }
}

/// Is `origin` the host that was asked? The scheme is not compared: in front of a proxy that ends TLS it differs.
fn is_host(origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(host);
    let origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// Does the request carry a token of its own, which no browser adds by itself as it does with Basic's?
pub(crate) fn is_bearer(headers: &HeaderMap) -> bool {
    let scheme = headers.get(AUTHORIZATION).and_then(|line| line.as_bytes().get(..7));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn tokens_are_one_browsers() {
        let key = Key::new([1; 32]);
        let tokens = Tokens::new(&key, "session");
        let token = tokens.make().unwrap();
        assert_ne!(token, tokens.make().unwrap());
        assert!(tokens.check(&token));
        assert!(!Tokens::new(&key, "another").check(&token));
        assert!(!Tokens::new(&Key::new([2; 32]), "session").check(&token));
        assert!(!tokens.check(""));
        assert!(!tokens.check(&token[1..]));
    }

    #[track_caller]
    fn check(lines: &[(&'static str, &'static str)], foreign: bool) {
        let name = |name: &'static str| HeaderName::from_static(name);
        let headers = lines.iter().map(|(key, value)| (name(key), HeaderValue::from_static(value))).collect();
        let trusted = ["https://packages.example".to_owned()];
        assert_eq!(is_foreign(&headers, &Uri::from_static("/upload"), &trusted), foreign, "{lines:?}");
    }

    #[test]
    fn what_browsers_say() {
        check(&[], false);
        check(&[("sec-fetch-site", "same-origin")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("sec-fetch-site", "same-site")], true);
        check(&[("sec-fetch-site", "cross-site")], true);
        check(&[("sec-fetch-site", "nonsense")], true);
        check(&[("host", "a:80"), ("origin", "http://a:80")], false);
        check(&[("host", "a"), ("origin", "https://A")], false);
        check(&[("host", "a"), ("origin", "http://a:80")], true);
        check(&[("host", "a"), ("origin", "http://b")], true);
        check(&[("host", "a"), ("origin", "null")], true);
        check(&[("origin", "http://b")], true);
        // behind a proxy that tells another host
        check(&[("host", "10.0.0.1"), ("origin", "https://packages.example")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "https://packages.example")], false);
        // the browser's own word counts for more
        check(&[("sec-fetch-site", "same-origin"), ("host", "inner"), ("origin", "http://outer")], false);
        check(&[("sec-fetch-site", "cross-site"), ("host", "a"), ("origin", "http://a")], true);
    }

    #[test]
    fn http_2_names_the_host_in_the_address() {
        let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static("https://a:8443"))]);
        assert!(!is_foreign(&headers, &Uri::from_static("https://a:8443/x"), &[]));
        assert!(is_foreign(&headers, &Uri::from_static("https://b/x"), &[]));
    }

    #[test]
    fn a_bearer_is_no_browser() {
        let check = |value, expected| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(is_bearer(&headers), expected, "{value}");
        };
        check("Bearer x", true);
        check("bearer x", true);
        check("Basic eDp5", false);
        check("Bearer", false);
    }
}
