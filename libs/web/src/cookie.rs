//! Cookies, read and written (RFC 6265).

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// Longest value that is looked at, in bytes: a browser keeps 4096 with name and attributes.
const MAX_VALUE: usize = 4096;

/// The value of the cookie `name`; the first one, as the more specific path comes first.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && value.len() <= MAX_VALUE).map(|(_, value)| value)
}

/// How a cookie of ours is kept: for the whole site, out of reach of scripts, not sent along from other sites' forms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jar {
    /// Only over TLS.
    pub(crate) secure: bool,
}

impl Jar {
    /// The full name. `__Host-` keeps neighbours (another port, another host of the domain) from planting one, and
    /// browsers take it over TLS only.
    pub(crate) fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// Keeps `value`, which must be of the cookie alphabet, for `seconds`.
    pub(crate) fn set(self, headers: &mut HeaderMap, name: &str, value: &str, seconds: u32) {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name(name);
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.append(SET_COOKIE, line);
        }
    }

    /// Takes it away.
    pub(crate) fn clear(self, headers: &mut HeaderMap, name: &str) {
        self.set(headers, name, "", 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&'static str], expected: Option<&str>) {
        let headers: HeaderMap = lines.iter().map(|line| (COOKIE, HeaderValue::from_static(line))).collect();
        assert_eq!(find(&headers, "a"), expected, "{lines:?}");
    }

    #[test]
    fn found_by_name() {
        check(&[], None);
        check(&["a=1"], Some("1"));
        check(&["b=2; a=1"], Some("1"));
        check(&["b=2;a=1=2"], Some("1=2"));
        check(&["b=2", "a=1"], Some("1"));
        check(&["aa=1; ba=2; a"], None);
        check(&["a=1; a=2"], Some("1"));
        check(&["a="], Some(""));
    }

    #[test]
    fn written() {
        let mut headers = HeaderMap::new();
        Jar { secure: false }.set(&mut headers, "a", "1", 60);
        Jar { secure: true }.clear(&mut headers, "a");
        let lines: Vec<_> = headers.get_all(SET_COOKIE).into_iter().collect();
        assert_eq!(lines[0], "a=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        assert_eq!(lines[1], "__Host-a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
    }
}
