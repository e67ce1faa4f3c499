//! The secret that signs what a browser keeps for us: CSRF tokens, flash messages.
//!
//! HMAC-SHA256 (RFC 2104, FIPS 198-1), compared in constant time. Several nodes behind one address need the same key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Error;

/// Bytes of a signature.
const TAG: usize = 32;

/// A secret of 32 bytes. It shows itself nowhere, not even in debugging output.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key that is kept elsewhere: it survives a restart, and nodes can share it.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key. What it signed is worth nothing once the process ends.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, Error> {
        random().map(Self)
    }

    /// A key for one purpose: what was signed for one is never taken for another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.tag(&[purpose.as_bytes()]))
    }

    /// `message` in the alphabet of cookies and URLs, with its signature.
    #[must_use]
    pub fn seal(&self, message: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([message, &self.tag(&[message])].concat())
    }

    /// What [`Self::seal`] made of a message, if it was this key's.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let tag = bytes.split_off(bytes.len().checked_sub(TAG)?);
        self.mac(&[&bytes])?.verify_slice(&tag).is_ok().then_some(bytes)
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        self.mac(parts).map(|mac| mac.finalize().into_bytes().into()).unwrap_or_default()
    }

    /// `None` never: HMAC takes keys of any length.
    fn mac(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random { source: error.into() })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn a_seal_holds() {
        let key = Key::new([7; 32]);
        let sealed = key.seal(b"hello");
        assert_eq!(key.open(&sealed).unwrap(), b"hello");
        assert_eq!(Key::new([8; 32]).open(&sealed), None, "another key");
        assert_eq!(key.derive("a").open(&key.derive("b").seal(b"x")), None, "another purpose");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(key.open(&forged), None, "{forged}");
        }
        assert_eq!(format!("{key:?}"), "Key(..)");
    }

    /// RFC 4231, test case 2, so that another implementation agrees.
    #[test]
    fn it_is_hmac_sha256() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(mac.finalize().into_bytes()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn keys_differ() {
        assert!(Key::random().unwrap() != Key::random().unwrap());
    }

    proptest! {
        #[test]
        fn whatever_comes_in_a_cookie(text in any::<String>(), message in any::<Vec<u8>>()) {
            let key = Key::new([1; 32]);
            assert_eq!(key.open(&text), None);
            assert_eq!(key.open(&key.seal(&message)), Some(message));
        }
    }
}
