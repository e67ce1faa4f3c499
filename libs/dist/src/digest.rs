//! Digests of files: SHA-256 for everyone, MD5 and BLAKE2b-256 for uploads that bring them and for the JSON API.
//!
//! All are computed in one pass while bytes go by. MD5 is never trusted alone: it is compared where a client sent it.

use std::fmt;
use std::io;
use std::str::FromStr;

use blake2::Blake2b;
use blake2::digest::consts::U32;
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A digest of `N` bytes. `Display` prints it in lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest<const N: usize>(pub [u8; N]);

/// A text that is not a digest's hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest of {bytes} bytes has {} hexadecimal digits", .bytes * 2)]
pub struct BadDigest {
    bytes: usize,
}

/// The digests of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256.
    pub sha256: Digest<32>,
    /// MD5, if it was wanted.
    pub md5: Option<Digest<16>>,
    /// BLAKE2b with 256 bits, if it was wanted.
    pub blake2b_256: Option<Digest<32>>,
}

/// Which digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Only SHA-256.
    Sha256,
    /// All three.
    All,
}

/// Computes digests of what is written into it.
#[derive(Debug, Clone)]
pub struct Hasher {
    sha256: Sha256,
    others: Option<(Md5, Blake2b<U32>)>,
    length: u64,
}

impl Hasher {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(wanted: Wanted) -> Hasher {
        let others = (wanted == Wanted::All).then(|| (Md5::new(), Blake2b::new()));
        Hasher { sha256: Sha256::new(), others, length: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some((md5, blake2b)) = &mut self.others {
            md5.update(bytes);
            blake2b.update(bytes);
        }
        self.length += bytes.len() as u64;
    }

    /// How many bytes there were.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digests of all bytes.
    #[must_use]
    pub fn finish(self) -> Digests {
        let (md5, blake2b) = self.others.unzip();
        Digests {
            sha256: Digest(self.sha256.finalize().into()),
            md5: md5.map(|md5| Digest(md5.finalize().into())),
            blake2b_256: blake2b.map(|blake2b| Digest(blake2b.finalize().into())),
        }
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Digests {
    /// The digests of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8], wanted: Wanted) -> Digests {
        let mut hasher = Hasher::new(wanted);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl<const N: usize> fmt::Display for Digest<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Digest<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<const N: usize> FromStr for Digest<N> {
    type Err = BadDigest;

    /// Reads hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let bad = BadDigest { bytes: N };
        let mut bytes = [0; N];
        if text.len() != N * 2 {
            return Err(bad);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = [0, 1].map(|at| pair.get(at).copied().and_then(digit));
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or_else(|| bad.clone())?;
        }
        Ok(Digest(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digests_of_known_bytes() {
        let digests = Digests::of(b"abc", Wanted::All);
        assert_eq!(digests.sha256.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digests.md5.map(|it| it.to_string()).as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(
            digests.blake2b_256.map(|it| it.to_string()).as_deref(),
            Some("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        );
        assert_eq!(Digests::of(b"abc", Wanted::Sha256), Digests { md5: None, blake2b_256: None, ..digests });
    }

    #[test]
    fn digits_are_read() {
        assert_eq!("00fF".parse(), Ok(Digest([0, 255])));
        for wrong in ["", "00", "00ff0", "00fg", "00f\u{e9}", "+0ff"] {
            assert_eq!(
                wrong.parse::<Digest<2>>().unwrap_err().to_string(),
                "a digest of 2 bytes has 4 hexadecimal digits"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bytes in any::<[u8; 16]>(), text in any::<String>(), cut in 0_usize..16) {
            prop_assert_eq!(Digest(bytes).to_string().parse(), Ok(Digest(bytes)));
            prop_assert!(text.parse::<Digest<2>>().is_ok_and(|digest| digest.to_string() == text.to_lowercase()) || text.len() != 4 || !text.bytes().all(|b| b.is_ascii_hexdigit()));
            let mut hasher = Hasher::new(Wanted::All);
            hasher.update(&bytes[..cut]);
            hasher.update(&bytes[cut..]);
            prop_assert_eq!(hasher.length(), 16);
            prop_assert_eq!(hasher.finish(), Digests::of(&bytes, Wanted::All));
        }
    }
}
