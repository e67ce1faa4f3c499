//! Which representation a client wants: the Accept header (RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of pages.
pub const XHTML: &str = "application/xhtml+xml";

/// The one of `offered` that the client likes best; among equals the first. Without an Accept header, or with one that
/// says nothing, the first of all; None if the client takes none of them (406). Parameters other than `q` are ignored.
#[must_use]
pub fn negotiate(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let mut silent = true;
    let mut best = None;
    for &offer in offered {
        // the most specific range that matches decides about an offer
        let mut decisive = None;
        for range in ranges(headers) {
            silent = false;
            if let Some(specificity) = range.matches(offer)
                && decisive.is_none_or(|(former, _)| specificity > former)
            {
                decisive = Some((specificity, range.quality));
            }
        }
        let quality = decisive.map_or(0, |(_, quality)| quality);
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((offer, quality));
        }
    }
    if silent { offered.first().copied() } else { best.map(|(offer, _)| offer) }
}

/// Does the client name XHTML itself? `*/*` does not count: programs that send it, and old browsers, often cannot show
/// XHTML that is called by its name.
#[must_use]
pub fn lists_xhtml(headers: &HeaderMap) -> bool {
    ranges(headers).any(|range| range.quality > 0 && range.is(XHTML))
}

/// A media range with its weight in thousandths.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

impl Range<'_> {
    /// How specific the range is that takes `offer`: 0 for `*/*`, 1 for `text/*`, 2 for the type itself.
    fn matches(&self, offer: &str) -> Option<u8> {
        let (kind, _) = offer.split_once('/')?;
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (range, "*") if range.eq_ignore_ascii_case(kind) => Some(1),
            _ if self.is(offer) => Some(2),
            _ => None,
        }
    }

    fn is(&self, offer: &str) -> bool {
        offer.split_once('/').is_some_and(|(kind, subtype)| {
            self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
        })
    }
}

/// All ranges of all Accept lines; those that make no sense are left out.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = Range<'_>> {
    let lines = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(range)
}

fn range(text: &str) -> Option<Range<'_>> {
    let (range, quality) = weighted(text)?;
    let (kind, subtype) = range.split_once('/')?;
    Some(Range { kind, subtype, quality })
}

/// One element of a list of wishes: what it is, without parameters, and its weight in thousandths.
pub(crate) fn weighted(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = match weight {
        Some(weight) => thousandths(weight)?,
        None => 1000,
    };
    Some((name, quality))
}

/// `1`, `0.5`, `0.125`.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain([b'0'; 3]).take(3);
    let fraction = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::{any, proptest};

    use super::*;

    const OFFERED: &[&str] = &["application/json", XHTML, "text/html"];
    const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn accept(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (ACCEPT, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[track_caller]
    fn check(lines: &[&str], expected: Option<&str>) {
        assert_eq!(negotiate(&accept(lines), OFFERED), expected, "{lines:?}");
    }

    #[test]
    fn best_match() {
        check(&[], Some("application/json"));
        check(&["*/*"], Some("application/json"));
        check(&[FIREFOX], Some(XHTML));
        check(&["text/html"], Some("text/html"));
        check(&["TEXT/HTML"], Some("text/html"));
        check(&["text/*"], Some("text/html"));
        check(&["application/*"], Some("application/json"));
        check(&["text/html;q=0.5, application/json;q=0.4"], Some("text/html"));
        check(&["text/html;q=0.5", "application/json;q=0.6"], Some("application/json"));
        check(&["text/html;charset=utf-8;q=0.1, */*;q=0.2"], Some("application/json"));
        check(&["*/*, application/json;q=0"], Some(XHTML));
    }

    #[test]
    fn nothing_acceptable() {
        check(&["image/png"], None);
        check(&["text/html;q=0"], None);
        check(&["image/png, */*;q=0.000"], None);
    }

    #[test]
    fn nonsense_counts_as_silence() {
        for line in ["", ",,", "html", "text/html;q=2", "text/html;q=0.1234", "text/html;q=", "text/html;q=x"] {
            check(&[line], Some("application/json"));
        }
    }

    #[test]
    fn xhtml_by_name_only() {
        for (line, expected) in [
            (FIREFOX, true),
            ("application/XHTML+XML;q=0.1", true),
            ("*/*", false),
            ("application/*", false),
            ("application/xhtml+xml;q=0", false),
            ("text/html", false),
        ] {
            assert_eq!(lists_xhtml(&accept(&[line])), expected, "{line}");
        }
        assert!(!lists_xhtml(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn any_header_is_answered(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers = HeaderMap::from_iter([(ACCEPT, value)]);
                let chosen = negotiate(&headers, OFFERED);
                assert!(chosen.is_none_or(|chosen| OFFERED.contains(&chosen)));
            }
        }
    }
}
