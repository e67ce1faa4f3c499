//! What this site tells to whom: the administrator's switches of RFC 1288 section 3.2, in one place for every door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::query::Query;
use crate::remote::Remote;
use crate::users::Users;

/// More names than this are never listed in one go.
pub(crate) const LIST_MAX: usize = 10_000;
/// The port of RFC 1288.
pub(crate) const FINGER_PORT: u16 = 79;

/// The switches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// May one ask for everybody?
    pub(crate) list: bool,
    /// What `/W` discloses, in this order.
    pub(crate) detail: Vec<Field>,
    /// Servers that may be asked on behalf of a client; empty: forwarding is off.
    pub(crate) forward: Vec<Remote>,
    /// Most hosts in a query.
    pub(crate) hops: usize,
}

/// An atom of information, RFC 1288 section 3.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The user's name.
    Name,
    /// What the users file says.
    Status,
    /// The file of that user in the folder `plans`.
    Plan,
}

/// A refusal; its text is for the client, the first two being the RFC's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Finger online user list denied")]
    List,
    #[error("Finger forwarding service denied")]
    Forward,
    #[error("Finger forwarding service denied: more than {0} hosts")]
    Hops(usize),
    #[error("Finger forwarding service denied: `{0}` stands twice in the query")]
    Loop(String),
    #[error("Finger online user list denied: more than {LIST_MAX} users")]
    LongList,
}

impl Policy {
    /// Everybody, in the order of the file, if that may be told.
    pub(crate) fn list<'u>(&self, users: &'u Users) -> Result<impl Iterator<Item = (&'u str, &'u str)>, Refusal> {
        match self.list {
            false => Err(Refusal::List),
            true if users.len() > LIST_MAX => Err(Refusal::LongList),
            true => Ok(users.iter()),
        }
    }

    /// Whom to ask, and what, for a query that names hosts: the right-most host gets what stands before it.
    pub(crate) fn next_hop(&self, mut query: Query) -> Result<(&Remote, Query), Refusal> {
        let same = |a: &str, b: &str| a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.'));
        let hosts = query.hosts.len();
        let Some(next) = query.hosts.pop() else { return Err(Refusal::Forward) };
        let Some(remote) = self.forward.iter().find(|allowed| same(&allowed.host, &next)) else {
            return Err(Refusal::Forward);
        };
        if hosts > self.hops {
            return Err(Refusal::Hops(self.hops));
        }
        if query.hosts.iter().any(|host| same(host, &next)) {
            return Err(Refusal::Loop(next));
        }
        Ok((remote, query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allowed: &str, hops: usize, query: &str, said: &str) {
        let forward = allowed.split_whitespace().map(|remote| remote.parse().unwrap()).collect();
        let policy = Policy { forward, hops, ..Policy::default() };
        let seen = match policy.next_hop(Query::parse(query.as_bytes()).unwrap()) {
            Ok((remote, query)) => format!("{} <- {query}", remote.with_port(FINGER_PORT)),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(seen, said, "{query}");
    }

    #[test]
    fn the_right_most_host_is_asked() {
        check("h1 h2", 3, "moshez@h1", "h1:79 <- moshez");
        check("h1 h2:7979", 3, "moshez@h1@h2", "h2:7979 <- moshez@h1");
        check("h1 h2", 3, "/W @h1", "h1:79 <- /W");
        check("H1.example.", 3, "a@elsewhere@h1.Example", "H1.example.:79 <- a@elsewhere");
        check("[::1]:7979", 3, "a@[::1]", "[::1]:7979 <- a");
    }

    #[test]
    fn the_others_are_refused() {
        check("", 3, "moshez@h1", "Finger forwarding service denied");
        check("h1", 3, "moshez@h1@h2", "Finger forwarding service denied");
        check("h1 h2", 3, "a@h1@h2@h1", "Finger forwarding service denied: `h1` stands twice in the query");
        check("h1", 2, "a@x@y@h1", "Finger forwarding service denied: more than 2 hosts");
        check("h1", 0, "a@h1", "Finger forwarding service denied: more than 0 hosts");
    }
}
