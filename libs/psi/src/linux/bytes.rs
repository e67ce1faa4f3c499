//! Numbers and words out of bytes, without going through UTF-8.

/// A decimal number. Anything else, also an empty word or one that does not fit, is none.
pub(crate) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The same with a sign.
pub(crate) fn signed(word: &[u8]) -> Option<i64> {
    match word.strip_prefix(b"-") {
        Some(rest) => number(rest).and_then(|size| 0i64.checked_sub_unsigned(size)),
        None => number(word).and_then(|size| i64::try_from(size).ok()),
    }
}

/// A number in base 16.
pub(crate) fn hex(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        sum.checked_mul(16)?.checked_add(u64::from(digit))
    })
}

/// A number that fits 32 bits.
pub(crate) fn small(word: &[u8]) -> Option<u32> {
    number(word).and_then(|number| u32::try_from(number).ok())
}

/// A number with a decimal point.
pub(crate) fn decimal(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The words between blanks.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).filter(|word| !word.is_empty())
}

/// The lines, without their ends.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// What stands before and after the first such byte.
pub(crate) fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// The same at the last such byte.
pub(crate) fn cut_last(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().rposition(|byte| *byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// `name: value` or `name value` lines; the value is the first number of the line, in the unit of the line (`kB` is
/// 1024 bytes).
pub(crate) fn table(text: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    lines(text).filter_map(|line| {
        let mut words = words(line);
        let name = words.next()?;
        let value = number(words.next()?)?;
        let unit = if words.next() == Some(b"kB") { 1024 } else { 1 };
        Some((name.strip_suffix(b":").unwrap_or(name), value.saturating_mul(unit)))
    })
}

/// Text for people: what is not UTF-8 is replaced. Only for names that the kernel makes, never for ones users make.
pub(crate) fn text(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_none() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["", "18446744073709551616", "1a", "-1", "+1", " 1"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"-9223372036854775809"), None);
        assert_eq!(signed(b"9223372036854775808"), None);
        assert_eq!(hex(b"0100007F"), Some(0x0100_007F));
        assert_eq!(hex(b"x"), None);
        assert_eq!(decimal(b"0.25"), Some(0.25));
        assert_eq!(decimal(b"inf"), None);
    }

    #[test]
    fn tables_have_units() {
        let found: Vec<_> = table(b"MemTotal:  12 kB\nHugePages_Total: 3\npgpgin 9\nbad\n: x\n").collect();
        assert_eq!(found, [(&b"MemTotal"[..], 12 * 1024), (b"HugePages_Total", 3), (b"pgpgin", 9)]);
    }
}
