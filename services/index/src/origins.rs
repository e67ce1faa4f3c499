//! Where each name comes from: the one thing that keeps a stranger's package from taking the place of ours.
//!
//! A name has one origin. Without a decision the first sight decides: a name that ever had a file here is internal, one
//! that an upstream had first is upstream's. An internal or reserved name is never asked for anywhere else (so nobody
//! learns it), and never answered with 404, upon which clients would look elsewhere.

mod reservation;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;

pub(crate) use self::reservation::{BadReservation, Reservation};
use crate::records::{self, Records};

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// From here alone.
    Internal,
    /// From an upstream alone.
    Upstream,
    /// From both: whoever decides this trusts whoever owns the name there.
    Merge,
    /// From nowhere.
    Blocked,
}

/// Where a page for a name may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From what is here.
    Here,
    /// From an upstream.
    Upstream,
    /// From both.
    Both,
    /// Nobody knows it yet: an upstream may be asked, and if it has it, the name is upstream's.
    Open,
    /// It is ours, and there is nothing.
    Nothing,
    /// It is blocked.
    Blocked,
}

/// What is decided, and what was seen.
#[derive(Debug)]
pub(crate) struct Origins {
    records: Records,
    current: ArcSwap<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    decided: HashMap<Box<str>, Origin>,
    /// Names that ever had a file here.
    ours: HashSet<Box<str>>,
    reserved: Vec<Reservation>,
}

impl Origins {
    /// Loads what is known.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn open(records: Records) -> records::Result<Origins> {
        let origins = Origins { records, current: ArcSwap::default() };
        origins.reload().await?;
        Ok(origins)
    }

    /// Takes on what the database has now.
    ///
    /// # Errors
    /// The database's; what was known stays then.
    pub(crate) async fn reload(&self) -> records::Result<()> {
        let decided = self.records.origins().await?;
        let ours = self.records.names_ever().await?;
        let reserved = self.records.reservations().await?;
        self.current.store(Arc::new(Known { decided, ours, reserved }));
        Ok(())
    }

    /// These names have files here.
    pub(crate) fn appeared(&self, projects: &BTreeSet<Box<str>>) {
        let known = self.current.load();
        if projects.iter().all(|name| known.ours.contains(name)) {
            return;
        }
        self.current.rcu(|known| {
            let mut known = Known::clone(known);
            known.ours.extend(projects.iter().cloned());
            known
        });
    }

    /// An upstream has a name that nobody knew: from now on it is upstream's.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn found_upstream(&self, project: &str, now: i64) -> records::Result<()> {
        // somebody else may have decided just now
        let origin = self.records.first_sight(project, Origin::Upstream, now).await?;
        self.set(project, Some(origin));
        Ok(())
    }

    /// Notes what was decided.
    fn set(&self, project: &str, origin: Option<Origin>) {
        self.current.rcu(|known| {
            let mut known = Known::clone(known);
            match origin {
                Some(origin) => known.decided.insert(project.into(), origin),
                None => known.decided.remove(project),
            };
            known
        });
    }

    /// Whether files of a name may be brought here: not if it comes from elsewhere, or is blocked.
    pub(crate) fn takes_uploads(&self, project: &str) -> bool {
        !matches!(self.verdict(project, false), Verdict::Upstream | Verdict::Blocked)
    }

    /// Where a name may come from; `here` is whether there is something of it in the indexes that were asked.
    pub(crate) fn verdict(&self, project: &str, here: bool) -> Verdict {
        let known = self.current.load();
        let ours =
            here || known.ours.contains(project) || known.reserved.iter().any(|reserved| reserved.covers(project));
        let reserved = known.reserved.iter().any(|reserved| reserved.covers(project));
        match (known.decided.get(project), here) {
            (Some(Origin::Blocked), _) => Verdict::Blocked,
            // a reservation is stronger than a decision for the outside
            (Some(Origin::Upstream), _) if !reserved => Verdict::Upstream,
            (Some(Origin::Merge), _) if !reserved => Verdict::Both,
            (_, true) => Verdict::Here,
            (Some(_), false) => Verdict::Nothing,
            (None, false) if ours => Verdict::Nothing,
            (None, false) => Verdict::Open,
        }
    }
}

impl Origin {
    /// Their words.
    pub(crate) const WORDS: [&'static str; 4] = ["internal", "upstream", "merge", "blocked"];

    const ALL: [(Origin, &'static str); 4] = [
        (Origin::Internal, "internal"),
        (Origin::Upstream, "upstream"),
        (Origin::Merge, "merge"),
        (Origin::Blocked, "blocked"),
    ];
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(origin, _)| origin == self).map_or("", |(_, word)| word);
        f.write_str(word)
    }
}

/// A word is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin: expected internal, upstream, merge or blocked")]
pub(crate) struct BadOrigin(String);

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Origin, BadOrigin> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text).map(|(origin, _)| *origin);
        found.ok_or_else(|| BadOrigin(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use opsctl_store::{Database, Location};

    use super::*;
    use crate::changes::By;
    use crate::records::{Home, MIGRATIONS};

    async fn open(folder: &std::path::Path) -> Origins {
        let db = Database::open(&Location::local(folder), "index", &MIGRATIONS).await.unwrap();
        Origins::open(Records::new(db, Home::Folder)).await.unwrap()
    }

    #[tokio::test]
    async fn first_sight_decides_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let origins = open(folder.path()).await;
        assert_eq!(origins.verdict("demo", false), Verdict::Open);
        assert_eq!(origins.verdict("demo", true), Verdict::Here);
        origins.appeared(&["demo".into()].into());
        // what was taken out of the folder is still ours
        assert_eq!(origins.verdict("demo", false), Verdict::Nothing);
        origins.found_upstream("flask", 1).await.unwrap();
        assert_eq!(origins.verdict("flask", false), Verdict::Upstream);
        assert_eq!(origins.verdict("flask", true), Verdict::Upstream);
        let again = open(folder.path()).await;
        assert_eq!(again.verdict("flask", true), Verdict::Upstream);
    }

    #[tokio::test]
    async fn decisions_and_reservations() {
        let folder = tempfile::tempdir().unwrap();
        let origins = open(folder.path()).await;
        let records = &origins.records;
        for (name, origin) in
            [("a", Origin::Internal), ("b", Origin::Merge), ("c", Origin::Blocked), ("acme-x", Origin::Merge)]
        {
            records.decide(name, Some(origin), &By::test(1)).await.unwrap();
        }
        records.reserve(&"acme-*".parse().unwrap(), &By::test(1)).await.unwrap();
        origins.reload().await.unwrap();
        let check = |name: &str, absent: Verdict, here: Verdict| {
            assert_eq!((origins.verdict(name, false), origins.verdict(name, true)), (absent, here), "{name}");
        };
        check("a", Verdict::Nothing, Verdict::Here);
        check("b", Verdict::Both, Verdict::Both);
        check("c", Verdict::Blocked, Verdict::Blocked);
        check("acme", Verdict::Nothing, Verdict::Here);
        check("acme-y", Verdict::Nothing, Verdict::Here);
        check("acme-x", Verdict::Nothing, Verdict::Here);
        check("acmesoft", Verdict::Open, Verdict::Here);
        records.decide("a", None, &By::test(2)).await.unwrap();
        assert!(records.unreserve(&"acme-*".parse().unwrap(), &By::test(2)).await.unwrap());
        assert!(!records.unreserve(&"acme-*".parse().unwrap(), &By::test(3)).await.unwrap());
        origins.reload().await.unwrap();
        check("a", Verdict::Open, Verdict::Here);
        check("acme-x", Verdict::Both, Verdict::Both);
    }

    #[test]
    fn words() {
        for (origin, word) in Origin::ALL {
            assert_eq!((origin.to_string().as_str(), word.parse()), (word, Ok(origin)));
            assert!(Origin::WORDS.contains(&word));
        }
        assert!("Internal".parse::<Origin>().is_err());
    }
}
