//! Names by which a value type asks this crate's deserializer for what serde cannot say: where a value was written, that
//! it is secret, that one is as good as a list. They travel as the name of a newtype struct, so any other deserializer
//! passes over them and the types still work there (without a base, that is, relative to the current folder).

/// Wants `(base, value)`: the folder that relative paths of the value start from, as bytes, and the value.
pub(crate) const BASED: &str = "$opsctl_config::Based";
/// Wants a list; a single value is a list of one.
pub(crate) const MANY: &str = "$opsctl_config::Many";
/// Wants a string, or an integer as it is written (`0o640`).
pub(crate) const MODE: &str = "$opsctl_config::Mode";
/// Wants a string that no fault may show.
pub(crate) const SECRET: &str = "$opsctl_config::Secret";
