//! The types of values: each knows its text, its print, its JSON Schema and what to say when a text is not one of its own.

pub(crate) mod based;
pub(crate) mod duration;
pub(crate) mod many;
pub(crate) mod mode;
pub(crate) mod scalar;
pub(crate) mod secret;
pub(crate) mod size;

use serde::de::{Deserializer, Error as _, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Deserializes a type through its `FromStr`; `expected` is what a fault says when there is no string at all.
pub(crate) fn from_text<'de, T, D>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(TextVisitor { expected, target: PhantomData })
}

/// A string, given to the `FromStr` of `T`.
pub(crate) struct TextVisitor<T> {
    pub(crate) expected: &'static str,
    pub(crate) target: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Deserializes a newtype that this crate's deserializer treats by name and any other as a plain string.
pub(crate) struct NamedText<T>(pub(crate) TextVisitor<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for NamedText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        self.0.visit_str(text)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self.0).map_err(D::Error::custom)
    }
}
