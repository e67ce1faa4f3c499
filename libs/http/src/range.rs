//! Which bytes a client wants: the Range header (RFC 9110, section 14).
//!
//! What makes no sense is ignored, as is what would cost more than sending everything: many ranges, or ranges over the
//! same bytes again and again.

use std::ops::Range;

use http::header::RANGE;
use http::{HeaderMap, HeaderValue};

/// Ranges in one request. A player or a reader of archives asks for two or three.
const MAX_RANGES: usize = 32;

/// The bytes that a client wants of a representation. Ranges are never empty and lie within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them: 200.
    All,
    /// These: 206.
    One(Range<u64>),
    /// These, in this order, no two of which touch: 206, `multipart/byteranges`.
    Several(Vec<Range<u64>>),
    /// None that exist: 416.
    Unsatisfiable,
}

impl Wanted {
    /// What a GET request with these headers wants of something that is `size` bytes long.
    #[must_use]
    pub fn of(headers: &HeaderMap, size: u64) -> Self {
        let mut lines = headers.get_all(RANGE).into_iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => parse(line, size).unwrap_or(Self::All),
            // two lines are no list: it has no meaning
            _ => Self::All,
        }
    }
}

/// None if it is to be ignored.
fn parse(line: &HeaderValue, size: u64) -> Option<Wanted> {
    let (unit, set) = line.to_str().ok()?.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut ranges = Vec::new();
    let mut overlaps = 0;
    let mut count = 0;
    // a list may have empty elements
    for spec in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        count += 1;
        if count > MAX_RANGES {
            return None;
        }
        if let Some(range) = resolve(spec, size)? {
            overlaps += add(&mut ranges, range);
        }
    }
    match ranges.as_slice() {
        _ if count == 0 || overlaps > 1 => None,
        [] => Some(Wanted::Unsatisfiable),
        [range] => Some(Wanted::One(range.clone())),
        _ => Some(Wanted::Several(ranges)),
    }
}

/// The bytes that one element means: None if there are none, outer None if it means nothing.
fn resolve(spec: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim_end(), last.trim_start());
    let range = match (first, last) {
        ("", suffix) => match number(suffix)? {
            // all that there is, but no Content-Range can say so
            1.. if size == 0 => return None,
            length => size.saturating_sub(length)..size,
        },
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some((range.start < range.end).then_some(range))
}

/// A number that is too large is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Adds a range, joined with those that it touches, at the place of the first of them. Gives the number of those that it
/// overlaps.
fn add(ranges: &mut Vec<Range<u64>>, mut range: Range<u64>) -> usize {
    let mut place = None;
    let mut overlaps = 0;
    let mut at = 0;
    while let Some(other) = ranges.get(at) {
        if range.start <= other.end && other.start <= range.end {
            overlaps += usize::from(range.start < other.end && other.start < range.end);
            range = range.start.min(other.start)..range.end.max(other.end);
            ranges.remove(at);
            place.get_or_insert(at);
        } else {
            at += 1;
        }
    }
    ranges.insert(place.unwrap_or(ranges.len()), range);
    overlaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::Wanted::{All, One, Several, Unsatisfiable};
    use super::*;

    fn wanted(lines: &[&str], size: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(RANGE, line.parse().unwrap());
        }
        Wanted::of(&headers, size)
    }

    #[track_caller]
    fn check(line: &str, expected: Wanted) {
        assert_eq!(wanted(&[line], 100), expected, "{line}");
    }

    #[test]
    fn single() {
        check("bytes=10-20", One(10..21));
        check("bytes=0-0", One(0..1));
        check("bytes=99-99", One(99..100));
        check("bytes=90-", One(90..100));
        check("bytes=0-", One(0..100));
        check("bytes=90-1000", One(90..100));
        check("bytes=0-99999999999999999999999", One(0..100));
        check("bytes=0-18446744073709551615", One(0..100));
        check("bytes=-5", One(95..100));
        check("bytes=-100", One(0..100));
        check("bytes=-1000", One(0..100));
        check("BYTES = 10 - 20 ", One(10..21));
    }

    #[test]
    fn past_the_end() {
        for line in ["bytes=100-", "bytes=100-200", "bytes=99999999999999999999-", "bytes=-0", "bytes=100-,-0"] {
            check(line, Unsatisfiable);
        }
        check("bytes=100-,-5", One(95..100));
    }

    #[test]
    fn ignored() {
        for line in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=--5",
            "bytes=20-10",
            "bytes=a-b",
            "bytes=1-b",
            "bytes=1",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=1-2;3-4",
            "bytes=1-2-3",
            "bytes=0-1,20-10",
            "items=1-2",
            "bytes:1-2",
            "bytes=1.5-2",
            "bytes=1-2 3-4",
        ] {
            check(line, All);
        }
        assert_eq!(wanted(&[], 100), All);
        assert_eq!(wanted(&["bytes=0-1", "bytes=2-3"], 100), All);
    }

    #[test]
    fn several() {
        check("bytes=0-1,5-6", Several(vec![0..2, 5..7]));
        check("bytes= 5-6 ,, 0-1,", Several(vec![5..7, 0..2]));
        check("bytes=0-1,200-,-1", Several(vec![0..2, 99..100]));
        check("bytes=0-1,2-3", One(0..4));
        check("bytes=50-60,0-1,40-49", Several(vec![40..61, 0..2]));
        check("bytes=0-1,90-,80-95", Several(vec![0..2, 80..100]));
    }

    #[test]
    fn greedy() {
        check("bytes=0-50,40-60", One(0..61));
        check("bytes=0-50,40-60,55-70", All);
        check("bytes=0-,0-,0-", All);
        check("bytes=0-10,20-30,5-25", All);
        let many = |count: u64| (0..count).map(|at| format!("{}-{}", at * 3, at * 3)).collect::<Vec<_>>().join(",");
        check(&format!("bytes={}", many(32)), Several((0..32).map(|at| at * 3..at * 3 + 1).collect()));
        check(&format!("bytes={}", many(33)), All);
    }

    #[test]
    fn of_an_empty_file() {
        assert_eq!(wanted(&["bytes=0-"], 0), Unsatisfiable);
        assert_eq!(wanted(&["bytes=0-0"], 0), Unsatisfiable);
        assert_eq!(wanted(&["bytes=-0"], 0), Unsatisfiable);
        assert_eq!(wanted(&["bytes=-5"], 0), All);
    }

    /// Which bytes are wanted, found out one by one.
    fn model(specs: &[(u64, u64)], size: u64) -> Vec<bool> {
        (0..size).map(|at| specs.iter().any(|&(first, last)| first <= at && at <= last)).collect()
    }

    proptest! {
        #[test]
        fn covers_what_was_asked(specs in proptest::collection::vec((0u64..40, 0u64..40), 1..5), size in 1u64..40) {
            let specs: Vec<_> = specs.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect();
            let text = specs.iter().map(|(first, last)| format!("{first}-{last}")).collect::<Vec<_>>().join(",");
            let ranges = match wanted(&[&format!("bytes={text}")], size) {
                All => return Ok(()),
                One(range) => vec![range],
                Several(ranges) => ranges,
                Unsatisfiable => vec![],
            };
            let mut got = vec![false; usize::try_from(size).unwrap()];
            for range in &ranges {
                assert!(range.start < range.end && range.end <= size);
                for at in range.clone() {
                    assert!(!std::mem::replace(&mut got[usize::try_from(at).unwrap()], true), "sent twice");
                }
            }
            assert_eq!(got, model(&specs, size));
            assert!(ranges.iter().all(|one| !ranges.iter().any(|other| one.end == other.start)), "joined");
        }

        #[test]
        fn any_header_is_answered(bytes in any::<Vec<u8>>(), size in any::<u64>()) {
            for prefix in [&b""[..], b"bytes="] {
                let Ok(value) = HeaderValue::from_bytes(&[prefix, &bytes].concat()) else { continue };
                let _ = Wanted::of(&HeaderMap::from_iter([(RANGE, value)]), size);
            }
        }

        #[test]
        fn any_set_is_answered(set in "[0-9, -]{0,40}", size in 0u64..1000) {
            wanted(&[&format!("bytes={set}")], size);
        }
    }
}
