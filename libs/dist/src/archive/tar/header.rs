//! One header block of 512 bytes (POSIX.1-1988 ustar, with what GNU does in its place).

pub(crate) const BLOCK: usize = 512;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    File,
    Folder,
    /// A name for a file that is elsewhere.
    Symlink,
    /// Another name of a member.
    Hardlink,
    /// A device, a pipe, or a kind that nobody knows.
    Special,
    Sparse,
}

/// What a header block is: a member, or something about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Member(Type),
    /// pax records for the next member.
    Pax,
    /// pax records for all members that follow.
    PaxForAll,
    /// GNU: the name of the next member.
    LongName,
    /// GNU: where the next member leads.
    LongTarget,
}

/// The fields of a header that somebody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) role: Role,
    /// With the prefix.
    pub(super) name: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) size: u64,
    /// Not all readers see the name alike.
    pub(super) ambiguous_name: bool,
}

/// None if it is no header: a checksum that does not fit, or numbers that are none.
pub(super) fn parse(block: &[u8; BLOCK]) -> Option<Header> {
    if !checksum_fits(block) {
        return None;
    }
    let field = |start: usize, length: usize| until_nul(block.get(start..start + length).unwrap_or_default());
    let (name, flag, target, magic, prefix) =
        (field(0, 100), block.get(156)?, field(157, 100), block.get(257..265)?, field(345, 155));
    let role = role(*flag, name);
    let joined = !prefix.is_empty() && !matches!(role, Role::LongName | Role::LongTarget | Role::Member(Type::Sparse));
    Some(Header {
        role,
        // Python joins the prefix whatever the magic says, others only after `ustar`
        name: if joined { [prefix, b"/", name].concat() } else { name.to_vec() },
        target: target.to_vec(),
        size: number(block.get(124..136)?)?,
        ambiguous_name: joined && magic != b"ustar\x0000",
    })
}

fn role(flag: u8, name: &[u8]) -> Role {
    Role::Member(match flag {
        // from before there were folders of their own
        b'\0' if name.ends_with(b"/") => Type::Folder,
        b'0' | b'\0' | b'7' => Type::File,
        b'1' => Type::Hardlink,
        b'2' => Type::Symlink,
        b'5' => Type::Folder,
        b'S' => Type::Sparse,
        b'x' | b'X' => return Role::Pax,
        b'g' => return Role::PaxForAll,
        b'L' => return Role::LongName,
        b'K' => return Role::LongTarget,
        _ => Type::Special,
    })
}

/// The sum of all bytes with the checksum's own as spaces; some old tars took the bytes as signed.
fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let Some(stored) = block.get(148..156).and_then(number) else { return false };
    let bytes = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    i64::try_from(stored).is_ok_and(|stored| stored == unsigned || stored == signed)
}

/// Octal digits with spaces and NULs around, or, with the highest bit set, big-endian bytes (GNU). None: neither, or below 0.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, bytes)) = field.split_first() {
        return bytes.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
    }
    let digits = until_nul(field).trim_ascii();
    let digit = |byte: u8| (b'0'..=b'7').contains(&byte).then(|| u64::from(byte - b'0'));
    digits.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(8)?.checked_add(digit(*byte)?))
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_bytes() {
        for (field, expected) in [
            (b"0000644\0".as_slice(), Some(0o644)),
            (b" 12 \0xx", Some(0o12)),
            (b"", Some(0)),
            (b"\0\0\0\0", Some(0)),
            (b"77777777777", Some(0o77_777_777_777)),
            (b"\x80\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\x80\x01\0\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff", None),
            (b"8", None),
            (b"-1", None),
            (b"7777777777777777777777", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
