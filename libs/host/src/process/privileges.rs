//! From root to the account that serves, with no way back.
//!
//! To be called when every socket is bound and every root-only file is open, and before the runtime exists: user and
//! group ids are changed for all threads (the C library sees to it), but Linux keeps capabilities and no_new_privs per
//! thread, so a process that already has a second thread is refused. Every later thread inherits the drop.
//!
//! Names are looked up at once ([`Identity::resolve`]) and the groups with them, so that [`Identity::assume`] reads no
//! file and works inside a chroot. The drop is not believed but tried: regaining root must fail. After any error of
//! [`Identity::assume`] the process may be half way and has to end.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{self, Gid, Group, Uid, User};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::threads;

/// Linux numbers capabilities in 64 bits; the kernel says which is the last one it knows.
const CAPABILITY_BITS: u32 = 64;

/// Why an account cannot be found or become.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a name in the account database nor a number.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// As given.
        name: String,
    },
    /// A number that the account database does not have, so that its group is not known.
    #[error("user `{uid}` has no entry in the account database, so a group must be given too")]
    NoGroup {
        /// The number.
        uid: u32,
    },
    /// The account database cannot be read.
    #[error("failed to look up {kind} `{name}`")]
    Lookup {
        /// `user` or `group`.
        kind: &'static str,
        /// As given.
        name: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The system refused a step; most often because the process was not started as root.
    #[error("failed to {what}")]
    Step {
        /// The step, with the value in it.
        what: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The steps succeeded but something is left. Never go on.
    #[error("privileges were not given up: {left}")]
    Left {
        /// What is left.
        left: String,
    },
}

/// An account to become: ids and groups, already looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    uid: Option<Uid>,
    gid: Option<Gid>,
    groups: Vec<Gid>,
}

impl Identity {
    /// Looks up names or numbers, names first. A user without a group gets its primary group, and its other groups in
    /// any case; a group alone replaces all groups and leaves the user. With neither, nothing will change.
    ///
    /// # Errors
    /// An unknown name; a number without an entry and without a group.
    pub fn resolve(user: Option<&str>, group: Option<&str>) -> Result<Self, Error> {
        let gid = group.map(find_group).transpose()?;
        let Some(name) = user else {
            return Ok(Self { uid: None, gid, groups: gid.into_iter().collect() });
        };
        let (uid, entry) = find_user(name)?;
        let gid = match (gid, &entry) {
            (Some(gid), _) => gid,
            (None, Some(entry)) => entry.gid,
            (None, None) => return Err(Error::NoGroup { uid: uid.as_raw() }),
        };
        let groups = match entry {
            Some(entry) => groups_of(&entry.name, gid)?,
            None => vec![gid],
        };
        Ok(Self { uid: Some(uid), gid: Some(gid), groups })
    }

    /// The user to become, if one was named: the owner for files that are opened earlier.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.uid.map(Uid::as_raw)
    }

    /// The group to become, if one was named.
    #[must_use]
    pub fn gid(&self) -> Option<u32> {
        self.gid.map(Gid::as_raw)
    }

    /// Whether this account's user will be root: then nothing but the groups can be given up.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid.unwrap_or_else(unistd::geteuid).is_root()
    }

    /// Becomes the account: groups, gid, uid, then capabilities (ambient, inheritable, bounding) and no_new_privs, then
    /// the proof. Does nothing if neither user nor group was named; only the groups if the user stays root.
    ///
    /// A process that is that account already (a service manager saw to it) passes as well.
    ///
    /// # Errors
    /// Not permitted, a second thread, or [`Error::Left`]. The process has to end then.
    pub fn assume(&self) -> Result<(), Error> {
        let Some(gid) = self.gid else { return Ok(()) };
        threads::alone().map_err(step("change the account"))?;
        self.set_groups()?;
        unistd::setresgid(gid, gid, gid).map_err(step(&format!("become group `{gid}`")))?;
        if self.is_root() {
            return Ok(());
        }
        let uid = self.uid.unwrap_or_else(unistd::geteuid);
        // The bounding set needs a capability of root's, the rest goes without.
        clear_bounding()?;
        unistd::setresuid(uid, uid, uid).map_err(step(&format!("become user `{uid}`")))?;
        clear_capabilities()?;
        rustix::thread::set_no_new_privs(true).map_err(step("set no_new_privs"))?;
        self.prove(uid, gid)
    }

    /// An account that may not set its groups must at least have none that it should not have.
    fn set_groups(&self) -> Result<(), Error> {
        match unistd::setgroups(&self.groups) {
            Err(Errno::EPERM) if self.has_no_other_groups() => Ok(()),
            other => other.map_err(step("set the groups")),
        }
    }

    fn has_no_other_groups(&self) -> bool {
        let wanted: BTreeSet<u32> = self.groups.iter().map(|gid| gid.as_raw()).collect();
        unistd::getgroups().is_ok_and(|groups| groups.iter().all(|gid| wanted.contains(&gid.as_raw())))
    }

    fn prove(&self, uid: Uid, gid: Gid) -> Result<(), Error> {
        let left = |left: &str| Err(Error::Left { left: left.to_owned() });
        if unistd::setuid(Uid::from_raw(0)) != Err(Errno::EPERM) {
            return left("root could be regained");
        }
        if gid.as_raw() != 0 && unistd::setgid(Gid::from_raw(0)) != Err(Errno::EPERM) {
            return left("group 0 could be regained");
        }
        let users = unistd::getresuid().map_err(step("read the user"))?;
        if [users.real, users.effective, users.saved] != [uid; 3] {
            return left("another user");
        }
        let groups = unistd::getresgid().map_err(step("read the group"))?;
        if [groups.real, groups.effective, groups.saved] != [gid; 3] || !self.has_no_other_groups() {
            return left("another group");
        }
        let sets = rustix::thread::capabilities(None).map_err(step("read the capabilities"))?;
        if !(sets.effective | sets.permitted | sets.inheritable).is_empty() {
            return left("capabilities");
        }
        if rustix::thread::no_new_privs() != Ok(true) {
            return left("an executable can give new ones");
        }
        Ok(())
    }
}

/// Makes `path` the root folder, and the working folder. Needs root, and does not hold root: drop privileges next.
///
/// # Errors
/// Not permitted, or no such folder.
pub fn enter_chroot(path: &Path) -> Result<(), Error> {
    let what = || format!("enter chroot `{}`", path.display());
    unistd::chroot(path).map_err(step(&what()))?;
    // Otherwise the old working folder is a way out.
    unistd::chdir(&PathBuf::from("/")).map_err(step(&what()))
}

fn step<E: Into<io::Error>>(what: &str) -> impl FnOnce(E) -> Error {
    move |source| Error::Step { what: what.to_owned(), source: source.into() }
}

fn find_user(name: &str) -> Result<(Uid, Option<User>), Error> {
    let fail = |source: Errno| Error::Lookup { kind: "user", name: name.to_owned(), source: source.into() };
    if let Some(entry) = User::from_name(name).map_err(fail)? {
        return Ok((entry.uid, Some(entry)));
    }
    let uid = number(name).map(Uid::from_raw).ok_or_else(|| unknown("user", name))?;
    Ok((uid, User::from_uid(uid).map_err(fail)?))
}

fn find_group(name: &str) -> Result<Gid, Error> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid),
        Ok(None) => number(name).map(Gid::from_raw).ok_or_else(|| unknown("group", name)),
        Err(source) => Err(Error::Lookup { kind: "group", name: name.to_owned(), source: source.into() }),
    }
}

/// An id. The largest means "leave it" to the system, which would be a drop that drops nothing.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&id| id != u32::MAX)
}

fn unknown(kind: &'static str, name: &str) -> Error {
    Error::Unknown { kind, name: name.to_owned() }
}

fn groups_of(user: &str, gid: Gid) -> Result<Vec<Gid>, Error> {
    let fail = |source| Error::Lookup { kind: "groups of user", name: user.to_owned(), source };
    let name = CString::new(user).map_err(|error| fail(error.into()))?;
    unistd::getgrouplist(&name, gid).map_err(|errno| fail(errno.into()))
}

/// Takes every capability out of what an executable could ever give back.
fn clear_bounding() -> Result<(), Error> {
    for bit in 0..CAPABILITY_BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            // One beyond the kernel's last.
            Err(rustix::io::Errno::INVAL) => break,
            // Not root: then no_new_privs alone keeps executables from giving any.
            Err(rustix::io::Errno::PERM) => break,
            Err(errno) => return Err(step("clear the bounding capabilities")(errno)),
        }
    }
    Ok(())
}

fn clear_capabilities() -> Result<(), Error> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::clear_ambient_capability_set()
        .and_then(|()| rustix::thread::set_capabilities(None, sets))
        .map_err(step("clear the capabilities"))
}

#[cfg(test)]
mod tests;
