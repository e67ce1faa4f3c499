//! The header fields of tus requests.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opsctl_http::HttpError;

use super::{CONCAT, DEFER, LENGTH, METADATA};
use crate::error::Error;
use crate::ingest::Metadata;
use crate::records::Concat;

/// The type of an upload's bytes.
const PIECE: &str = "application/offset+octet-stream";
/// Parts of an upload.
const PARTS: usize = 100;

/// What begins an upload.
#[derive(Debug)]
pub(super) struct Begin {
    /// `None` if it is said later.
    pub(super) length: Option<u64>,
    pub(super) concat: Concat,
    pub(super) metadata: Metadata,
    /// The metadata as it came.
    pub(super) text: String,
    /// Whether its first bytes come with it.
    pub(super) has_body: bool,
}

impl Begin {
    pub(super) fn read(headers: &HeaderMap) -> Result<Begin, HttpError> {
        let text = text(headers, &METADATA)?.unwrap_or_default();
        let metadata: Metadata = text.parse().map_err(Error::from)?;
        let concat = read_concat(headers)?;
        let deferred = match headers.get(DEFER).map(HeaderValue::as_bytes) {
            None => false,
            Some(b"1") => true,
            Some(_) => return Err(bad("`Upload-Defer-Length` can only be 1")),
        };
        let length = match (number(headers, &LENGTH)?, deferred) {
            (Some(_), true) => return Err(bad("`Upload-Length` and `Upload-Defer-Length` exclude each other")),
            (None, false) if !matches!(concat, Concat::Final(_)) => {
                return Err(bad("`Upload-Length` or `Upload-Defer-Length: 1` is missing"));
            }
            (length, _) => length,
        };
        let is_sized = number(headers, &CONTENT_LENGTH)?.is_some_and(|length| length > 0);
        let has_body = is_sized || headers.contains_key(TRANSFER_ENCODING);
        if has_body {
            if matches!(concat, Concat::Final(_)) {
                return Err(bad("an upload that is put together from parts has no bytes of its own"));
            }
            is_piece(headers)?;
        }
        Ok(Begin { length, concat, metadata, text, has_body })
    }
}

/// Whether a body is a piece of an upload.
///
/// # Errors
/// 415.
pub(super) fn is_piece(headers: &HeaderMap) -> Result<(), HttpError> {
    match headers.get(CONTENT_TYPE).is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(PIECE.as_bytes())) {
        true => Ok(()),
        false => Err(HttpError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "`Content-Type: application/offset+octet-stream` is expected",
        )),
    }
}

/// A field that is a number.
///
/// # Errors
/// It is none.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, HttpError> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    // what databases hold
    let number = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    number.filter(|_| digits).map(Some).ok_or_else(|| bad(format!("`{name}` is no number")))
}

fn read_concat(headers: &HeaderMap) -> Result<Concat, HttpError> {
    let Some(text) = text(headers, &CONCAT)? else { return Ok(Concat::Whole) };
    if text == "partial" {
        return Ok(Concat::Partial);
    }
    let Some(list) = text.strip_prefix("final;") else {
        return Err(bad("`Upload-Concat` is `partial`, or `final;` with the addresses of parts"));
    };
    // an address ends with what the upload is called, whichever host it names
    let parts: Vec<_> = list.split_whitespace().filter_map(|part| part.rsplit('/').next()).map(str::to_owned).collect();
    let is_id = |part: &String| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut different = parts.clone();
    different.sort_unstable();
    different.dedup();
    match (1..=PARTS).contains(&parts.len()) && parts.iter().all(is_id) && different.len() == parts.len() {
        true => Ok(Concat::Final(parts)),
        false => Err(bad("`Upload-Concat` names 1 to 100 different parts")),
    }
}

/// `Upload-Concat` of an answer.
pub(super) fn concat(concat: &Concat, top: &str) -> Option<HeaderValue> {
    match concat {
        Concat::Whole => None,
        Concat::Partial => Some(HeaderValue::from_static("partial")),
        Concat::Final(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| format!("{top}/tus/{part}")).collect();
            HeaderValue::try_from(format!("final;{}", parts.join(" "))).ok()
        }
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, HttpError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| bad(format!("`{name}` is not of ASCII characters")))?;
    Ok(Some(text.trim().to_owned()))
}

pub(super) fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> HttpError {
    HttpError::bad_request(message).code("bad-header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap())
        };
        fields.iter().map(field).collect()
    }

    /// What is wrong with a request to begin an upload, if anything.
    fn check(fields: &[(&'static str, &str)], expected: Result<(Option<u64>, Concat, bool), &str>) {
        let found = Begin::read(&headers(fields));
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!((found.length, found.concat, found.has_body), expected, "{fields:?}")
            }
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{fields:?}: {error}"),
            (found, expected) => panic!("{fields:?}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn beginnings() {
        let (one, two) = ("0".repeat(32), "1".repeat(32));
        let all = format!("final;/api/v1/tus/{one} https://example.org/api/v1/tus/{two}");
        check(&[("upload-length", "100")], Ok((Some(100), Concat::Whole, false)));
        check(&[("upload-defer-length", "1")], Ok((None, Concat::Whole, false)));
        check(&[("upload-length", "5"), ("upload-concat", "partial")], Ok((Some(5), Concat::Partial, false)));
        check(&[("upload-concat", &all)], Ok((None, Concat::Final(vec![one.clone(), two]), false)));
        let piece = [("upload-length", "5"), ("content-length", "5"), ("content-type", PIECE)];
        check(&piece, Ok((Some(5), Concat::Whole, true)));
        check(&[], Err("is missing"));
        check(&[("upload-length", "-1")], Err("no number"));
        check(&[("upload-length", "+1")], Err("no number"));
        check(&[("upload-length", "99999999999999999999")], Err("no number"));
        check(&[("upload-length", "1"), ("upload-defer-length", "1")], Err("exclude each other"));
        check(&[("upload-defer-length", "2")], Err("can only be 1"));
        check(&[("upload-length", "5"), ("content-length", "5")], Err("Content-Type"));
        check(&[("upload-length", "5"), ("upload-concat", "whole")], Err("`partial`, or `final;`"));
        check(&[("upload-concat", "final;")], Err("different parts"));
        check(&[("upload-concat", &format!("final;/{one} /{one}"))], Err("different parts"));
        check(&[("upload-concat", "final;/../x")], Err("different parts"));
        check(&[("upload-length", "5"), ("upload-metadata", "filename !")], Err("base64"));
    }

    #[test]
    fn what_an_upload_is_put_together_from() {
        let text = |concat: Concat| super::concat(&concat, "/api/v1").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(text(Concat::Whole), None);
        let parts = Concat::Final(vec!["a".into(), "b".into()]);
        assert_eq!(text(parts).unwrap(), "final;/api/v1/tus/a /api/v1/tus/b");
    }
}
