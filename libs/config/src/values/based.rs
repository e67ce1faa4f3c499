//! Values that remember where they were written, and paths, which need that: a relative path in a file starts from the
//! file's folder, one in the environment or on the command line from the current folder.

use crate::{Error, magic};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::marker::PhantomData;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A value and the folder that relative paths in it start from. For types that hold a path somewhere in their text;
/// a key that is nothing but a path is a [`ConfigPath`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Based<T> {
    /// The folder; empty (the current folder) when read by another deserializer than this crate's.
    pub base: PathBuf,
    /// The value.
    pub value: T,
}

impl<T> Based<T> {
    /// `path` as seen from the base. An absolute path stays what it is.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join(path)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Based<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(magic::BASED, BasedVisitor(PhantomData))
    }
}

struct BasedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BasedVisitor<T> {
    type Value = Based<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Based<T>, A::Error> {
        let base = pair.next_element::<Bytes>()?;
        let value = pair.next_element::<T>()?;
        match (base, value) {
            (Some(Bytes(base)), Some(value)) => Ok(Based { base: OsString::from_vec(base).into(), value }),
            _ => Err(A::Error::custom("expected a base and a value")),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Based<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Based { base: PathBuf::new(), value })
    }
}

/// A folder's name need not be UTF-8.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a path")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}

impl<T: JsonSchema> JsonSchema for Based<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A path, already joined to the folder it starts from; neither empty nor with a NUL in it. The file need not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigPath(PathBuf);

impl ConfigPath {
    /// As the rest of the program takes it.
    pub fn into_path_buf(self) -> PathBuf {
        self.0
    }

    /// As the rest of the program takes it.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for ConfigPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl std::ops::Deref for ConfigPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for ConfigPath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<ConfigPath> for PathBuf {
    fn from(path: ConfigPath) -> Self {
        path.0
    }
}

impl FromStr for ConfigPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(Error::Path("an empty string")),
            _ if text.contains('\0') => Err(Error::Path("a NUL in it")),
            _ => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl<'de> Deserialize<'de> for ConfigPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Based::<PathText>::deserialize(deserializer)?;
        Ok(Self(text.resolve(&text.value.0.0)))
    }
}

/// The path as written; apart so that its fault is found within the [`Based`].
struct PathText(ConfigPath);

impl FromStr for PathText {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::from_text(deserializer, "a path")
    }
}

impl Serialize for ConfigPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for ConfigPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "path", "minLength": 1 })
    }
}
