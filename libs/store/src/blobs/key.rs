//! Keys: clean relative paths that mean the same in a folder, in a bucket and in a URL.

use crate::{Error, Result};

/// S3 takes 1024 bytes, of which a prefix needs some.
const LONGEST: usize = 800;
/// NAME_MAX of Linux's file systems.
const LONGEST_SEGMENT: usize = 255;

/// A key that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn parse(key: &str) -> Result<Self> {
        match fault(key) {
            None => Ok(Self(key.to_owned())),
            Some(why) => {
                let shown: String = key.chars().take(100).collect();
                Err(Error::Key { key: shown.escape_debug().to_string(), why })
            }
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a key, if something is.
fn fault(key: &str) -> Option<&'static str> {
    if key.len() > LONGEST {
        return Some("is longer than 800 bytes");
    }
    key.split('/').find_map(segment_fault)
}

fn segment_fault(segment: &str) -> Option<&'static str> {
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+!@=,()".contains(&byte);
    if segment.is_empty() {
        Some("has an empty part")
    } else if segment.starts_with('.') {
        // with it go `.` and `..`
        Some("has a part that begins with a dot")
    } else if segment.len() > LONGEST_SEGMENT {
        Some("has a part longer than 255 bytes")
    } else if !segment.bytes().all(clean) {
        Some("has other characters than letters, digits and `-_.+!@=,()`")
    } else {
        None
    }
}

/// Whether a file of this name can be a part of a key.
pub(crate) fn is_segment(name: &str) -> bool {
    segment_fault(name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, fit: bool) {
        assert_eq!(Key::parse(key).is_ok(), fit, "{key}");
    }

    #[test]
    fn only_clean_paths() {
        check("a", true);
        check("videos/7f/original.mp4", true);
        check("numpy/numpy-1!2.0+local.1-cp313-cp313-manylinux_2_17_x86_64.whl", true);
        check(&"a".repeat(255), true);
        check(&"a".repeat(256), false);
        check(&"/aaaa".repeat(161)[1..], false);
        for key in [
            "", "/", "a/", "/a", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "a\\b", "a\0", "a b", "ä", "a%2e",
            "a\n", "~a",
        ] {
            check(key, false);
        }
    }

    #[test]
    fn faults_show_the_key() {
        let error = Key::parse("a/../\n").unwrap_err().to_string();
        assert_eq!(error, "key `a/../\\n` has a part that begins with a dot");
    }

    proptest::proptest! {
        #[test]
        fn a_key_stays_below_its_folder(key in "[a-z./\\\\%: ]{0,12}|.{0,40}") {
            if Key::parse(&key).is_ok() {
                let path = std::path::Path::new("/root").join(&key);
                let normal = |part| matches!(part, std::path::Component::Normal(_));
                assert!(path.strip_prefix("/root").is_ok_and(|rest| rest.components().all(normal)), "{key}");
                assert_eq!(path.strip_prefix("/root").unwrap().to_str(), Some(key.as_str()));
                assert_eq!(object_store::path::Path::from(key.as_str()).as_ref(), key);
            }
        }
    }
}
