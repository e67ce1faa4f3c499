//! Who is logged in, and what account numbers are called.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

/// One login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Account.
    pub user: OsString,
    /// Terminal, below `/dev`.
    pub terminal: OsString,
    /// Where from; empty for this machine.
    pub host: OsString,
    /// When.
    pub time: SystemTime,
    /// The process that the login began with.
    pub pid: u32,
}

/// Names of users and groups as the machine's own files have them. Accounts that only a directory service knows are
/// not in it: to ask one may hang.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    pub(crate) users: HashMap<u32, OsString>,
    pub(crate) groups: HashMap<u32, OsString>,
}

impl Accounts {
    /// The user's name.
    pub fn user(&self, uid: u32) -> Option<&OsStr> {
        self.users.get(&uid).map(OsString::as_os_str)
    }

    /// The group's name.
    pub fn group(&self, gid: u32) -> Option<&OsStr> {
        self.groups.get(&gid).map(OsString::as_os_str)
    }

    /// The number of the user of that name.
    pub fn uid(&self, name: &OsStr) -> Option<u32> {
        self.users.iter().filter(|(_, user)| *user == name).map(|(uid, _)| *uid).min()
    }
}
