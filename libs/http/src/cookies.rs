//! Cookies (RFC 6265): reading those of a request, and setting them with all that keeps them safe.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The cookies of a request, names and values as they came, in their order.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (!name.is_empty()).then_some((name, unquoted.unwrap_or(value)))
    })
}

/// The first cookie of this name. A name that begins with `__Host-` can only have been set by this very host.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookies(headers).find_map(|(other, value)| (other == name).then_some(value))
}

/// Which requests that come from other sites bring a cookie along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// None at all.
    Strict,
    /// Following a link.
    Lax,
}

/// A cookie to be set: for the whole host and only this host, for the time that the browser runs, not to be seen by
/// scripts, not to be brought along by forms of other sites; each can be said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    name: String,
    value: String,
    path: String,
    max_age: Option<Duration>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
}

impl SetCookie {
    /// None if the name is no token, or the value has white space, quotes, commas, semicolons, backslashes, or something
    /// beyond ASCII: encode it.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Option<Self> {
        let is_octet = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        let fits = !name.is_empty() && name.bytes().all(is_token) && value.bytes().all(is_octet);
        fits.then(|| Self {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            max_age: None,
            secure: name.starts_with("__Host-") || name.starts_with("__Secure-"),
            http_only: true,
            same_site: SameSite::Lax,
        })
    }

    /// Makes the browser forget the cookie. None if the name is no token.
    #[must_use]
    pub fn removal(name: &str) -> Option<Self> {
        Self::new(name, "").map(|cookie| cookie.max_age(Duration::ZERO))
    }

    /// To be kept for this time, to the second.
    #[must_use]
    pub fn max_age(self, time: Duration) -> Self {
        Self { max_age: Some(time), ..self }
    }

    /// Over TLS only. A name that begins with `__Host-` or `__Secure-` says so already.
    #[must_use]
    pub fn secure(self, secure: bool) -> Self {
        Self { secure: self.secure || secure, ..self }
    }

    /// For paths that begin so; None if it cannot be one. Of no effect on names that begin with `__Host-`.
    #[must_use]
    pub fn path(self, path: &str) -> Option<Self> {
        let fits = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        let path = if self.name.starts_with("__Host-") { "/" } else { path };
        fits.then(|| Self { path: path.into(), ..self })
    }

    /// Scripts may read it.
    #[must_use]
    pub fn for_scripts(self) -> Self {
        Self { http_only: false, ..self }
    }

    /// Which requests from other sites bring it along.
    #[must_use]
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site, ..self }
    }

    /// As the value of `Set-Cookie`.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        let Self { name, value, path, max_age, secure, http_only, same_site } = self;
        let mut text = format!("{name}={value}; Path={path}; SameSite={same_site:?}");
        if let Some(time) = max_age {
            text.push_str(&format!("; Max-Age={}", time.as_secs()));
        }
        for (flag, name) in [(secure, "; Secure"), (http_only, "; HttpOnly")] {
            text.push_str(if *flag { name } else { "" });
        }
        // all of it was looked at
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[(&str, &str)]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        assert_eq!(cookies(&headers).collect::<Vec<_>>(), expected, "{lines:?}");
        for (name, _) in expected {
            let first = expected.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(cookie(&headers, name), Some(first.1));
        }
        assert_eq!(cookie(&headers, "missing"), None);
    }

    #[test]
    fn reading() {
        check(&["a=1; b=2"], &[("a", "1"), ("b", "2")]);
        check(&["a=1", "b=2"], &[("a", "1"), ("b", "2")]);
        check(&["a=1;a=2; A=3"], &[("a", "1"), ("a", "2"), ("A", "3")]);
        check(&["a=\"1\"; b=x=y=="], &[("a", "1"), ("b", "x=y==")]);
        check(&["; ;=x; a; b = ;"], &[("b", "")]);
    }

    #[track_caller]
    fn check_set(cookie: Option<SetCookie>, expected: &str) {
        assert_eq!(cookie.unwrap().to_header(), expected);
    }

    #[test]
    fn setting() {
        check_set(SetCookie::new("a", "1"), "a=1; Path=/; SameSite=Lax; HttpOnly");
        let kept = SetCookie::new("a", "1").unwrap().max_age(Duration::from_secs(60)).secure(true);
        check_set(kept.path("/x/"), "a=1; Path=/x/; SameSite=Lax; Max-Age=60; Secure; HttpOnly");
        check_set(
            SetCookie::new("__Host-a", "1").unwrap().secure(false).same_site(SameSite::Strict).path("/x"),
            "__Host-a=1; Path=/; SameSite=Strict; Secure; HttpOnly",
        );
        check_set(SetCookie::new("a", "1").map(SetCookie::for_scripts), "a=1; Path=/; SameSite=Lax");
        check_set(SetCookie::removal("a"), "a=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly");
    }

    #[test]
    fn nothing_slips_in() {
        for (name, value) in
            [("", "1"), ("a b", "1"), ("a=", "1"), ("ä", "1"), ("a", "1;"), ("a", "1 2"), ("a", "\r\n")]
        {
            assert_eq!(SetCookie::new(name, value), None, "{name}={value}");
        }
        let cookie = SetCookie::new("a", "1").unwrap();
        for path in ["", "x", "/x;y", "/ x", "/\n"] {
            assert_eq!(cookie.clone().path(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_set_is_read(name in "[a-zA-Z0-9_-]{1,9}", value in "[!#-+--:<-\\[\\]-~]{0,30}") {
            let header = SetCookie::new(&name, &value).unwrap().to_header();
            let pair = header.to_str().unwrap().split(';').next().unwrap();
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).unwrap())]);
            assert_eq!(cookie(&headers, &name), Some(&*value));
        }

        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                cookies(&HeaderMap::from_iter([(COOKIE, value)])).count();
            }
        }
    }
}
