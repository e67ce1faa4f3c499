//! Which processes are wanted. One value of each kind that was named has to fit: values of a kind are alternatives, kinds
//! narrow each other.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use psi::{Fields, Process};

use crate::look::{Look, Needs};

/// The filters as they were named.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Numbers, as they were typed: they may be larger than any.
    pub(crate) pids: Vec<String>,
    pub(crate) users: Vec<OsString>,
    pub(crate) words: Vec<OsString>,
    pub(crate) ports: Vec<u16>,
    pub(crate) units: Vec<OsString>,
    pub(crate) cgroups: Vec<PathBuf>,
    pub(crate) kernel: bool,
    /// A word that was typed into the full screen, on top of all others.
    pub(crate) typed: Option<OsString>,
}

/// A user that nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("there is no user `{}`", name.display())]
pub(crate) struct NoUser {
    name: OsString,
}

impl Filter {
    /// Whether it names processes by their numbers, and nothing else.
    pub(crate) fn is_pids_only(&self) -> bool {
        let Self { pids: _, users, words, ports, units, cgroups, kernel: _, typed: _ } = self;
        users.is_empty() && words.is_empty() && ports.is_empty() && units.is_empty() && cgroups.is_empty()
    }

    /// What has to be read for it.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs { fields: Fields::NONE, ports: !self.ports.is_empty() };
        for (wanted, fields) in [
            (!self.users.is_empty(), Fields::OWNER),
            (!self.words.is_empty() || self.typed.is_some(), Fields::ARGS),
            (!self.units.is_empty() || !self.cgroups.is_empty(), Fields::CGROUP),
        ] {
            if wanted {
                needs.fields |= fields;
            }
        }
        needs
    }

    /// Columns that show why a process fits.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        let wanted =
            [(!self.ports.is_empty(), "ports"), (!self.units.is_empty(), "unit"), (!self.cgroups.is_empty(), "cgroup")];
        wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, column)| column).collect()
    }

    /// The filter in front of what was seen. `own` is our own process, which has every word that is looked for in its
    /// command line and is never meant.
    ///
    /// # Errors
    /// For a user that has no number.
    pub(crate) fn on<'a>(&'a self, look: &'a Look, own: Option<u32>) -> Result<Ready<'a>, NoUser> {
        let number = |name: &'a OsString| {
            let digits = || name.to_str().and_then(|name| name.parse().ok());
            look.accounts.uid(name).or_else(digits).ok_or_else(|| NoUser { name: name.clone() })
        };
        let users = self.users.iter().map(number).collect::<Result<_, _>>()?;
        let pids = self.pids.iter().filter_map(|pid| pid.parse().ok()).collect();
        Ok(Ready { filter: self, look, users, pids, own })
    }
}

/// A filter that can be asked.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    filter: &'a Filter,
    look: &'a Look,
    users: BTreeSet<u32>,
    pids: BTreeSet<u32>,
    own: Option<u32>,
}

impl Ready<'_> {
    /// Whether the process is wanted.
    pub(crate) fn lets(&self, process: &Process) -> bool {
        self.lets_kind(process) && self.fits(process)
    }

    /// Whether it would be, but that it is a thread of the kernel.
    pub(crate) fn hides(&self, process: &Process) -> bool {
        !self.lets_kind(process) && self.fits(process)
    }

    fn lets_kind(&self, process: &Process) -> bool {
        !process.kernel || self.filter.kernel || self.pids.contains(&process.pid())
    }

    fn fits(&self, process: &Process) -> bool {
        let Filter { pids, users, words, ports, units, cgroups, kernel: _, typed } = self.filter;
        let listens = || self.look.listens(process.pid()).iter().map(|socket| socket.local.port());
        (pids.is_empty() || self.pids.contains(&process.pid()))
            && (users.is_empty() || process.uid().is_ok_and(|uid| self.users.contains(&uid)))
            && (ports.is_empty() || listens().any(|port| ports.contains(&port)))
            && (units.is_empty() || units.iter().any(|unit| is_unit(process.unit(), unit)))
            && (cgroups.is_empty() || cgroups.iter().any(|group| is_below(process, group)))
            && (words.is_empty() || (Some(process.pid()) != self.own && words.iter().any(|word| has(process, word))))
            && typed.as_ref().is_none_or(|word| has(process, word))
    }
}

/// Whether the unit is `wanted`, which may go without its ending.
fn is_unit(unit: Option<&OsStr>, wanted: &OsStr) -> bool {
    unit.is_some_and(|unit| {
        let rest = unit.as_bytes().strip_prefix(wanted.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(b".") && !rest[1..].contains(&b'.')))
    })
}

fn is_below(process: &Process, group: &std::path::Path) -> bool {
    let group = std::path::Path::new("/").join(group);
    process.cgroup.as_deref().is_ok_and(|own| own.starts_with(&group))
}

/// Whether the command line or the name has `word` in it.
fn has(process: &Process, word: &OsStr) -> bool {
    let word = word.as_bytes();
    let exactly = word.iter().any(u8::is_ascii_uppercase);
    contains(process.command().as_bytes(), word, exactly) || contains(process.name.as_bytes(), word, exactly)
}

/// Whether `text` has `word` in it; the case of letters counts if it shall be so `exactly`.
pub(crate) fn contains(text: &[u8], word: &[u8], exactly: bool) -> bool {
    let same = |part: &[u8]| if exactly { part == word } else { part.eq_ignore_ascii_case(word) };
    word.is_empty() || text.windows(word.len()).any(same)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::testing::{Fake, look};

    use super::*;

    fn check(change: impl FnOnce(&mut Filter), expected: &[u32]) {
        let mut filter = Filter::default();
        change(&mut filter);
        let look = look(&[
            Fake { pid: 1, uid: 0, args: "/sbin/init", cgroup: "/init.scope", ..Fake::default() },
            Fake { pid: 2, name: "kthreadd", kernel: true, ..Fake::default() },
            Fake {
                pid: 10,
                parent: 1,
                uid: 33,
                args: "nginx: Worker",
                cgroup: "/system.slice/nginx.service",
                port: 80,
                ..Fake::default()
            },
            Fake {
                pid: 11,
                parent: 10,
                uid: 33,
                args: "php 80",
                cgroup: "/system.slice/php8.2-fpm.service/x",
                port: 9000,
                ..Fake::default()
            },
            Fake { pid: 12, parent: 1, uid: 1000, args: "grep nginx", ..Fake::default() },
        ]);
        let ready = filter.on(&look, Some(12)).unwrap();
        let found: Vec<_> =
            look.table.processes.iter().filter(|process| ready.lets(process)).map(Process::pid).collect();
        assert_eq!(found, expected, "{filter:?}");
    }

    #[test]
    fn values_of_a_kind_are_alternatives_and_kinds_narrow() {
        check(|_| (), &[1, 10, 11, 12]);
        check(|filter| filter.kernel = true, &[1, 2, 10, 11, 12]);
        check(|filter| filter.users = vec!["www-data".into()], &[10, 11]);
        check(|filter| filter.users = vec!["root".into(), "1000".into()], &[1, 12]);
        check(|filter| filter.ports = vec![80], &[10]);
        check(|filter| filter.ports = vec![80, 9000], &[10, 11]);
        check(|filter| (filter.ports, filter.users) = (vec![80, 9000], vec!["root".into()]), &[]);
        check(|filter| (filter.words, filter.users) = (vec!["80".into()], vec!["33".into()]), &[11]);
        check(|filter| filter.pids = vec!["11".into(), "2".into(), "99999999999".into()], &[2, 11]);
    }

    #[test]
    fn words_are_looked_for_but_not_in_ourselves() {
        check(|filter| filter.words = vec!["nginx".into()], &[10]);
        check(|filter| filter.words = vec!["worker".into()], &[10]);
        check(|filter| filter.words = vec!["Worker".into()], &[10]);
        check(|filter| filter.words = vec!["WORKER".into()], &[]);
        check(|filter| filter.words = vec!["init".into(), "php".into()], &[1, 11]);
    }

    #[test]
    fn groups_hold_what_is_below_and_units_may_go_without_an_ending() {
        check(|filter| filter.cgroups = vec!["/system.slice".into()], &[10, 11]);
        check(|filter| filter.cgroups = vec!["system.slice/nginx.service/".into()], &[10]);
        check(|filter| filter.cgroups = vec!["/system".into()], &[]);
        check(|filter| filter.units = vec!["nginx".into()], &[10]);
        check(|filter| filter.units = vec!["nginx.service".into(), "php8.2-fpm".into()], &[10, 11]);
        check(|filter| filter.units = vec!["php8".into()], &[]);
        check(|filter| filter.units = vec!["ngin".into()], &[]);
        assert!(!is_below(&look(&[Fake::default()]).table.processes[0], Path::new("/x")));
    }

    #[test]
    fn a_user_that_nobody_knows_is_an_error() {
        let filter = Filter { users: vec!["nobody-knows".into()], ..Filter::default() };
        assert_eq!(filter.on(&look(&[]), None).unwrap_err().to_string(), "there is no user `nobody-knows`");
    }

    #[test]
    fn a_text_is_found_anywhere() {
        assert!(contains(b"abc", b"BC", false) && !contains(b"abc", b"BC", true) && contains(b"abc", b"", true));
        assert!(!contains(b"ab", b"abc", false));
    }
}
