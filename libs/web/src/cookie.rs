//! The shell's own cookies: for the whole site, out of reach of scripts, not sent along from other sites' forms.

use std::time::Duration;

use http::HeaderMap;
use http::header::SET_COOKIE;
use opsctl_http::{SetCookie, cookie};

/// How they are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jar {
    /// Only over TLS.
    pub(crate) secure: bool,
}

impl Jar {
    /// The value of a cookie that is there and not empty.
    pub(crate) fn get<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        cookie(headers, &self.name(name)).filter(|value| !value.is_empty())
    }

    /// Keeps `value`, which must be of the cookie alphabet, for `seconds`.
    pub(crate) fn set(self, headers: &mut HeaderMap, name: &str, value: &str, seconds: u64) {
        if let Some(cookie) = SetCookie::new(&self.name(name), value) {
            headers.append(SET_COOKIE, cookie.max_age(Duration::from_secs(seconds)).to_header());
        }
    }

    /// Takes it away.
    pub(crate) fn clear(self, headers: &mut HeaderMap, name: &str) {
        self.set(headers, name, "", 0);
    }

    /// The full name. `__Host-` keeps neighbours (another port, another host of the domain) from planting one, and
    /// browsers take it over TLS only.
    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;

    use super::*;

    #[test]
    fn read_and_written() {
        let mut headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("b=2; a=1; __Host-a=3; c="))]);
        let [plain, secure] = [false, true].map(|secure| Jar { secure });
        assert_eq!((plain.get(&headers, "a"), secure.get(&headers, "a")), (Some("1"), Some("3")));
        assert_eq!((plain.get(&headers, "c"), secure.get(&headers, "b")), (None, None));
        plain.set(&mut headers, "a", "1", 60);
        secure.clear(&mut headers, "a");
        let lines: Vec<_> = headers.get_all(SET_COOKIE).into_iter().collect();
        assert_eq!(lines[0], "a=1; Path=/; SameSite=Lax; Max-Age=60; HttpOnly");
        assert_eq!(lines[1], "__Host-a=; Path=/; SameSite=Lax; Max-Age=0; Secure; HttpOnly");
    }
}
