//! A password, token or key: a text that never shows itself.

use super::{NamedText, TextVisitor};
use crate::{ConfigPath, Error, magic};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::marker::PhantomData;
use std::str::FromStr;

/// What stands for a secret wherever a configuration is shown.
pub const MASK: &str = "********";

/// A text that `Debug` and `Display` mask. There is no `Serialize`: what is to be written out must say [`Secret::expose`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The longest file that [`Secret::load`] reads, in bytes. A PEM key is some 3 KiB.
    pub const MAX_FILE: u64 = 65_536;

    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret of a key and its twin `…_file`: the one that is given, neither, or an error for both. Of the file one
    /// line end at its end is cut off. Touches the disk, so it belongs into `open`, not into the reading of a
    /// configuration.
    ///
    /// # Errors
    /// Both are given; the file cannot be read, is empty, no UTF-8, or longer than [`Secret::MAX_FILE`].
    pub fn load(inline: Option<Self>, file: Option<ConfigPath>) -> Result<Option<Self>, Error> {
        match (inline, file) {
            (inline, None) => Ok(inline),
            (Some(_), Some(file)) => Err(Error::SecretTwice(file.into())),
            (None, Some(file)) => read(&file).map(Some),
        }
    }
}

fn read(path: &ConfigPath) -> Result<Secret, Error> {
    let failed = |source| Error::SecretFile { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(Secret::MAX_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    let useless = |why| Error::SecretText { path: path.to_path_buf(), why };
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > Secret::MAX_FILE {
        return Err(useless("longer than 64 KiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| useless("not UTF-8 text"))?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() { Err(useless("empty")) } else { Ok(Secret::new(line)) }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").field(&format_args!("{MASK}")).finish()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = TextVisitor { expected: "a string", target: PhantomData };
        deserializer.deserialize_newtype_struct(magic::SECRET, NamedText(text))
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[track_caller]
    fn check(content: &[u8], expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        let found = Secret::load(None, Some(path.clone().into())).map_err(|error| error.to_string());
        let expected = expected.map_err(|why| format!("the secret in `{}` is {why}", path.display()));
        assert_eq!(found.map(|secret| secret.unwrap().expose().to_owned()), expected.map(str::to_owned));
    }

    #[test]
    fn files() {
        check(b"hunter2", Ok("hunter2"));
        check(b"hunter2\n", Ok("hunter2"));
        check(b"hunter2\r\n", Ok("hunter2"));
        check(b" hunter2 \n\n", Ok(" hunter2 \n"));
        check(b"", Err("empty"));
        check(b"\n", Err("empty"));
        check(b"\xff", Err("not UTF-8 text"));
        check(&[b'a'; 65_536], Ok(&"a".repeat(65_536)));
        check(&[b'a'; 65_537], Err("longer than 64 KiB"));
    }

    #[test]
    fn either_or_neither() {
        let missing = ConfigPath::from(std::path::PathBuf::from("/nonexistent/secret"));
        assert_eq!(Secret::load(None, None).unwrap(), None);
        assert_eq!(Secret::load(Some(Secret::new("a")), None).unwrap(), Some(Secret::new("a")));
        let twice = Secret::load(Some(Secret::new("a")), Some(missing.clone())).unwrap_err();
        assert_eq!(twice.to_string(), "the secret is given twice: as a value and as the file `/nonexistent/secret`");
        let absent = Secret::load(None, Some(missing)).unwrap_err();
        assert_eq!(absent.to_string(), "failed to read the secret in `/nonexistent/secret`");
        assert!(absent.source().is_some());
    }

    #[test]
    fn never_shown() {
        let secret = Some(Secret::new("hunter2"));
        assert_eq!(format!("{secret:?} {}", Secret::new("hunter2")), "Some(Secret(********)) ********");
    }
}
