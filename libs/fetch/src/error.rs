//! What can go wrong on the way there and back.

use std::io;

/// Why something was not fetched. URLs in it carry no credentials and no query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL, or where it leads, may not be gone to.
    #[error("refused to fetch `{url}`: {why}")]
    Refused {
        /// Which.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server could not be reached, or did not speak HTTP; a try later may work.
    #[error("failed to fetch `{url}`")]
    Failed {
        /// From where.
        url: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long; a try later may work.
    #[error("`{url}` took too long")]
    TimedOut {
        /// What.
        url: String,
    },
    /// The answer is larger than was asked for.
    #[error("the answer of `{url}` is larger than {limit} bytes")]
    TooLarge {
        /// Whose.
        url: String,
        /// Bytes that were allowed.
        limit: u64,
    },
    /// A certificate file cannot be used.
    #[error("failed to read certificates from `{path}`")]
    Certificates {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The client could not be made.
    #[error("failed to set up the HTTP client")]
    SetUp(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same request may succeed later: the server was away, not wrong.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
    }
}
