//! Plans: what a user wants to say at more length, one file per user in one folder.
//!
//! The folder is the administrator's, but the files may be the users' own: so only a regular file is read, and no
//! symbolic link is followed (else a plan could show any file that the service may read). Nothing is ever executed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

use crate::text::{decode, push_line};

/// More of a plan than this many bytes is not shown.
const PLAN_MAX: u64 = 16 * 1024;

/// The lines for a user's plan, ready to be sent.
pub(crate) fn lines(folder: Option<&Path>, user: &str) -> Vec<u8> {
    let mut out = Vec::new();
    match folder.and_then(|folder| read(folder, user)) {
        None => push_line(&mut out, "No Plan."),
        Some(plan) => {
            push_line(&mut out, "Plan:");
            decode(&plan).trim_end().lines().for_each(|line| push_line(&mut out, line));
        }
    }
    out
}

/// Whatever goes wrong, there is no plan: a client learns nothing about files.
fn read(folder: &Path, user: &str) -> Option<Vec<u8>> {
    if user.starts_with('.') || user.contains('/') {
        return None;
    }
    let folder = File::open(folder).ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(folder, user, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut plan = Vec::new();
    file.take(PLAN_MAX).read_to_end(&mut plan).ok()?;
    Some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, plan: &[u8]| std::fs::write(folder.path().join(name), plan).unwrap();
        write("moshez", b"World\tdomination.\n\nThen tea.\x1b[2J\n\n");
        write(".hidden", b"secret");
        write("long", &[b'x'; 20_000]);
        std::os::unix::fs::symlink("moshez", folder.path().join("link")).unwrap();
        std::fs::create_dir(folder.path().join("dir")).unwrap();
        let check = |user: &str, said: &str| {
            assert_eq!(String::from_utf8(lines(Some(folder.path()), user)).unwrap(), said);
        };
        check("moshez", "Plan:\r\nWorld\tdomination.\r\n\r\nThen tea.?[2J\r\n");
        for user in ["nobody", ".hidden", "link", "dir", "../x", "/etc/passwd", "..", "a\0b", ""] {
            check(user, "No Plan.\r\n");
        }
        assert_eq!(lines(Some(folder.path()), "long").len(), 7 + 16 * 1024 + 2);
        assert_eq!(lines(None, "moshez"), b"No Plan.\r\n");
    }
}
