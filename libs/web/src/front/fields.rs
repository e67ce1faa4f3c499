//! The fields of a form that are the shell's own, `_method` and `_csrf`, read from the beginning of its body before
//! anybody else reads it.
//!
//! They stand first in every form (`parts.html` puts them there), so only a small window is looked at, and an upload
//! of any size streams on untouched.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::csrf::CSRF_FIELD;

/// The name of the field that holds the method.
pub(crate) const METHOD_FIELD: &str = "_method";
/// Longest boundary between the parts (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The media types that a form can send and that are read here (HTML, section 4.10.21.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    UrlEncoded,
    /// With the line between the parts.
    Multipart(String),
}

impl Kind {
    /// By the content type; None for what is no form.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let line = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let (kind, parameters) = line.split_once(';').unwrap_or((line, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Some(Self::UrlEncoded),
            "multipart/form-data" => Some(Self::Multipart(format!("--{}", boundary(parameters)?))),
            _ => None,
        }
    }
}

fn boundary(parameters: &str) -> Option<&str> {
    let value = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).find_map(|(name, value)| {
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (1..=MAX_BOUNDARY).contains(&value.len()).then_some(value)
}

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) method: Option<String>,
    pub(crate) token: Option<String>,
}

impl Fields {
    fn take(&mut self, name: &str, value: &str) {
        let place = match name {
            METHOD_FIELD => &mut self.method,
            CSRF_FIELD => &mut self.token,
            _ => return,
        };
        place.get_or_insert_with(|| value.to_owned());
    }
}

/// Reads what there is of a body. None: more of it might say more; at its end (`whole`) there is always an answer.
pub(crate) fn read(kind: &Kind, body: &[u8], whole: bool) -> Option<Fields> {
    match kind {
        Kind::UrlEncoded => read_urlencoded(body, whole),
        Kind::Multipart(line) => read_multipart(line, body, whole),
    }
}

/// Fields of any name may stand before ours: a form of the user's own may have them anywhere near the beginning.
fn read_urlencoded(body: &[u8], whole: bool) -> Option<Fields> {
    let complete = match whole {
        true => body,
        false => &body[..body.iter().rposition(|&byte| byte == b'&').unwrap_or(0)],
    };
    let mut fields = Fields::default();
    form_urlencoded::parse(complete).for_each(|(name, value)| fields.take(&name, &value));
    (whole || (fields.method.is_some() && fields.token.is_some())).then_some(fields)
}

/// Ours come first: the first part that is another's ends the search.
fn read_multipart(line: &str, body: &[u8], whole: bool) -> Option<Fields> {
    let mut fields = Fields::default();
    let mut rest = after(body, line.as_bytes());
    let next = format!("\r\n{line}");
    let more = loop {
        let Some(part) = rest else { break true };
        let Some(part) = part.strip_prefix(b"\r\n") else { break b"\r\n".starts_with(part) };
        let Some(end) = find(part, b"\r\n\r\n") else { break true };
        let Some(name) = field_name(&part[..end]) else { break false };
        let value = &part[end + 4..];
        let Some(end) = find(value, next.as_bytes()) else { break true };
        fields.take(name, &String::from_utf8_lossy(&value[..end]));
        rest = value.get(end + next.len()..);
    };
    (whole || !more).then_some(fields)
}

/// The name of a part, if it is one of ours and not a file.
fn field_name(head: &[u8]) -> Option<&'static str> {
    let head = std::str::from_utf8(head).ok()?;
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?;
    let name = disposition.split(';').find_map(|parameter| parameter.trim().strip_prefix("name="))?;
    [METHOD_FIELD, CSRF_FIELD].into_iter().find(|ours| name.trim_matches('"') == *ours)
}

fn after<'a>(bytes: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    find(bytes, part).map(|at| &bytes[at + part.len()..])
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::{any, proptest};

    use super::*;

    fn kind(line: &str) -> Option<Kind> {
        Kind::of(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(line).unwrap())]))
    }

    #[test]
    fn kinds() {
        let check = |line: &str, expected: Option<Kind>| assert_eq!(kind(line), expected, "{line}");
        let multipart = |line: &str| Some(Kind::Multipart(line.to_owned()));
        check("application/x-www-form-urlencoded", Some(Kind::UrlEncoded));
        check("Application/X-WWW-Form-UrlEncoded; charset=utf-8", Some(Kind::UrlEncoded));
        check("multipart/form-data; boundary=x", multipart("--x"));
        check("multipart/form-data; charset=utf-8; Boundary=\"a b\"", multipart("--a b"));
        check("multipart/form-data", None);
        check("multipart/form-data; boundary=", None);
        check(&format!("multipart/form-data; boundary={}", "x".repeat(71)), None);
        check("text/plain", None);
        check("application/json", None);
    }

    #[track_caller]
    fn check(kind: &Kind, body: &str, expected: Option<(Option<&str>, Option<&str>)>) {
        let fields = |(method, token): (Option<&str>, Option<&str>)| Fields {
            method: method.map(str::to_owned),
            token: token.map(str::to_owned),
        };
        assert_eq!(read(kind, body.as_bytes(), false), expected.map(fields), "{body}");
    }

    #[test]
    fn urlencoded() {
        let check = |body, expected| check(&Kind::UrlEncoded, body, expected);
        check("_method=PUT&_csrf=a%2Bb&name=", Some((Some("PUT"), Some("a+b"))));
        check("name=x&_csrf=t&_method=PUT&", Some((Some("PUT"), Some("t"))));
        check("_csrf=1&_csrf=2&_method=A&_method=B&", Some((Some("A"), Some("1"))));
        // the value may go on
        check("_method=PUT&_csrf=a", None);
        check("", None);
        let whole = read(&Kind::UrlEncoded, b"a=1&_csrf=a", true).unwrap();
        assert_eq!((whole.method, whole.token.as_deref()), (None, Some("a")));
    }

    #[test]
    fn multipart() {
        let check = |body: &str, expected| check(&Kind::Multipart("--x".to_owned()), body, expected);
        let part =
            |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n");
        let [method, token] = [part("name=\"_method\"", "PUT"), part("name=\"_csrf\"", "t")];
        check(&format!("{method}{token}{}", part("name=\"a\"", "")), Some((Some("PUT"), Some("t"))));
        check(&format!("{token}--x--\r\n"), Some((None, Some("t"))));
        // neither waits for a file of any size
        check(&part("name=\"f\"; filename=\"_csrf\"", "..."), Some((None, None)));
        check(&format!("{}{token}", part("name=\":action\"", "file_upload")), Some((None, None)));
        // both, and nothing more is waited for than the next part's head
        check(&format!("{method}{token}"), None);
        // the value may go on
        check(&method, None);
        check("--x", None);
        check("--x\r\nContent-Disp", None);
        check("", None);
        let kind = Kind::Multipart("--x".to_owned());
        assert_eq!(read(&kind, b"", true), Some(Fields::default()));
        let cut = read(&kind, format!("{method}--x\r\nContent").as_bytes(), true).unwrap();
        assert_eq!(cut.method.as_deref(), Some("PUT"));
    }

    proptest! {
        #[test]
        fn any_bytes(body in any::<Vec<u8>>(), whole in any::<bool>()) {
            for kind in [Kind::UrlEncoded, Kind::Multipart("-".to_owned())] {
                let found = read(&kind, &body, whole);
                assert!(found.is_some() || !whole);
            }
        }
    }
}
