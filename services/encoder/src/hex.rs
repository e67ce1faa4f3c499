//! Digests as people and programs read them.

/// Hexadecimal digits, small ones.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
