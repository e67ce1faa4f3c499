//! Percent-encoding (RFC 3986, section 2): any text as one segment of a path, and back.

use std::fmt;

/// A text as one segment of a path: whatever is in it, slashes as well, it is one segment and no other.
///
/// `.` and `..` mean something else in a path and cannot be said in another way (RFC 3986, section 5.2.4): do not let
/// things be called so.
#[derive(Debug, Clone, Copy)]
pub struct Segment<T>(pub T);

impl<T: AsRef<str>> fmt::Display for Segment<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(self.0.as_ref(), is_unreserved, f)
    }
}

/// Writes `text`, with those bytes of it that are not `plain` encoded; only ASCII can be plain.
pub(crate) fn encode(text: &str, plain: fn(u8) -> bool, f: &mut impl fmt::Write) -> fmt::Result {
    text.bytes().try_for_each(|byte| match byte.is_ascii() && plain(byte) {
        true => f.write_char(char::from(byte)),
        false => write!(f, "%{byte:02X}"),
    })
}

/// Never has to be encoded (RFC 3986, section 2.3).
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes once. What is no percent sequence stays.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after.first_chunk::<2>().filter(|_| byte == b'%').and_then(|&[high, low]| {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            Some(digit(high)? << 4 | digit(low)?)
        });
        decoded.push(pair.unwrap_or(byte));
        rest = if pair.is_some() { &after[2..] } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check(text: &str, segment: &str) {
        assert_eq!(Segment(text).to_string(), segment);
        assert_eq!(decode(segment.as_bytes()), text.as_bytes());
    }

    #[test]
    fn segments() {
        check("moshez", "moshez");
        check("a-b_c.d~1", "a-b_c.d~1");
        check("a/b c?d#e%f", "a%2Fb%20c%3Fd%23e%25f");
        check("<\"'&>\r\n\0", "%3C%22%27%26%3E%0D%0A%00");
        check("naïve", "na%C3%AFve");
    }

    #[test]
    fn decoding_is_lenient() {
        for (text, decoded) in [("%", "%"), ("%4", "%4"), ("%4g%41", "%4gA"), ("%2525", "%25"), ("%+1", "%+1")] {
            assert_eq!(decode(text.as_bytes()), decoded.as_bytes(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(text in any::<String>()) {
            let segment = Segment(&text).to_string();
            assert!(segment.bytes().all(|byte| byte == b'%' || is_unreserved(byte)));
            assert_eq!(decode(segment.as_bytes()), text.as_bytes());
        }

        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>()) {
            decode(&bytes);
        }
    }
}
