//! Who we are, for one origin: HTTP Basic authentication (RFC 7617) from a URL that carries it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::Url;

use crate::Origin;

/// What is shown to an origin, and to no other.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub(crate) origin: Origin,
    pub(crate) value: HeaderValue,
}

impl Credentials {
    /// Takes user and password out of `url`, if they are there: what is left can be shown and logged.
    pub fn take(url: &mut Url) -> Option<Self> {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
        let (user, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
        if user.is_empty() && password.is_empty() {
            return None;
        }
        let pair = [user, b":".to_vec(), password].concat();
        let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
        value.set_sensitive(true);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(Self { origin: Origin::of(url)?, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, left: &str, value: Option<&str>) {
        let mut url: Url = url.parse().unwrap();
        let taken = Credentials::take(&mut url);
        assert_eq!(url.as_str(), left);
        assert_eq!(taken.as_ref().map(|taken| taken.value.to_str().unwrap()), value);
        assert!(!format!("{taken:?}").contains("Basic"));
    }

    #[test]
    fn they_are_taken_out() {
        check("https://h.example/simple/", "https://h.example/simple/", None);
        check(
            "https://Aladdin:open%20sesame@h.example/",
            "https://h.example/",
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        );
        check("https://token@h.example/", "https://h.example/", Some("Basic dG9rZW46"));
    }
}
