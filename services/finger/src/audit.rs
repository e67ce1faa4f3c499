//! The record of who asked what, at which door, and how it ended: a log event each (RFC 1288 section 3.2.9 wants one),
//! and a counter.
//!
//! What was asked comes from outside. It is logged escaped and cut to size, and never becomes a label of a counter: a
//! client could make any number of them.

use std::fmt::{self, Display, Write};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Characters of a query that are logged.
const SHOWN_MAX: usize = 200;

/// Where somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Finger,
    Web,
    XmlRpc,
    Pb,
    Irc,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// There is no such user.
    Unknown,
    /// That is not told, or there is no room.
    Refused,
    Malformed,
    Forwarded,
    /// Forwarded to a server that gave no answer.
    Unreachable,
}

/// Counts queries by door and outcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit {
    queries: Family<[(&'static str, &'static str); 2], Counter>,
}

impl Audit {
    /// Shows the counter.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("queries", "Queries by door and outcome", self.queries.clone());
    }

    /// Records one query.
    pub(crate) fn record(&self, door: Door, peer: impl Display, query: &str, outcome: Outcome) {
        let (door, outcome) = (door.word(), outcome.word());
        self.queries.get_or_create(&[("door", door), ("outcome", outcome)]).inc();
        tracing::info!(door, %peer, query = %Shown(query), outcome, "query");
    }
}

/// Text from outside, fit for a log.
struct Shown<'a>(&'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.char_indices().nth(SHOWN_MAX).map_or(self.0, |(end, _)| &self.0[..end]);
        shown
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })?;
        if shown.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

impl Door {
    fn word(self) -> &'static str {
        match self {
            Door::Finger => "finger",
            Door::Web => "web",
            Door::XmlRpc => "xmlrpc",
            Door::Pb => "pb",
            Door::Irc => "irc",
        }
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Unknown => "unknown",
            Outcome::Refused => "refused",
            Outcome::Malformed => "malformed",
            Outcome::Forwarded => "forwarded",
            Outcome::Unreachable => "unreachable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_plain() {
        let check = |query: &str, shown: &str| assert_eq!(Shown(query).to_string(), shown);
        check("/W moshez@h1", "/W moshez@h1");
        check("a\r\nb\x1b[2J\0 é", "a\\r\\nb\\u{1b}[2J\\u{0} é");
        check(&"é".repeat(300), &("é".repeat(200) + "…"));
    }
}
