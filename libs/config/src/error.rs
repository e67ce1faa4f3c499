//! What goes wrong with a single value. A fault in a configuration's text is a [`Fault`](crate::Fault): it has a line.

use std::path::PathBuf;

/// Why a value cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a duration, or one longer than 2^64 seconds.
    #[error("expected a duration such as `30s`, `5m`, `1h30m` or `250ms`, found `{0}`")]
    Duration(String),
    /// The text is not a size, or one of 2^64 bytes and more.
    #[error("expected a size such as `512KiB`, `10MB`, `2GiB` or a number of bytes, found `{0}`")]
    Size(String),
    /// The text is not a file mode.
    #[error("expected a file mode in octal such as `640`, found `{0}`")]
    Mode(String),
    /// The text cannot name a file: it is empty or has a NUL in it.
    #[error("expected a path, found {0}")]
    Path(&'static str),
    /// A secret stands in the configuration and in a file at once.
    #[error("the secret is given twice: as a value and as the file `{}`", .0.display())]
    SecretTwice(PathBuf),
    /// The file of a secret cannot be read.
    #[error("failed to read the secret in `{}`", path.display())]
    SecretFile {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file of a secret is empty, no UTF-8 text, or longer than [`Secret::MAX_FILE`](crate::Secret::MAX_FILE).
    #[error("the secret in `{}` is {why}", path.display())]
    SecretText {
        /// The file.
        path: PathBuf,
        /// "empty", "not UTF-8 text", "longer than …".
        why: &'static str,
    },
}
