//! Entity tags (RFC 9110, section 8.8.3): which content it is, as opposed to what it is called.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use http::header::GetAll;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::Stamp;

/// An entity tag: `"abc"` is strong, its bytes are the same whenever it is; `W/"abc"` is weak, it means the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ETag(HeaderValue);

impl ETag {
    /// The strong tag of this text; None if a character in it cannot be in a tag (`"`, white space, control characters).
    #[must_use]
    pub fn strong(opaque: &str) -> Option<Self> {
        Self::new("", opaque)
    }

    /// The weak tag of this text; None as for [`Self::strong`].
    #[must_use]
    pub fn weak(opaque: &str) -> Option<Self> {
        Self::new("W/", opaque)
    }

    fn new(prefix: &str, opaque: &str) -> Option<Self> {
        let fits = opaque.bytes().all(is_etagc);
        fits.then(|| HeaderValue::try_from(format!("{prefix}\"{opaque}\"")).ok()).flatten().map(Self)
    }

    /// The strong tag of these bytes: half of their SHA-256.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let half = Sha256::digest(bytes).into_iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(byte));
        Self::hexadecimal(format_args!("{half:032x}"))
    }

    /// The strong tag of the file that has this stamp. On another machine a copy of the file has another one.
    #[must_use]
    pub fn of_stamp(stamp: &Stamp) -> Self {
        let mut hasher = DefaultHasher::new();
        stamp.hash(&mut hasher);
        Self::hexadecimal(format_args!("{:016x}-{:x}", hasher.finish(), stamp.size()))
    }

    fn hexadecimal(digits: fmt::Arguments<'_>) -> Self {
        // quotes, digits and a hyphen: it cannot fail
        Self(HeaderValue::try_from(format!("\"{digits}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\"")))
    }

    /// Does it stand for something that means the same rather than for the same bytes?
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.0.as_bytes().starts_with(b"W/")
    }

    /// As the value of a header.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn seen(&self) -> Seen<'_> {
        let bytes = self.0.as_bytes();
        let quoted = bytes.strip_prefix(b"W/").unwrap_or(bytes);
        Seen { weak: self.is_weak(), opaque: quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default() }
    }

    /// Is it the one of the header's value, both strong?
    pub(crate) fn is_strongly(&self, value: &HeaderValue) -> bool {
        let mut tags = Tags(value.as_bytes());
        tags.next().is_some_and(|tag| tag == self.seen() && !tag.weak) && tags.next().is_none()
    }

    /// Is it among those of `name`, both strong? For `If-Match`.
    pub(crate) fn is_strongly_in(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        !self.is_weak() && tags(headers.get_all(name)).any(|tag| tag == self.seen())
    }

    /// Is it among those of `name`, weak or strong? For `If-None-Match`.
    pub(crate) fn is_weakly_in(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        tags(headers.get_all(name)).any(|tag| tag.opaque == self.seen().opaque)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.0.as_bytes()).fmt(f)
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({self})")
    }
}

/// Is the value `*`: whatever there is?
pub(crate) fn is_any(value: &HeaderValue) -> bool {
    value.as_bytes().trim_ascii() == b"*"
}

fn is_etagc(byte: u8) -> bool {
    byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80
}

/// A tag in a client's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen<'a> {
    weak: bool,
    opaque: &'a [u8],
}

fn tags<'a>(lines: GetAll<'a, HeaderValue>) -> impl Iterator<Item = Seen<'a>> {
    lines.into_iter().flat_map(|line| Tags(line.as_bytes()))
}

/// The tags of a list, up to the first thing that is none. A tag may hold commas.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = Seen<'a>;

    fn next(&mut self) -> Option<Seen<'a>> {
        let start = self.0.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        let rest = &self.0[start..];
        let (weak, rest) = rest.strip_prefix(b"W/").map_or((false, rest), |rest| (true, rest));
        let rest = rest.strip_prefix(b"\"")?;
        let length = rest.iter().position(|&byte| !is_etagc(byte)).filter(|&at| rest[at] == b'"')?;
        let (opaque, rest) = (&rest[..length], rest[length + 1..].trim_ascii_start());
        let ends = rest.is_empty() || rest.starts_with(b",");
        self.0 = if ends { rest } else { &[] };
        ends.then_some(Seen { weak, opaque })
    }
}

#[cfg(test)]
mod tests {
    use http::header::IF_MATCH;
    use proptest::prelude::{any, proptest};

    use super::*;

    /// What a list says of `"a"` and of `W/"a"`: strongly, weakly.
    #[track_caller]
    fn check(list: &[&str], strong: (bool, bool), weak: (bool, bool)) {
        let headers: HeaderMap = list.iter().map(|line| (IF_MATCH, line.parse().unwrap())).collect();
        for (tag, expected) in [(ETag::strong("a"), strong), (ETag::weak("a"), weak)] {
            let tag = tag.unwrap();
            let got = (tag.is_strongly_in(&headers, &IF_MATCH), tag.is_weakly_in(&headers, &IF_MATCH));
            assert_eq!(got, expected, "{tag} in {list:?}");
        }
    }

    #[test]
    fn lists() {
        check(&[r#""a""#], (true, true), (false, true));
        check(&[r#"W/"a""#], (false, true), (false, true));
        check(&[r#""b", "a""#], (true, true), (false, true));
        check(&[r#",, "b",W/"a" ,"#], (false, true), (false, true));
        check(&[r#""b""#, r#""a""#], (true, true), (false, true));
        check(&[r#""a,b""#], (false, false), (false, false));
        check(&[r#""b,", "a""#], (true, true), (false, true));
    }

    #[test]
    fn nonsense_matches_nothing() {
        for list in ["", "a", "\"a", "a\"", "w/\"a\"", "\"b\"\"a\"", "\"b\" \"a\"", "b, \"a\"", "\"a\"b", "'a'"] {
            check(&[list], (false, false), (false, false));
        }
    }

    #[test]
    fn only_what_fits() {
        assert_eq!(ETag::strong("x-1").unwrap().to_string(), "\"x-1\"");
        assert_eq!(ETag::weak("é").unwrap().to_string(), "W/\"é\"");
        for text in ["a\"b", "a b", "a\r\nb", "\u{7f}"] {
            assert_eq!(ETag::strong(text), None, "{text:?}");
        }
    }

    #[test]
    fn of_content() {
        assert_eq!(ETag::of(b"").to_string(), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
        assert_ne!(ETag::of(b"a"), ETag::of(b"b"));
    }

    proptest! {
        #[test]
        fn any_list_is_read(bytes in any::<Vec<u8>>(), own in "[!#-~]{0,20}") {
            let own = ETag::strong(&own).unwrap();
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let mut headers = HeaderMap::from_iter([(IF_MATCH, value)]);
            own.is_strongly_in(&headers, &IF_MATCH);
            headers.append(IF_MATCH, own.to_header());
            assert!(own.is_strongly_in(&headers, &IF_MATCH) && own.is_weakly_in(&headers, &IF_MATCH));
            assert!(own.is_strongly(&own.to_header()));
        }
    }
}
