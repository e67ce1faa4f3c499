//! Credentials in the headers of a request: `Authorization` (RFC 9110 section 11.6.2, RFC 7617, RFC 6750), else the
//! session's cookie.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::identify::Credentials;

/// Bytes of the header's value that are looked at.
const LONGEST: usize = 4096;

/// Clients differ about `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Credentials {
    /// What the headers have. `cookie` is the name of the session's; it counts only where there is no `Authorization`,
    /// so that what was said for this one request wins over what a browser always says.
    #[must_use]
    pub fn of(headers: &HeaderMap, cookie: &str) -> Self {
        let mut lines = headers.get_all(AUTHORIZATION).into_iter();
        let Some(line) = lines.next() else {
            let session = opsctl_http::cookie(headers, cookie).filter(|text| !text.is_empty());
            return session.map_or(Self::None, |text| Self::Session(text.to_owned()));
        };
        let text = line.to_str().ok().filter(|text| text.len() <= LONGEST);
        text.filter(|_| lines.next().is_none()).and_then(authorization).unwrap_or(Self::Unreadable)
    }
}

fn authorization(text: &str) -> Option<Credentials> {
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;
    use proptest::prelude::*;

    use super::*;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[track_caller]
    fn check(lines: &[&str], cookie: &str, expected: &Credentials) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, line.parse().unwrap());
        }
        if !cookie.is_empty() {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        let found = Credentials::of(&headers, "opsctl");
        assert!(found == *expected, "{lines:?} {cookie}: {found:?}");
    }

    #[test]
    fn what_headers_say() {
        check(&[], "", &Credentials::None);
        check(&[], "opsctl=abc", &Credentials::Session("abc".to_owned()));
        check(&[], "other=abc; opsctl=", &Credentials::None);
        check(&[], "__Host-opsctl=abc", &Credentials::None);
        check(&["Basic YWxpY2U6Y29ycmVjdDpob3JzZQ=="], "", &basic("alice", "correct:horse"));
        check(&["basic YWxpY2U6Y29ycmVjdDpob3JzZQ"], "opsctl=abc", &basic("alice", "correct:horse"));
        check(&["Basic  Og== "], "", &basic("", ""));
        check(&["Bearer opx_x"], "", &Credentials::Bearer("opx_x".to_owned()));
        check(&["bearer  opx_x"], "opsctl=abc", &Credentials::Bearer("opx_x".to_owned()));
    }

    #[test]
    fn what_cannot_be_read() {
        let long = format!("Bearer {}", "a".repeat(5000));
        for line in
            ["", "Basic", "Basic ", "Basic !!!", "Basic YWxpY2U=", "Basic /w==", "Negotiate abc", "opx_x", &long]
        {
            check(&[line], "opsctl=abc", &Credentials::Unreadable);
        }
        check(&["Bearer a", "Bearer a"], "", &Credentials::Unreadable);
    }

    proptest! {
        #[test]
        fn any_header(bytes in prop::collection::vec(0x20u8..0x7f, 0..60), scheme in "(Basic |Bearer |)") {
            let mut headers = HeaderMap::new();
            let line = [scheme.as_bytes(), &bytes].concat();
            headers.append(AUTHORIZATION, http::HeaderValue::from_bytes(&line).unwrap());
            prop_assert!(Credentials::of(&headers, "opsctl") != Credentials::None);
        }
    }
}
