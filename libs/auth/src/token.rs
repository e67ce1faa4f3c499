//! Tokens as text: a prefix that scanners for leaked secrets know, 256 bits, and a checksum that tells a token from its
//! misspelling without a look into the database.

use std::fmt;
use std::str::FromStr;

use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::random;

/// What every token begins with. The whole is found by the expression `\bopx_[0-9A-Za-z]{49}\b`.
const PREFIX: &str = "opx_";
/// Characters of the checksum.
const CHECK: usize = 6;

/// A token as its holder has it: `opx_`, 43 letters and digits (256 bits), and the CRC-32 of these as six more. Shown
/// once and kept by nobody here; `Debug` masks it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

impl TokenText {
    /// A new one, from the kernel's random numbers.
    ///
    /// # Errors
    /// The kernel has none to give.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let secret = random::text()?;
        let check = checksum(secret.as_bytes());
        Ok(Self(format!("{PREFIX}{secret}{check}")))
    }

    /// The text itself, for the one who shall hold it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// A text that is no token, or a misspelt one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no token")]
pub struct NoToken;

impl FromStr for TokenText {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let body = text.strip_prefix(PREFIX).ok_or(NoToken)?;
        let (secret, check) = body.split_at_checked(random::LENGTH).ok_or(NoToken)?;
        let plain = body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain && check.len() == CHECK && checksum(secret.as_bytes()) == check {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoToken)
        }
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(opx_…)")
    }
}

fn checksum(bytes: &[u8]) -> String {
    random::six(crc32(bytes))
}

/// CRC-32 as in zip and gzip (RFC 1952 section 8), bit by bit: 43 bytes need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// SHA-256 of a secret of 256 bits: what the database has in the secret's place. No salt and no stretching: there is
/// nothing to guess. Compared in constant time; `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(Sha256::digest(secret).into())
    }

    /// For the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From the database.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 43 zeros and their checksum.
    const SAMPLE: &str = "opx_00000000000000000000000000000000000000000002CZclj";

    #[track_caller]
    fn check(text: &str, is_token: bool) {
        assert_eq!(text.parse::<TokenText>().is_ok(), is_token, "{text:?}");
    }

    #[test]
    fn a_crc_as_everybody_has_it() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn texts() {
        check(SAMPLE, true);
        check("", false);
        check("opx_", false);
        check(&SAMPLE[4..], false);
        check(&format!("{SAMPLE}0"), false);
        check(&SAMPLE[..52], false);
        check(&SAMPLE.replace("opx_0", "opx_1"), false);
        check(&SAMPLE.to_uppercase(), false);
        check(&format!("{SAMPLE}\n"), false);
        check("opx_é", false);
        check(&format!("opx_{}", "é".repeat(30)), false);
    }

    #[test]
    fn drawn_ones_are_tokens_and_differ() {
        let (a, b) = (TokenText::draw().unwrap(), TokenText::draw().unwrap());
        check(a.expose(), true);
        assert_ne!(a.digest(), b.digest());
        assert_eq!(a.digest(), a.expose().parse::<TokenText>().unwrap().digest());
        assert_eq!(Digest::from_bytes(a.digest().as_bytes()), Some(a.digest()));
        assert_eq!(Digest::from_bytes(b"short"), None);
    }

    #[test]
    fn never_shown() {
        let token = TokenText::draw().unwrap();
        assert_eq!(format!("{token:?} {:?}", token.digest()), "TokenText(opx_…) Digest(…)");
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_seen(place in 4usize..53, character in "[0-9A-Za-z]") {
            let mut text = SAMPLE.to_owned();
            text.replace_range(place..=place, &character);
            prop_assert_eq!(text.parse::<TokenText>().is_ok(), text == SAMPLE);
        }
    }
}
