//! Conditional requests (RFC 9110, section 13): does the client already have it, and is what it wants to change still
//! what it saw?

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, Method};

use crate::etag::is_any;
use crate::{ETag, HttpDate};

/// By what a client recognises a representation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<ETag>,
    /// `Last-Modified`.
    pub modified: Option<HttpDate>,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There are none, or they hold: do as asked.
    Holds,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not, or no longer, what the client believes.
    Failed,
}

impl Condition {
    /// The conditions of a request for something that is now `current`, or does not exist. In the order of section
    /// 13.2.2; `If-Range` is not among them, it concerns [ranges](crate::Wanted).
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap, current: Option<&Validators>) -> Self {
        // they select nothing (section 13.2.1)
        if matches!(*method, Method::CONNECT | Method::OPTIONS | Method::TRACE) {
            return Self::Holds;
        }
        if headers.contains_key(IF_MATCH) {
            if !matches(headers, &IF_MATCH, current, ETag::is_strongly_in) {
                return Self::Failed;
            }
        } else if let Some(since) = date(headers, &IF_UNMODIFIED_SINCE)
            && let Some(modified) = current.and_then(|current| current.modified)
            && modified > since
        {
            return Self::Failed;
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if headers.contains_key(IF_NONE_MATCH) {
            return match matches(headers, &IF_NONE_MATCH, current, ETag::is_weakly_in) {
                false => Self::Holds,
                true if reads => Self::NotModified,
                true => Self::Failed,
            };
        }
        match (date(headers, &IF_MODIFIED_SINCE), current.and_then(|current| current.modified)) {
            (Some(since), Some(modified)) if reads && modified <= since => Self::NotModified,
            _ => Self::Holds,
        }
    }
}

impl Validators {
    /// Does `If-Range` allow for a part? Also true without it (section 13.1.5).
    ///
    /// A tag has to be strong. A date has to be the very one, and old enough: within the second in which something
    /// changed it may change again (section 8.8.2.2).
    pub(crate) fn allow_range(&self, headers: &HeaderMap, now: impl FnOnce() -> HttpDate) -> bool {
        let Some(value) = one(headers, &IF_RANGE) else { return !headers.contains_key(IF_RANGE) };
        match HttpDate::from_header(value) {
            Some(date) => self.modified == Some(date) && now() > date,
            None => self.etag.as_ref().is_some_and(|etag| etag.is_strongly(value)),
        }
    }
}

fn matches(
    headers: &HeaderMap,
    name: &HeaderName,
    current: Option<&Validators>,
    is_in: impl Fn(&ETag, &HeaderMap, &HeaderName) -> bool,
) -> bool {
    let Some(current) = current else { return false };
    let any = headers.get(name).is_some_and(is_any);
    any || current.etag.as_ref().is_some_and(|etag| is_in(etag, headers, name))
}

/// A date that stands alone and is one; otherwise the line is to be ignored.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<HttpDate> {
    one(headers, name).and_then(HttpDate::from_header)
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a http::HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::Condition::{Failed, Holds, NotModified};
    use super::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<Vec<_>>()
            .into_iter()
            .fold(HeaderMap::new(), |mut headers, (name, value): (HeaderName, _)| {
                headers.append(name, value);
                headers
            })
    }

    fn current() -> Validators {
        Validators { etag: ETag::strong("a"), modified: SAME.parse().ok() }
    }

    #[track_caller]
    fn check(lines: &[(&str, &str)], get: Condition, put: Condition) {
        for (method, expected) in [(Method::GET, get), (Method::HEAD, get), (Method::PUT, put), (Method::DELETE, put)] {
            assert_eq!(Condition::of(&method, &headers(lines), Some(&current())), expected, "{method} {lines:?}");
        }
        assert_eq!(Condition::of(&Method::OPTIONS, &headers(lines), Some(&current())), Holds);
    }

    #[test]
    fn by_tag() {
        check(&[], Holds, Holds);
        check(&[("if-match", r#""a""#)], Holds, Holds);
        check(&[("if-match", "*")], Holds, Holds);
        check(&[("if-match", r#"W/"a""#)], Failed, Failed);
        check(&[("if-match", r#""b", "c""#)], Failed, Failed);
        check(&[("if-none-match", r#""a""#)], NotModified, Failed);
        check(&[("if-none-match", r#"W/"a""#)], NotModified, Failed);
        check(&[("if-none-match", "*")], NotModified, Failed);
        check(&[("if-none-match", r#""b""#)], Holds, Holds);
        check(&[("if-none-match", r#""b""#), ("if-none-match", r#""a""#)], NotModified, Failed);
    }

    #[test]
    fn by_date() {
        check(&[("if-modified-since", BEFORE)], Holds, Holds);
        check(&[("if-modified-since", SAME)], NotModified, Holds);
        check(&[("if-modified-since", AFTER)], NotModified, Holds);
        check(&[("if-unmodified-since", BEFORE)], Failed, Failed);
        check(&[("if-unmodified-since", SAME)], Holds, Holds);
        check(&[("if-unmodified-since", AFTER)], Holds, Holds);
        for nonsense in ["", "yesterday", "0"] {
            check(&[("if-modified-since", nonsense)], Holds, Holds);
            check(&[("if-unmodified-since", nonsense)], Holds, Holds);
        }
        check(&[("if-modified-since", SAME), ("if-modified-since", SAME)], Holds, Holds);
    }

    #[test]
    fn precedence() {
        // a tag decides alone
        check(&[("if-none-match", r#""b""#), ("if-modified-since", AFTER)], Holds, Holds);
        check(&[("if-none-match", r#""a""#), ("if-modified-since", BEFORE)], NotModified, Failed);
        check(&[("if-match", r#""a""#), ("if-unmodified-since", BEFORE)], Holds, Holds);
        check(&[("if-match", r#""b""#), ("if-unmodified-since", AFTER)], Failed, Failed);
        // what may fail comes first
        check(&[("if-match", r#""b""#), ("if-none-match", r#""a""#)], Failed, Failed);
        check(&[("if-match", r#""a""#), ("if-none-match", r#""a""#)], NotModified, Failed);
        check(&[("if-unmodified-since", BEFORE), ("if-none-match", r#""a""#)], Failed, Failed);
    }

    #[test]
    fn of_nothing() {
        for (line, expected) in [
            (("if-match", "*"), Failed),
            (("if-match", r#""a""#), Failed),
            (("if-none-match", "*"), Holds),
            (("if-none-match", r#""a""#), Holds),
            (("if-modified-since", AFTER), Holds),
            (("if-unmodified-since", BEFORE), Holds),
        ] {
            assert_eq!(Condition::of(&Method::PUT, &headers(&[line]), None), expected, "{line:?}");
        }
        // no validators is not nothing
        let bare = Validators::default();
        assert_eq!(Condition::of(&Method::PUT, &headers(&[("if-none-match", "*")]), Some(&bare)), Failed);
        assert_eq!(Condition::of(&Method::GET, &headers(&[("if-none-match", r#""a""#)]), Some(&bare)), Holds);
    }

    #[test]
    fn parts_of_the_same_only() {
        let now = || AFTER.parse().unwrap();
        let same_second = || SAME.parse().unwrap();
        let weak = Validators { etag: ETag::weak("a"), ..current() };
        for (lines, expected) in [
            (&[][..], true),
            (&[("if-range", r#""a""#)], true),
            (&[("if-range", r#""b""#)], false),
            (&[("if-range", r#"W/"a""#)], false),
            (&[("if-range", r#""a", "b""#)], false),
            (&[("if-range", SAME)], true),
            (&[("if-range", BEFORE)], false),
            (&[("if-range", AFTER)], false),
            (&[("if-range", "nonsense")], false),
            (&[("if-range", r#""a""#), ("if-range", r#""a""#)], false),
        ] {
            assert_eq!(current().allow_range(&headers(lines), now), expected, "{lines:?}");
        }
        assert!(!weak.allow_range(&headers(&[("if-range", r#"W/"a""#)]), now));
        assert!(!weak.allow_range(&headers(&[("if-range", r#""a""#)]), now));
        assert!(!current().allow_range(&headers(&[("if-range", SAME)]), same_second), "it may change once more");
    }
}
