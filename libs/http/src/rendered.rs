//! Documents that are rendered when something changes and sent many times: kept as bytes in each encoding, each with a
//! strong tag of its own, so that a request costs a look at its headers.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue, Method};

use crate::entity::{Reply, Send};
use crate::{Coding, ETag, Entity};

/// Levels at which a page of 100 KB takes about a millisecond; higher ones take long for the last per cent.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 6;

/// A finished document. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// As it is first, then what is smaller.
    variants: Arc<[Variant]>,
}

#[derive(Debug)]
struct Variant {
    coding: Coding,
    entity: Entity,
    bytes: Bytes,
}

impl Rendered {
    /// `bytes` as they are, for what cannot be made smaller: pictures, archives. `entity` gets a tag made from them.
    #[must_use]
    pub fn new(entity: Entity, bytes: impl Into<Bytes>) -> Self {
        Self { variants: Arc::new([Variant::new(Coding::Identity, entity, bytes.into())]) }
    }

    /// `bytes`, also as gzip and zstd where that is smaller. Takes about two milliseconds for 100 KB, at once.
    #[must_use]
    pub fn compressed(entity: Entity, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let others = [(Coding::Gzip, gzip(&bytes)), (Coding::Zstd, zstd::bulk::compress(&bytes, ZSTD_LEVEL))];
        let smaller = others.into_iter().filter_map(|(coding, result)| {
            let other = result.ok().filter(|other| other.len() < bytes.len())?;
            Some((coding, other.into()))
        });
        let mut variants: Vec<(Coding, Bytes)> = vec![(Coding::Identity, bytes.clone())];
        variants.extend(smaller);
        let entity = entity.vary("accept-encoding");
        let variants = variants.into_iter().map(|(coding, bytes)| Variant::new(coding, entity.clone(), bytes));
        Self { variants: variants.collect() }
    }

    /// The document as it is.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        self.variants.first().map_or(&NONE, |variant| &variant.bytes)
    }

    /// Bytes in all encodings: what it takes of the memory.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.variants.iter().map(|variant| variant.bytes.len()).sum()
    }

    /// The answer to a request for it: the whole in the encoding that the client likes best, parts of that, or that it is
    /// not modified.
    #[must_use]
    pub fn respond(&self, method: &Method, headers: &HeaderMap) -> Response {
        let Some(Variant { entity, bytes, .. }) = self.choose(headers) else { return Response::default() };
        let Reply { head, send } = entity.reply(method, headers, bytes.len() as u64);
        let body = match send {
            Send::Nothing => return head,
            Send::One(range) => Body::from(part(bytes, &range)),
            Send::Several(ranges) => {
                let bytes = bytes.clone();
                Body::new(ranges.body(None, move |range| http_body_util::Full::new(part(&bytes, &range))))
            }
        };
        head.map(|_| body)
    }

    fn choose(&self, headers: &HeaderMap) -> Option<&Variant> {
        let coding = match &*self.variants {
            [_] => Coding::Identity,
            variants => {
                let mut offered = [Coding::Identity; 3];
                offered.iter_mut().zip(variants).for_each(|(offer, variant)| *offer = variant.coding);
                Coding::of(headers, &offered)
            }
        };
        self.variants.iter().find(|variant| variant.coding == coding)
    }
}

impl Variant {
    fn new(coding: Coding, mut entity: Entity, bytes: Bytes) -> Self {
        entity = entity.etag(ETag::of(&bytes));
        if let Some(header) = coding.header() {
            entity = entity.header(CONTENT_ENCODING, header);
        }
        Self { coding, entity, bytes }
    }
}

fn part(bytes: &Bytes, range: &std::ops::Range<u64>) -> Bytes {
    match (usize::try_from(range.start), usize::try_from(range.end)) {
        (Ok(start), Ok(end)) if end <= bytes.len() => bytes.slice(start..end),
        _ => Bytes::new(),
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    encoder.write_all(bytes)?;
    encoder.finish()
}

impl Entity {
    /// With another name in `Vary`: the answer depends on that header of the request.
    #[must_use]
    pub fn vary(self, name: &str) -> Self {
        let former = self.headers().get(VARY).and_then(|former| former.to_str().ok());
        let all = former.map_or_else(|| name.to_owned(), |former| format!("{former}, {name}"));
        match HeaderValue::try_from(all) {
            Ok(value) => self.header(VARY, value),
            Err(_) => self,
        }
    }
}
