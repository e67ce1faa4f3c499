//! Addresses that are good until a time: `?exp=…&kid=…&sig=…`, HMAC-SHA256 (RFC 2104) over `v1`, the path and the time, a
//! line each. The method, ranges and whatever else is in a query are not signed, so that one address serves a player in
//! all that it asks for. A path that ends with `/` stands for all files of that folder: a playlist with its segments.
//!
//! There may be several keys, each with a name (`kid`) that tells which one signed: a new one is put first, and the old
//! one taken away when what it signed has expired.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use opsctl_config::Secret;
use sha2::Sha256;

use super::seek::parameter;
use crate::config::UrlKey;

/// Bytes of a secret at least: half of what HMAC-SHA256 can make use of.
const LEAST: usize = 16;

/// Keys, the one that signs first.
#[derive(Clone, Default)]
pub(crate) struct Keys(Vec<(String, Hmac<Sha256>)>);

/// What an address is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good(Signed),
    Expired,
    /// No signature, or none of ours.
    Bad,
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Seconds since 1970.
    pub(crate) expires: u64,
    /// Whether all files of the folder are meant.
    pub(crate) folder: bool,
}

impl Signed {
    /// What of a request's query is its signature, to be handed on.
    pub(crate) fn query(query: &str) -> String {
        let part = |name| parameter(query, name).unwrap_or_default();
        format!("exp={}&kid={}&sig={}", part("exp"), part("kid"), part("sig"))
    }
}

impl Keys {
    /// Reads secrets from their files.
    ///
    /// # Errors
    /// A key has no secret, or one that is too short, or two have one name.
    pub(crate) fn load(configured: &[UrlKey]) -> anyhow::Result<Keys> {
        let mut keys = Keys::default();
        for UrlKey { kid, secret, secret_file } in configured {
            anyhow::ensure!(!keys.0.iter().any(|(other, _)| *other == kid.0), "two `url_keys` are called `{}`", kid.0);
            let secret = Secret::load(secret.clone(), secret_file.clone())?;
            let secret = secret.filter(|secret| secret.expose().len() >= LEAST);
            let Some(secret) = secret else {
                anyhow::bail!("the secret of `{}` of `url_keys` is missing, or shorter than {LEAST} bytes", kid.0);
            };
            keys.0.push((kid.0.clone(), Hmac::new_from_slice(secret.expose().as_bytes())?));
        }
        Ok(keys)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The query that makes `path` good until `expires`, in seconds since 1970. None without keys.
    pub(crate) fn sign(&self, path: &str, expires: u64) -> Option<String> {
        let (kid, key) = self.0.first()?;
        let sig = URL_SAFE_NO_PAD.encode(message(key, path, expires).finalize().into_bytes());
        Some(format!("exp={expires}&kid={kid}&sig={sig}"))
    }

    /// What the query of a request for `path` is worth, of which `folder` is the beginning if it is one of several files.
    pub(crate) fn check(&self, path: &str, folder: Option<&str>, query: &str, now: u64) -> Verdict {
        let Some((expires, key, sig)) = self.named(query) else { return Verdict::Bad };
        let holds = |path: &str| message(key, path, expires).verify_slice(&sig).is_ok();
        let signed = match folder {
            _ if holds(path) => Signed { expires, folder: false },
            Some(folder) if holds(folder) => Signed { expires, folder: true },
            _ => return Verdict::Bad,
        };
        if now < expires { Verdict::Good(signed) } else { Verdict::Expired }
    }

    /// Time, key and signature of a query.
    fn named(&self, query: &str) -> Option<(u64, &Hmac<Sha256>, Vec<u8>)> {
        let kid = parameter(query, "kid")?;
        let (_, key) = self.0.iter().find(|(name, _)| name == kid)?;
        let expires = parameter(query, "exp").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some((expires.parse().ok()?, key, decoded(parameter(query, "sig")?)?))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(kid, _)| kid)).finish()
    }
}

fn message(key: &Hmac<Sha256>, path: &str, expires: u64) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(b"v1\n");
    mac.update(path.as_bytes());
    mac.update(format!("\n{expires}").as_bytes());
    mac
}

/// 32 bytes in base64url or in hexadecimal digits.
fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().as_chunks().0.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

/// A playlist or a list of pictures in which each address that is beside it carries a query. What leads elsewhere stays.
pub(crate) fn with_query(path: &str, text: &str, query: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let end = &line[bare.len()..];
        match path.ends_with(".m3u8") {
            true if bare.starts_with('#') => attributes(&mut out, bare, query),
            true => address(&mut out, bare, query),
            // WebVTT: a line that names a part of a picture is all that is an address
            false if bare.contains(".jpg#xywh=") => address(&mut out, bare, query),
            false => out.push_str(bare),
        }
        out.push_str(end);
    }
    out
}

/// A tag of a playlist, with its `URI="…"` (RFC 8216, section 4.2).
fn attributes(out: &mut String, tag: &str, query: &str) {
    const URI: &str = "URI=\"";
    let mut rest = tag;
    while let Some((before, from)) = rest.split_once(URI) {
        let Some((uri, after)) = from.split_once('"') else { break };
        out.push_str(before);
        out.push_str(URI);
        address(out, uri, query);
        out.push('"');
        rest = after;
    }
    out.push_str(rest);
}

fn address(out: &mut String, address: &str, query: &str) {
    let elsewhere = address.is_empty() || address.starts_with('/') || address.contains(':');
    let (path, fragment) = address.find('#').map_or((address, ""), |at| address.split_at(at));
    out.push_str(path);
    if !elsewhere {
        out.push(if path.contains('?') { '&' } else { '?' });
        out.push_str(query);
    }
    out.push_str(fragment);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::tests::config;

    fn keys(kids: &[&str]) -> Keys {
        let tables: Vec<_> = kids
            .iter()
            .map(|kid| format!("{{ kid = '{kid}', secret = 'the secret of {kid}, which is long' }}"))
            .collect();
        Keys::load(&config(&format!("url_keys=[{}]", tables.join(", "))).unwrap().url_keys).unwrap()
    }

    const PATH: &str = "/media/acme/h264/party.mp4";

    #[test]
    fn what_is_signed_holds_until_its_time() {
        let keys = keys(&["new", "old"]);
        let query = keys.sign(PATH, 1000).unwrap();
        let check = |path: &str, query: &str, now, expected| {
            assert_eq!(keys.check(path, None, query, now), expected, "{query}")
        };
        let good = Verdict::Good(Signed { expires: 1000, folder: false });
        check(PATH, &query, 999, good);
        check(PATH, &query, 1000, Verdict::Expired);
        check(PATH, &format!("start=4&{query}&x"), 0, good);
        check("/media/acme/h264/other.mp4", &query, 0, Verdict::Bad);
        check(PATH, &query.replace("exp=1000", "exp=1001"), 0, Verdict::Bad);
        check(PATH, &query.replace("exp=1000", "exp=-1"), 0, Verdict::Bad);
        check(PATH, &query.replace("kid=new", "kid=old"), 0, Verdict::Bad);
        check(PATH, &query.replace("kid=new", "kid=third"), 0, Verdict::Bad);
        check(PATH, &query.replace("sig=", "sig=A"), 0, Verdict::Bad);
        check(PATH, "", 0, Verdict::Bad);
        check(PATH, "exp=1000&kid=new&sig=", 0, Verdict::Bad);
    }

    #[test]
    fn a_signature_is_what_others_make() {
        // printf 'v1\n/media/acme/h264/party.mp4\n1000' | openssl dgst -sha256 -hmac 'the secret of k, which is long'
        let hex = "0d269fb4bf759e5d0cfe7d05d21f8780de8d86fb767255a556532ac4af9a6cf6";
        let keys = keys(&["k"]);
        let query = format!("exp=1000&kid=k&sig={hex}");
        assert_eq!(keys.check(PATH, None, &query, 0), Verdict::Good(Signed { expires: 1000, folder: false }));
        assert_eq!(
            keys.check(
                PATH,
                None,
                &query.to_uppercase().replace("EXP", "exp").replace("KID=K", "kid=k").replace("SIG", "sig"),
                0
            ),
            Verdict::Good(Signed { expires: 1000, folder: false })
        );
    }

    #[test]
    fn folders_and_rotation() {
        let (folder, file) = ("/media/acme/hls/party/", "/media/acme/hls/party/h264/0.m4s");
        let query = keys(&["old"]).sign(folder, 1000).unwrap();
        let both = keys(&["new", "old"]);
        assert_eq!(both.check(file, Some(folder), &query, 0), Verdict::Good(Signed { expires: 1000, folder: true }));
        assert_eq!(both.check(file, Some("/media/acme/hls/other/"), &query, 0), Verdict::Bad);
        assert_eq!(both.check(file, None, &query, 0), Verdict::Bad);
        assert!(both.sign(folder, 1).unwrap().contains("kid=new"));
        assert_eq!(keys(&["new"]).check(file, Some(folder), &query, 0), Verdict::Bad);
        assert_eq!(Keys::default().check(file, Some(folder), &query, 0), Verdict::Bad);
        assert_eq!(Keys::default().sign(folder, 1), None);
        assert!(!format!("{both:?}").contains("secret"));
    }

    #[test]
    fn keys_that_cannot_be() {
        let check = |set: &str, said: &str| {
            let error = Keys::load(&config(set).unwrap().url_keys).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        };
        check("url_keys=[{ kid = 'a', secret = 'short' }]", "shorter than 16 bytes");
        check("url_keys=[{ kid = 'a' }]", "is missing");
        let long = "secret = '0123456789abcdef'";
        check(&format!("url_keys=[{{ kid = 'a', {long} }}, {{ kid = 'a', {long} }}]"), "two `url_keys` are called `a`");
    }

    #[test]
    fn playlists() {
        let check = |path: &str, text: &str, expected: &str| assert_eq!(with_query(path, text, "q=1"), expected);
        check(
            "/master.m3u8",
            "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4\",X=1\n\n0.m4s\nhttps://a/1.m4s\n/2.m4s\nb/3.m4s?x",
            "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4?q=1\",X=1\n\n0.m4s?q=1\nhttps://a/1.m4s\n/2.m4s\nb/3.m4s?x&q=1",
        );
        check("/a.m3u8", "#EXT-X-MEDIA:URI=\"a\",B=\"c\",URI=\"d\n", "#EXT-X-MEDIA:URI=\"a?q=1\",B=\"c\",URI=\"d\n");
        check(
            "/storyboard.vtt",
            "WEBVTT\n\n00:00.000 --> 00:02.000\n0.jpg#xywh=0,0,1,1\nwords\n",
            "WEBVTT\n\n00:00.000 --> 00:02.000\n0.jpg?q=1#xywh=0,0,1,1\nwords\n",
        );
    }

    proptest! {
        #[test]
        fn any_query_and_any_playlist_are_answered(query in ".{0,200}", text: String) {
            prop_assert_eq!(keys(&["a"]).check(PATH, Some("/"), &query, 0), Verdict::Bad);
            with_query("/a.m3u8", &text, &query);
            with_query("/a.vtt", &text, &query);
        }
    }
}
