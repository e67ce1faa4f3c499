//! Names of members: paths below the place where somebody will unpack them.

/// Longest path of a member in bytes: what Linux takes.
const PATH_MAX: usize = 4096;

/// A path that stays below where it is unpacked, on every system, and shows on a terminal as what it is. An error says why
/// not.
pub(crate) fn check(name: &str) -> Result<(), &'static str> {
    if name.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err("it has a control character");
    }
    if name.len() > PATH_MAX {
        return Err("it is too long");
    }
    if name.contains('\\') {
        return Err("it has a backslash");
    }
    if name.is_empty() || name.starts_with('/') || is_drive(name.as_bytes()) {
        return Err("it is no relative path");
    }
    if name.split('/').any(|part| part == "..") {
        return Err("it leads upwards");
    }
    Ok(())
}

fn is_drive(name: &[u8]) -> bool {
    matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// The parts of a path that mean something.
pub(crate) fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// Is it that file of a folder at the top?
pub(crate) fn is_below_top(name: &str, file: &str) -> bool {
    let mut parts = parts(name).skip(1);
    parts.next() == Some(file) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_name(name: &str, said: Result<(), &'static str>) {
        assert_eq!(check(name), said, "{name:?}");
    }

    #[test]
    fn paths_stay_below() {
        for fine in ["a", "a/b/", "./a", "a..b", "...", "f\u{e9}/x y"] {
            check_name(fine, Ok(()));
        }
        for (name, reason) in [
            ("a\n", "it has a control character"),
            ("a\u{7f}", "it has a control character"),
            ("a\0b", "it has a control character"),
            (&"n/".repeat(2049), "it is too long"),
            ("a\\b", "it has a backslash"),
            ("", "it is no relative path"),
            ("/a", "it is no relative path"),
            ("C:a", "it is no relative path"),
            ("..", "it leads upwards"),
            ("a/../b", "it leads upwards"),
            ("a/..", "it leads upwards"),
        ] {
            check_name(name, Err(reason));
        }
    }

    #[test]
    fn the_top_folder_is_left_out() {
        for (name, expected) in [
            ("a/F", true),
            ("./a/F", true),
            ("a//F", true),
            ("F", false),
            ("a/b/F", false),
            ("a/F/b", false),
            ("a/f", false),
        ] {
            assert_eq!(is_below_top(name, "F"), expected, "{name}");
        }
    }
}
