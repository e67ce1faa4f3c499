//! Which encoding a client wants: the Accept-Encoding header (RFC 9110, section 12.5.3).

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

use crate::negotiate::weighted;

/// A content coding; the order is ours among those that a client likes equally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// `gzip` (RFC 1952).
    Gzip,
    /// `zstd` (RFC 8878).
    Zstd,
}

impl Coding {
    /// The one of `offered` that the client likes best. As it is, if it likes none of them: a client that can read
    /// nothing at all does not exist.
    #[must_use]
    pub fn of(headers: &HeaderMap, offered: &[Self]) -> Self {
        let Some(wishes) = Wishes::of(headers) else { return Self::Identity };
        let liked = offered.iter().copied().map(|coding| (wishes.weight(coding), coding));
        liked.filter(|&(weight, _)| weight > 0).max().map_or(Self::Identity, |(_, coding)| coding)
    }

    /// The value of `Content-Encoding`; None if there is to be none.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
}

/// Weights in thousandths, where the client said some.
#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    identity: Option<u16>,
    gzip: Option<u16>,
    zstd: Option<u16>,
    others: Option<u16>,
}

impl Wishes {
    /// None if the client said nothing.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut wishes = None;
        for line in headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok()) {
            let wishes: &mut Self = wishes.get_or_insert_default();
            for (name, weight) in line.split(',').filter_map(weighted) {
                let wish = match name {
                    "*" => &mut wishes.others,
                    _ if name.eq_ignore_ascii_case("identity") => &mut wishes.identity,
                    _ if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => &mut wishes.gzip,
                    _ if name.eq_ignore_ascii_case("zstd") => &mut wishes.zstd,
                    _ => continue,
                };
                *wish = Some(weight);
            }
        }
        wishes
    }

    fn weight(&self, coding: Coding) -> u16 {
        match coding {
            // acceptable unless forbidden, and not liked unless named
            Coding::Identity => self.identity.or(self.others.filter(|&weight| weight == 0)).unwrap_or(1),
            Coding::Gzip => self.gzip.or(self.others).unwrap_or(0),
            Coding::Zstd => self.zstd.or(self.others).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::Coding::{Gzip, Identity, Zstd};
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: Coding) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        assert_eq!(Coding::of(&headers, &[Identity, Gzip, Zstd]), expected, "{lines:?}");
    }

    #[test]
    fn what_clients_say() {
        check(&[], Identity);
        // pip for pages and for files, uv for pages and for metadata, browsers
        check(&["gzip, deflate"], Gzip);
        check(&["identity"], Identity);
        check(&["gzip, deflate, zstd"], Zstd);
        check(&["zstd,gzip,deflate"], Zstd);
        check(&["gzip, deflate, br, zstd"], Zstd);
    }

    #[test]
    fn weights() {
        check(&["zstd;q=0.5, gzip;q=0.8"], Gzip);
        check(&["zstd;q=0, gzip;q=0.1"], Gzip);
        check(&["gzip;q=0.5, identity"], Identity);
        check(&["gzip;q=0.5", "identity;q=0.5"], Gzip);
        check(&["gzip; Q=0.5, zstd ; q=0.4"], Gzip);
        check(&["X-GZIP"], Gzip);
        check(&["*"], Zstd);
        check(&["*;q=0.5, gzip"], Gzip);
        check(&["gzip;q=0.001"], Gzip);
    }

    #[test]
    fn nothing_usable() {
        for line in ["", "br", "deflate, compress", "gzip;q=0", "gzip;q=2", "gzip;q=", "identity;q=0", "*;q=0", ";q=1"]
        {
            check(&[line], Identity);
        }
        check(&["identity;q=0, gzip;q=0.001"], Gzip);
        check(&["*;q=0, gzip;q=0.001"], Gzip);
    }

    #[test]
    fn only_what_is_there() {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("zstd, gzip;q=0.1"))]);
        assert_eq!(Coding::of(&headers, &[Identity, Gzip]), Gzip);
        assert_eq!(Coding::of(&headers, &[Identity]), Identity);
    }

    proptest! {
        #[test]
        fn any_header_is_answered(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = Coding::of(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]), &[Identity, Gzip, Zstd]);
            }
        }
    }
}
