//! `Upload-Checksum`: what a piece of an upload has to be, in its head or in a trailer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::TRAILER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use md5::Md5;
use opsctl_http::HttpError;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::head::bad;

pub(super) const ALGORITHMS: &str = "sha1,sha256,md5";
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// 460, which is tus's own.
pub(super) fn mismatch() -> HttpError {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    HttpError::new(status, "the checksum does not match: nothing of this was kept").code("checksum")
}

/// Checksums of what goes by, and the one that is expected.
#[derive(Default)]
pub(super) struct Sums {
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    md5: Option<Md5>,
    expected: Option<(Algorithm, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
    Md5,
}

impl Sums {
    /// Those that a request wants.
    ///
    /// # Errors
    /// Its field cannot be read, or names something else.
    pub(super) fn read(headers: &HeaderMap) -> Result<Sums, HttpError> {
        if let Some(value) = headers.get(CHECKSUM) {
            let (algorithm, digest) = parse(value)?;
            let mut sums = Sums::default();
            match algorithm {
                Algorithm::Sha1 => sums.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => sums.sha256 = Some(Sha256::new()),
                Algorithm::Md5 => sums.md5 = Some(Md5::new()),
            }
            return Ok(Sums { expected: Some((algorithm, digest)), ..sums });
        }
        let announced = headers.get_all(TRAILER).iter().filter_map(|value| value.to_str().ok());
        let names = |list: &str| list.split(',').any(|name| name.trim().eq_ignore_ascii_case(CHECKSUM.as_str()));
        // which one it will be is not known before its end
        let all = Sums { sha1: Some(Sha1::new()), sha256: Some(Sha256::new()), md5: Some(Md5::new()), expected: None };
        Ok(if announced.into_iter().any(names) { all } else { Sums::default() })
    }

    /// Whether anything has to match.
    pub(super) fn are_wanted(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some() || self.md5.is_some()
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(piece);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(piece);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
    }

    /// Takes the trailer that was announced.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub(super) fn trailers(&mut self, trailers: Option<&HeaderMap>) -> Result<(), HttpError> {
        if let Some(value) = trailers.and_then(|trailers| trailers.get(CHECKSUM))
            && self.expected.is_none()
        {
            self.expected = Some(parse(value)?);
        }
        Ok(())
    }

    /// Whether what went by is what is expected.
    pub(super) fn match_all(&self) -> bool {
        let Some((algorithm, expected)) = &self.expected else { return false };
        let found = match algorithm {
            Algorithm::Sha1 => self.sha1.clone().map(|sum| sum.finalize().to_vec()),
            Algorithm::Sha256 => self.sha256.clone().map(|sum| sum.finalize().to_vec()),
            Algorithm::Md5 => self.md5.clone().map(|sum| sum.finalize().to_vec()),
        };
        found.as_ref() == Some(expected)
    }
}

fn parse(value: &HeaderValue) -> Result<(Algorithm, Vec<u8>), HttpError> {
    let (algorithm, digest) = value.to_str().unwrap_or_default().trim().split_once(' ').unwrap_or_default();
    let algorithm = match algorithm.to_ascii_lowercase().as_str() {
        "sha1" => Algorithm::Sha1,
        "sha256" => Algorithm::Sha256,
        "md5" => Algorithm::Md5,
        _ => return Err(bad("`Upload-Checksum` is one of sha1, sha256 and md5, and a digest in base64")),
    };
    let digest = STANDARD.decode(digest.trim()).map_err(|_| bad("`Upload-Checksum`: the digest is not in base64"))?;
    Ok((algorithm, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: &str = "upload-checksum";

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap())].into_iter().collect()
    }

    /// Whether `hello` is that.
    fn check(value: &str, expected: Result<bool, &str>) {
        let found = Sums::read(&headers(FIELD, value)).map(|mut sums| {
            sums.update(b"hel");
            sums.update(b"lo");
            sums.match_all()
        });
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{value}"),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{value}: {error}"),
            (found, expected) => panic!("{value}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn in_the_head() {
        check("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=", Ok(true));
        check("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ01=", Err("base64"));
        check("SHA256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", Ok(true));
        check("md5 XUFAKrxLKna5cZ2REBfFkg==", Ok(true));
        check("md5 AAAAKrxLKna5cZ2REBfFkg==", Ok(false));
        check("md5", Err("one of sha1"));
        check("crc32 AAAA", Err("one of sha1"));
    }

    #[test]
    fn in_a_trailer() {
        let mut sums = Sums::read(&headers("trailer", "X-Other, Upload-Checksum")).unwrap();
        sums.update(b"hello");
        assert!(sums.are_wanted() && !sums.match_all());
        sums.trailers(Some(&headers(FIELD, "md5 XUFAKrxLKna5cZ2REBfFkg=="))).unwrap();
        assert!(sums.match_all());
        assert!(!Sums::read(&headers("trailer", "X-Other")).unwrap().are_wanted());
    }
}
