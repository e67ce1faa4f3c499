//! What all doors (finger, web, XML-RPC, Perspective Broker, IRC) share: the users, what may be told of them, and the
//! record of who asked for whom.

use std::path::PathBuf;
use std::time::Duration;

use crate::audit::Audit;
use crate::directory::Directory;
use crate::policy::Policy;

/// Shared by all doors.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) directory: Directory,
    pub(crate) policy: Policy,
    /// Folder with a plan per user.
    pub(crate) plans: Option<PathBuf>,
    /// For a query, and for each piece of an answer.
    pub(crate) timeout: Duration,
    pub(crate) audit: Audit,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A site with these users, where everything may be told and nothing is forwarded.
    pub(crate) fn site(users: &str) -> Site {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, users).unwrap();
        let directory = Directory::open(file.path().to_owned()).unwrap();
        let policy = Policy { list: true, ..Policy::default() };
        Site { directory, policy, plans: None, timeout: Duration::from_secs(60), audit: Audit::default() }
    }
}
