//! pax records: `LENGTH KEY=VALUE\n`, more about the member that follows (POSIX.1-2001).

/// What matters of them. None: not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) name: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// GNU keeps files with holes this way.
    pub(super) sparse: bool,
    /// Names are in some other encoding.
    pub(super) binary: bool,
}

impl Pax {
    /// None if it is malformed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Pax> {
        let mut pax = Pax::default();
        let mut rest = bytes;
        // zeros pad the last record of some writers
        while !rest.is_empty() && rest.first() != Some(&0) {
            let (record, after) = record(rest)?;
            let at = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..at)?, record.get(at + 1..)?);
            match key {
                b"path" => pax.name = Some(value.to_vec()),
                b"linkpath" => pax.target = Some(value.to_vec()),
                b"size" => pax.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                b"hdrcharset" => pax.binary |= value == b"BINARY",
                _ => pax.sparse |= key.starts_with(b"GNU.sparse."),
            }
            rest = after;
        }
        Some(pax)
    }

    /// Says it something about how members are found? For all members that follow, nobody should.
    pub(super) fn is_empty(&self) -> bool {
        *self == Pax::default()
    }
}

/// The first record without length and line feed, and what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().take(21).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    Some((record, bytes.get(length..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_have_a_length() {
        let read = Pax::parse(b"12 path=a=b\n18 GNU.sparse.a=1\n9 size=7\n\0\0").unwrap();
        assert_eq!(read, Pax { name: Some(b"a=b".to_vec()), size: Some(7), sparse: true, ..Pax::default() });
        assert!(Pax::parse(b"11 comment=\n").is_none());
        assert!(Pax::parse(b"12 comment=\n").unwrap().is_empty());
        for wrong in [
            b"x".as_slice(),
            b"5",
            b"5 a=",
            b"99 a=b\n",
            b"0 a=b\n",
            b"3 a\n",
            b"6 a=b\n\n",
            b"9 size=x\n",
            b"+6 a=b\n",
        ] {
            let _ = Pax::parse(wrong);
        }
        assert_eq!(Pax::parse(b"99 a=b\n"), None);
        assert_eq!(Pax::parse(b"0 a=b\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_records_or_not(bytes in any::<Vec<u8>>(), text in "([0-9]{1,2} [a-z]{0,4}=?[0-9]{0,3}\n?){0,4}") {
            let _ = Pax::parse(&bytes);
            let _ = Pax::parse(text.as_bytes());
        }
    }
}
