//! A list of byte strings in one block, as the kernel hands out a command line or an environment. It is taken apart
//! when it is read, not when it is stored: a scan of thousands of processes allocates once per list.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

/// NUL-terminated strings one after the other. They need not be UTF-8.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Strings(Box<[u8]>);

impl Strings {
    /// Takes the kernel's block. The last string may come without its end.
    pub(crate) fn new(mut block: Vec<u8>) -> Self {
        if block.last().is_some_and(|last| *last != 0) {
            block.push(0);
        }
        Self(block.into_boxed_slice())
    }

    /// The strings in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &OsStr> {
        let strings = self.0.split_last().map(|(_, block)| block.split(|byte| *byte == 0));
        strings.into_iter().flatten().map(OsStr::from_bytes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The strings with one blank between them, unquoted.
    pub fn join(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(self.0.len());
        for (index, string) in self.iter().enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(string.as_bytes());
        }
        line
    }

    /// The part after `name=` of the first string that begins so: a variable, if this is an environment.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.iter().find_map(|string| {
            string.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(OsStr::from_bytes)
        })
    }
}

impl fmt::Debug for Strings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, expected: &[&str]) {
        let strings = Strings::new(block.as_bytes().to_vec());
        assert_eq!(strings.iter().collect::<Vec<_>>(), expected, "{block:?}");
        assert_eq!(strings.len(), expected.len());
        assert_eq!(strings.is_empty(), expected.is_empty());
        assert_eq!(strings.join(), expected.join(" ").as_bytes());
    }

    #[test]
    fn a_block_is_its_strings() {
        check("", &[]);
        check("\0", &[""]);
        check("\0\0", &["", ""]);
        check("a\0", &["a"]);
        check("a", &["a"]);
        check("a\0\0", &["a", ""]);
        check("a\0b c\0", &["a", "b c"]);
        check("title without an end", &["title without an end"]);
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let strings = Strings::new(b"HOMEPAGE=no\0HOME=/root\0EMPTY=\0junk\0".to_vec());
        assert_eq!(strings.variable("HOME"), Some(OsStr::new("/root")));
        assert_eq!(strings.variable("EMPTY"), Some(OsStr::new("")));
        assert_eq!(strings.variable("junk"), None);
    }
}
