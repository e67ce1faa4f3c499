//! Secrets are drawn here, from the kernel's generator, and nowhere else.

/// The digits and letters, which survive a double click, a URL, a header and a shell.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of [`BASE62`] that hold 256 bits: 43 of them hold 256.03.
pub(crate) const LENGTH: usize = 43;

/// `N` random bytes.
///
/// # Errors
/// The kernel has none to give, which on Linux happens before its generator is seeded, if at all.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret of 256 bits as text: 43 letters and digits, each drawn evenly.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn text() -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(LENGTH);
    while text.len() < LENGTH {
        for byte in bytes::<64>()? {
            // of 64 values two are left over: they are drawn again, or the first two characters were likelier
            if let Some(&character) = BASE62.get(usize::from(byte & 63))
                && text.len() < LENGTH
            {
                text.push(char::from(character));
            }
        }
    }
    Ok(text)
}

/// `number` in base 62, six characters, the highest digit first.
pub(crate) fn six(mut number: u32) -> String {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        let place = usize::try_from(number % 62).unwrap_or(0);
        *digit = BASE62.get(place).copied().unwrap_or(b'0');
        number /= 62;
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn texts_are_even_and_differ() {
        let mut seen = BTreeMap::<char, u32>::new();
        let (a, b) = (text().unwrap(), text().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), LENGTH);
        for _ in 0..1000 {
            text().unwrap().chars().for_each(|c| *seen.entry(c).or_default() += 1);
        }
        assert_eq!(seen.len(), 62, "every character comes");
        // 43,000 draws: 693 each, and 200 off is seven standard deviations
        assert!(seen.values().all(|count| (493..893).contains(count)), "{seen:?}");
    }

    #[test]
    fn numbers() {
        assert_eq!(six(0), "000000");
        assert_eq!(six(61), "00000z");
        assert_eq!(six(62), "000010");
        assert_eq!(six(u32::MAX), "4gfFC3");
    }
}
