//! The users file: `user:status`, one a line, split at the first `:`, both sides stripped.
//!
//! Empty lines and lines that begin with `#` mean nothing. A file is taken whole or not at all, and then every fault is
//! reported with its place: half a file would make people vanish. What is taken can be shown at every door: names are
//! unique, not empty and can be asked for, and nothing holds a control character. Reads no file itself: the caller
//! decides what stays in force when one is bad.

use std::fmt;
use std::path::PathBuf;

use crate::text::decode;

/// Longest line in bytes.
const LINE_MAX: usize = 4096;
/// More faults than this are counted, not kept.
const FAULTS_MAX: usize = 1000;

/// The users, in the order of the file.
#[derive(Default)]
pub(crate) struct Users {
    entries: Vec<Entry>,
    /// Indices of `entries`, sorted by name.
    by_name: Vec<usize>,
}

struct Entry {
    name: Box<str>,
    status: Box<str>,
    line: usize,
}

/// Everything that is wrong with one users file; each line of `Display` is `file:line:column: what`.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Faults {
    path: PathBuf,
    list: Vec<Fault>,
    /// Faults beyond [`FAULTS_MAX`].
    more: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    /// In characters, from 1.
    column: usize,
    wrong: Wrong,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Wrong {
    #[error("no `:` between user and status")]
    NoColon,
    #[error("no user before the `:`")]
    NoName,
    #[error("`@` in a user's name: `{0}` could not be asked for")]
    At(String),
    #[error("control character U+{:04X}", u32::from(*.0))]
    Control(char),
    #[error("line of {0} bytes, where {LINE_MAX} are the limit")]
    LongLine(usize),
    #[error("user `{name}` stands already on line {first}")]
    Duplicate { name: String, first: usize },
}

impl Users {
    /// Reads the whole of a file; `path` is for the faults only.
    pub(crate) fn parse(path: impl Into<PathBuf>, bytes: &[u8]) -> Result<Users, Faults> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut entries = Vec::new();
        let mut faults = Faults { path: path.into(), list: Vec::new(), more: 0 };
        for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            match entry(index + 1, line.strip_suffix(b"\r").unwrap_or(line)) {
                Ok(entry) => entries.extend(entry),
                Err(fault) => faults.push(fault),
            }
        }
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by_key(|&index| &entries[index].name); // stable: the first of two names stays the first
        for pair in by_name.windows(2) {
            let (one, two) = (&entries[pair[0]], &entries[pair[1]]);
            if one.name == two.name {
                let wrong = Wrong::Duplicate { name: two.name.to_string(), first: one.line };
                faults.push(Fault { line: two.line, column: 1, wrong });
            }
        }
        if faults.list.is_empty() { Ok(Users { entries, by_name }) } else { Err(faults.in_order()) }
    }

    /// The status of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.by_name.binary_search_by(|&index| (*self.entries[index].name).cmp(name)).ok()?;
        Some(&self.entries[self.by_name[found]].status)
    }

    /// `(name, status)` in the order of the file.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (&*entry.name, &*entry.status))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// One line: an entry, nothing, or what is wrong with it.
fn entry(number: usize, line: &[u8]) -> Result<Option<Entry>, Fault> {
    let fault = |column, wrong| Err(Fault { line: number, column, wrong });
    if line.len() > LINE_MAX {
        return fault(1, Wrong::LongLine(line.len()));
    }
    let line = decode(line);
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if let Some((before, control)) = line.chars().enumerate().find(|(_, c)| c.is_control() && *c != '\t') {
        return fault(before + 1, Wrong::Control(control));
    }
    let Some((name, status)) = line.split_once(':') else {
        return fault(line.trim_end().chars().count() + 1, Wrong::NoColon);
    };
    let name = name.trim();
    match line.chars().position(|c| c == '@') {
        _ if name.is_empty() => fault(1, Wrong::NoName),
        Some(before) if name.contains('@') => fault(before + 1, Wrong::At(name.to_owned())),
        _ => Ok(Some(Entry { name: name.into(), status: status.trim().into(), line: number })),
    }
}

impl Faults {
    fn push(&mut self, fault: Fault) {
        if self.list.len() < FAULTS_MAX {
            self.list.push(fault);
        } else {
            self.more += 1;
        }
    }

    fn in_order(mut self) -> Faults {
        self.list.sort_by_key(|fault| (fault.line, fault.column));
        self
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Faults { path, list, more } = self;
        for (index, Fault { line, column, wrong }) in list.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {wrong}", path.display())?;
        }
        if *more > 0 { write!(f, "\nand {more} more") } else { Ok(()) }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `said` is `name=status` for each user, or the faults.
    fn check(file: &[u8], said: &[&str]) {
        let seen: Vec<String> = match Users::parse("users", file) {
            Ok(users) => users.iter().map(|(name, status)| format!("{name}={status}")).collect(),
            Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
        };
        assert_eq!(seen, said, "{:?}", file.escape_ascii().to_string());
    }

    #[test]
    fn a_user_a_line() {
        check(b"moshez: happy and well\nshawn: alive\n", &["moshez=happy and well", "shawn=alive"]);
        check(b"shawn:alive\nmoshez:", &["shawn=alive", "moshez="]);
        check(b"\tmoshe zadka :  at: the pub: till 5  ", &["moshe zadka=at: the pub: till 5"]);
        check(b"\n# who: what\n   \nmoshez: # 1\n", &["moshez=# 1"]);
        check(b"", &[]);
    }

    #[test]
    fn what_editors_do_to_files() {
        check(b"\xef\xbb\xbfmoshez: well\r\nshawn: alive\r\n", &["moshez=well", "shawn=alive"]);
        check("zoë: größer\n".as_bytes(), &["zoë=größer"]);
        check(b"zo\xeb: latin\nmoshez: well\n", &["zoë=latin", "moshez=well"]);
    }

    #[test]
    fn all_faults_with_their_place() {
        check(
            b"no colon here \nmoshez: well\n : nobody\nshawn: a\x1b[31m\nmoshez: again\na@b: mail\nshawn: \0\n",
            &[
                "users:1:14: no `:` between user and status",
                "users:3:1: no user before the `:`",
                "users:4:9: control character U+001B",
                "users:5:1: user `moshez` stands already on line 2",
                "users:6:2: `@` in a user's name: `a@b` could not be asked for",
                "users:7:8: control character U+0000",
            ],
        );
        check("größe: gut\ngröße\0: x".as_bytes(), &["users:2:6: control character U+0000"]);
        check(b"moshez: a\rb", &["users:1:10: control character U+000D"]);
        check(&[b'x'; LINE_MAX + 1], &["users:1:1: line of 4097 bytes, where 4096 are the limit"]);
    }

    #[test]
    fn a_flood_of_faults_is_counted() {
        let faults = Users::parse("users", "x\n".repeat(FAULTS_MAX + 5).as_bytes()).unwrap_err().to_string();
        assert_eq!(faults.lines().count(), FAULTS_MAX + 1);
        assert!(faults.ends_with("\nand 5 more"));
    }

    #[test]
    fn a_million_users() {
        let file: String = (0..1_000_000).map(|n| format!("user{n}: status {n}\n")).collect();
        let users = Users::parse("users", file.as_bytes()).unwrap();
        assert_eq!((users.len(), users.get("user765432")), (1_000_000, Some("status 765432")));
        assert_eq!(users.get("user"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(file in any::<Vec<u8>>()) {
            let _ = Users::parse("users", &file).map_err(|faults| faults.to_string());
        }

        #[test]
        fn everybody_is_found(names in proptest::collection::hash_set("[a-z]{1,3}", 0..50)) {
            let file: String = names.iter().map(|name| format!("{name}:at {name}\n")).collect();
            let users = Users::parse("users", file.as_bytes()).unwrap();
            for name in &names {
                let status = format!("at {name}");
                prop_assert_eq!(users.get(name), Some(status.as_str()));
            }
        }
    }
}
