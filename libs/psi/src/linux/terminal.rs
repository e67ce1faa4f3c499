//! The name of a terminal device.

use std::path::PathBuf;

use super::bytes::{cut, small, text, words};
use super::read;
use crate::System;

/// The device's file, or none where no driver claims the number.
pub(crate) fn terminal(system: &System, device: u32) -> Option<PathBuf> {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    match (major, minor) {
        (0, 0) => None,
        (4, 0..64) => Some(PathBuf::from(format!("/dev/tty{minor}"))),
        (4, _) => Some(PathBuf::from(format!("/dev/ttyS{}", minor - 64))),
        (5, 1) => Some(PathBuf::from("/dev/console")),
        (136..=143, _) => Some(PathBuf::from(format!("/dev/pts/{}", ((major - 136) << 8) + minor))),
        _ => driver(&read::optional(&system.proc("tty/drivers"))?, major, minor),
    }
}

/// A line is the driver's name, the files' common beginning, the major number, the minor ones, and the kind.
fn driver(drivers: &[u8], major: u32, minor: u32) -> Option<PathBuf> {
    super::bytes::lines(drivers).find_map(|line| {
        let mut words = words(line).skip(1);
        let prefix = words.next()?;
        let same = small(words.next()?)? == major;
        let range = words.next()?;
        match cut(range, b'-') {
            Some((first, last)) if same && (small(first)?..=small(last)?).contains(&minor) => {
                Some(PathBuf::from(format!("{}{}", text(prefix), minor - small(first)?)))
            }
            None if same && small(range)? == minor => Some(PathBuf::from(text(prefix))),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(major: u32, minor: u32, expected: Option<&str>) {
        let device = major << 8 | minor & 0xff | (minor & !0xff) << 12;
        assert_eq!(terminal(&System::new(), device), expected.map(PathBuf::from), "{major}:{minor}");
    }

    #[test]
    fn devices_have_names() {
        check(0, 0, None);
        check(4, 1, Some("/dev/tty1"));
        check(4, 65, Some("/dev/ttyS1"));
        check(136, 0, Some("/dev/pts/0"));
        check(136, 300, Some("/dev/pts/300"));
        check(137, 3, Some("/dev/pts/259"));
        check(4095, 1, None);
    }

    #[test]
    fn other_drivers_are_looked_up() {
        let drivers = b"/dev/tty /dev/tty 5 0 system:/dev/tty\nusbserial /dev/ttyUSB 188 0-511 serial\nbad\n";
        assert_eq!(driver(drivers, 188, 7), Some(PathBuf::from("/dev/ttyUSB7")));
        assert_eq!(driver(drivers, 5, 0), Some(PathBuf::from("/dev/tty")));
        assert_eq!(driver(drivers, 188, 512), None);
    }
}
