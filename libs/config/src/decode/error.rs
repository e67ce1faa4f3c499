//! What serde reports, with the node it happened at.

use crate::node::{At, Node, Step};
use serde::de::{Expected, Unexpected};
use std::fmt;

/// A fault on its way up.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) cause: Cause,
    /// The innermost node it happened at.
    pub(crate) place: Option<Box<Place>>,
}

#[derive(Debug)]
pub(crate) enum Cause {
    Type { expected: String, found: String },
    Variant { found: String, known: &'static [&'static str] },
    Missing(&'static str),
    Value(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: Vec<Step>,
    pub(crate) at: At,
    pub(crate) damaged: bool,
}

impl Place {
    pub(crate) fn of(node: &Node) -> Self {
        Self { path: Vec::new(), at: node.at, damaged: node.damaged }
    }
}

impl Error {
    fn new(cause: Cause) -> Self {
        Self { cause, place: None }
    }

    pub(crate) fn mismatch(expected: impl fmt::Display, found: impl Into<String>) -> Self {
        Self::new(Cause::Type { expected: expected_words(&expected.to_string()), found: found.into() })
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Cause::Value(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::mismatch(expected, found_words(found))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unsigned(number) => format!("`{number}`"),
            Unexpected::Signed(number) => format!("`{number}`"),
            Unexpected::Float(number) => format!("`{number}`"),
            Unexpected::Str(text) => format!("`{text}`"),
            other => found_words(other),
        };
        Self::new(Cause::Value(format!("expected {}, found {found}", expected_words(&expected.to_string()))))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(Cause::Value(format!("expected {expected}, found {length} of them")))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(Cause::Variant { found: found.to_owned(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Cause::Missing(field))
    }
}

/// What stands there, as people call it.
fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => return format!("`{value}`"),
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        other => return other.to_string(),
    }
    .to_owned()
}

/// serde's names of what is wanted are Rust's; these are the ones of people who write TOML.
fn expected_words(expected: &str) -> String {
    match expected {
        "a boolean" => "`true` or `false`",
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" => "an integer from 0 to 4294967295",
        "u64" | "usize" | "u128" => "an integer from 0 on",
        "i8" => "an integer from -128 to 127",
        "i16" => "an integer from -32768 to 32767",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" | "isize" | "i128" => "an integer",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a table",
        "path string" => "a path",
        "a nonzero u8" => "a nonzero integer up to 255",
        "a nonzero u16" => "a nonzero integer up to 65535",
        "a nonzero u32" => "a nonzero integer up to 4294967295",
        "a nonzero u64" | "a nonzero usize" => "a nonzero integer",
        _ if expected.starts_with("struct ") => "a table",
        _ if expected.starts_with("enum ") || expected.starts_with("unit variant ") => "a name",
        other => other,
    }
    .to_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Cause::Variant { known, .. } => write!(f, "expected {}", crate::suggest::list(known, "or")),
            Cause::Missing(field) => write!(f, "missing key `{field}`"),
            Cause::Value(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}
