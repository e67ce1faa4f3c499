//! `/proc/PID/mounts` and `statvfs(2)`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::io::Errno;

use super::bytes::{cut, lines, words};
use super::read;
use crate::{Error, Mount, Space, System};

pub(crate) fn mounts(system: &System) -> Result<Vec<Mount>, Error> {
    let text = read::file(&system.view("mounts"))?;
    Ok(lines(&text).filter_map(parse).collect())
}

/// The mount as it is now: of several at one point the last, which is the one that can be seen.
pub(crate) fn refresh(system: &System, mount: &Mount) -> Result<Mount, Error> {
    let all = mounts(system)?;
    let same = all.iter().rfind(|other| other.point == mount.point && other.device == mount.device);
    same.cloned().ok_or_else(|| Error::NoSuchMount { path: mount.point.clone() })
}

pub(crate) fn space(system: &System, mount: &Mount) -> Result<Space, Error> {
    let path = system.seen(&mount.point);
    let stat = rustix::fs::statvfs(&path).map_err(|error| match error {
        Errno::NOENT => Error::NoSuchMount { path: mount.point.clone() },
        error => Error::Read { path, source: error.into() },
    })?;
    Ok(Space {
        block_size: stat.f_bsize,
        total: stat.f_frsize.saturating_mul(stat.f_blocks),
        free: stat.f_frsize.saturating_mul(stat.f_bfree),
        available: stat.f_frsize.saturating_mul(stat.f_bavail),
        inodes: stat.f_files,
        free_inodes: stat.f_ffree,
        available_inodes: stat.f_favail,
    })
}

fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = words(line);
    let mut next = || words.next().map(|word| OsString::from_vec(unescape(word)));
    let device = next()?;
    Some(Mount {
        host: host(device.as_encoded_bytes()),
        device,
        point: PathBuf::from(next()?),
        kind: next()?,
        options: next()?,
    })
}

/// `host:/path` of NFS and sshfs, `[v6::1]:/path`, `//host/share` of SMB. A path with a colon in it is no host.
fn host(device: &[u8]) -> Option<OsString> {
    let host = if let Some(share) = device.strip_prefix(b"//") {
        cut(share, b'/').map_or(share, |(host, _)| host)
    } else if let Some((address, _)) = device.strip_prefix(b"[").and_then(|rest| cut(rest, b']')) {
        address
    } else {
        cut(device, b':').map(|(host, _)| host).filter(|host| !host.contains(&b'/'))?
    };
    (!host.is_empty()).then(|| OsString::from_vec(host.to_vec()))
}

/// Blanks, tabs, newlines, backslashes and `#` stand as three octal digits in the kernel's tables.
pub(crate) fn unescape(word: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((byte, tail)) = rest.split_first() {
        let octal = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some(((a - b'0') << 6) + ((b - b'0') << 3) + (c - b'0'))
            }
            _ => None,
        };
        plain.push(octal.unwrap_or(*byte));
        rest = tail.get(if octal.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_undone() {
        let check = |word: &str, plain: &str| assert_eq!(unescape(word.as_bytes()), plain.as_bytes(), "{word}");
        check(r"/my\040disk", "/my disk");
        check(r"\134040", r"\040");
        check(r"a\", r"a\");
        check(r"\09", r"\09");
        check(r"\777", r"\777");
        check(r"\011\012", "\t\n");
    }

    #[test]
    fn remote_devices_name_a_host() {
        let check = |device: &str, expected: Option<&str>| {
            assert_eq!(host(device.as_bytes()), expected.map(OsString::from), "{device}");
        };
        check("nas:/export", Some("nas"));
        check("[fe80::1]:/export", Some("fe80::1"));
        check("//nas/share", Some("nas"));
        check("me@nas:", Some("me@nas"));
        check("/dev/sda1", None);
        check("/dev/disk/by-id/usb:1", None);
        check("tmpfs", None);
    }

    #[test]
    fn a_line_is_a_mount() {
        let mount = parse(br"/dev/sda1 /my\040disk ext4 ro,relatime 0 0").unwrap();
        assert_eq!((mount.point, mount.kind), (PathBuf::from("/my disk"), OsString::from("ext4")));
        assert!(parse(b"/dev/sda1 / ext4 rw 0 0").is_some_and(|mount| !mount.is_read_only()));
        assert!(parse(b"/dev/sda1 /").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes), unescape(&bytes), host(&bytes));
        }
    }
}
