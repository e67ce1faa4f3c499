//! What players ask for that jump to a place which they have not loaded: `?start=…`, as with the flv and mp4 modules of
//! nginx. What makes no sense gets the whole file, as there.

use super::mp4::Span;

/// The part of a file that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seek {
    /// An FLV file from this byte on.
    Byte(u64),
    /// An MP4 file from a time on.
    Time(Span),
}

/// Of a time in whole seconds: some thirty years.
const MOST_DIGITS: usize = 9;

impl Seek {
    /// What a query wants of the file at this path. None for all of it.
    pub(crate) fn of(path: &str, query: &str) -> Option<Seek> {
        match path {
            ".flv" => {
                let start = parameter(query, "start")?;
                let plain = start.bytes().all(|byte| byte.is_ascii_digit());
                start.parse().ok().filter(|start| *start > 0 && plain).map(Seek::Byte)
            }
            ".mp4" | ".m4a" => {
                let start = parameter(query, "start").and_then(milliseconds).unwrap_or(0);
                let end = parameter(query, "end").and_then(milliseconds).filter(|end| *end > start);
                (start > 0 || end.is_some()).then_some(Seek::Time(Span { start, end }))
            }
            _ => None,
        }
    }

    /// Tells parts of a file apart.
    pub(crate) fn tag(self) -> String {
        match self {
            Seek::Byte(start) => format!("?{start}"),
            Seek::Time(Span { start, end }) => format!("?{start}-{}", end.unwrap_or(0)),
        }
    }
}

/// The first value of a name; numbers need no decoding.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// `12`, `12.5`, in thousandths.
fn milliseconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > MOST_DIGITS || !digits(whole) || !digits(fraction) {
        return None;
    }
    let thousandths = fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(whole.parse::<u64>().ok()? * 1000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes() {
        let check =
            |query, expected: Option<u64>| assert_eq!(Seek::of(".flv", query), expected.map(Seek::Byte), "{query}");
        check("start=13", Some(13));
        check("a=b&start=4096&c", Some(4096));
        for query in [
            "",
            "start",
            "start=",
            "start=0",
            "start=-1",
            "start=+1",
            "start=1.5",
            "start=99999999999999999999",
            "xstart=1",
        ] {
            check(query, None);
        }
        assert_eq!(Seek::of(".jpg", "start=1"), None);
        assert_eq!(Seek::of("/h264/init.mp4", "start=1"), None);
    }

    #[test]
    fn times() {
        let check = |query, expected: Option<(u64, Option<u64>)>| {
            let expected = expected.map(|(start, end)| Seek::Time(Span { start, end }));
            assert_eq!(Seek::of(".mp4", query), expected, "{query}");
        };
        check("start=2", Some((2000, None)));
        check("start=2.5&end=3.1234", Some((2500, Some(3123))));
        check("end=4", Some((0, Some(4000))));
        check("start=4&end=4", Some((4000, None)));
        check("start=4&end=x", Some((4000, None)));
        check("start=999999999.999", Some((999_999_999_999, None)));
        for query in
            ["start=0", "start=-1", "start=.5", "start=1e3", "start=NaN", "start=1.-1", "start=9999999999", "start=١"]
        {
            check(query, None);
        }
    }
}
