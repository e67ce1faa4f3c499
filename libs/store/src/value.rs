//! What a column holds and what a parameter is: the types that SQLite and PostgreSQL both have.

use bytes::Bytes;

/// A value of a column or a parameter.
///
/// Times are `i64` (microseconds since 1970) or RFC 3339 text: neither database's own type of time is the other's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL's NULL, of any type.
    Null,
    /// `BIGINT` (PostgreSQL), `INTEGER` (SQLite).
    Int(i64),
    /// `DOUBLE PRECISION`, `REAL`.
    Real(f64),
    /// `BOOLEAN`; SQLite gives it back as an integer.
    Bool(bool),
    /// `TEXT`.
    Text(String),
    /// `BYTEA`, `BLOB`.
    Bytes(Vec<u8>),
    /// A number beyond `i64`, which neither database holds: the statement fails with [`crate::Error::Value`].
    TooLarge(u64),
}

impl Value {
    /// The word for its type.
    #[must_use]
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Bool(_) => "a boolean",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::TooLarge(_) => "an integer beyond 64 bits with sign",
        }
    }

    /// Why no database can take it as a parameter, if so.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match self {
            // PostgreSQL cannot hold it, and SQLite's own functions end at it
            Self::Text(text) if text.as_bytes().contains(&0) => Some("is text with a NUL character"),
            Self::TooLarge(_) => Some("is an integer beyond 64 bits with sign"),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        })*
    };
}

from! {
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    u8 => |value| Self::Int(value.into()),
    u64 => |value| i64::try_from(value).map_or(Self::TooLarge(value), Self::Int),
    usize => |value| i64::try_from(value).map_or(Self::TooLarge(u64::MAX), Self::Int),
    f64 => |value| Self::Real(value),
    bool => |value| Self::Bool(value),
    String => |value| Self::Text(value),
    &String => |value| Self::Text(value.clone()),
    &str => |value| Self::Text(value.to_owned()),
    Vec<u8> => |value| Self::Bytes(value),
    &[u8] => |value| Self::Bytes(value.to_vec()),
    Bytes => |value| Self::Bytes(value.into()),
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement, `$1` first: `params![name, size, None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        ::std::vec::Vec::<$crate::Value>::from([$($crate::Value::from($value)),*])
    };
}
