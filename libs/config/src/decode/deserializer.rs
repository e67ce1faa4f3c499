//! serde's view of a node. Typed nodes give what they are; a text from outside TOML gives what the target asks for.

use super::access::{Entries, Items, Pair, Single, Variant};
use super::error::{Error, Place};
use super::reader::Reader;
use crate::magic;
use crate::node::{Node, Table, Value};
use crate::text;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use toml::de::DeValue;

/// A node to read.
#[derive(Clone, Copy)]
pub(crate) struct De<'a> {
    pub(super) node: &'a Node,
    pub(super) reader: &'a Reader<'a>,
    /// The table of a service itself, of which others read keys too.
    pub(super) top: bool,
}

impl<'a> De<'a> {
    pub(crate) fn top(node: &'a Node, reader: &'a Reader<'a>) -> Self {
        Self { node, reader, top: true }
    }

    /// Gives an error that has no place yet this node's.
    pub(super) fn placed<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error.place {
            Some(_) => error,
            None => {
                let place = Place { path: self.reader.path(), ..Place::of(self.node) };
                Error { place: Some(Box::new(place)), ..error }
            }
        })
    }

    /// What the node is, whatever is wanted.
    fn as_is<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.reader.saw(self.node);
        match &self.node.value {
            Value::Text(text) => {
                if let Some(items) = text::list(self.node) {
                    self.list(&items, visitor)
                } else if let Some(table) = text::table(self.node) {
                    self.map(&table, visitor)
                } else {
                    visitor.visit_str(text)
                }
            }
            Value::String(text) => visitor.visit_str(text),
            Value::Integer { value, .. } => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Datetime(value) => visitor.visit_string(value.to_string()),
            Value::Array(items) => self.list(items, visitor),
            Value::Table(table) => self.map(table, visitor),
        }
    }

    /// A number or truth value: a text is read as TOML.
    fn parsed<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Text(text) = &self.node.value else { return self.as_is(visitor) };
        self.reader.saw(self.node);
        let refuse = |visitor: &V| Error::mismatch(visitor as &dyn serde::de::Expected, format!("`{text}`"));
        match text::parse(text.trim()) {
            Some(DeValue::Boolean(value)) => visitor.visit_bool(value),
            Some(DeValue::Integer(number)) => match (text::integer(&number), text::large(&number)) {
                (Some(number), _) => visitor.visit_i64(number),
                (None, Some(number)) => visitor.visit_u64(number),
                _ => Err(refuse(&visitor)),
            },
            Some(DeValue::Float(number)) => match number.as_str().parse::<f64>() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(refuse(&visitor)),
            },
            _ => Err(refuse(&visitor)),
        }
    }

    /// A string: a text is one, however it looks.
    fn string<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(text) => {
                self.reader.saw(self.node);
                visitor.visit_str(text)
            }
            _ => self.as_is(visitor),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, items: &[Node], visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { of: self, items: items.iter().enumerate() })
    }

    /// A list; a text that is not written as one is a list of one, or of none if it is empty. `single` allows the same
    /// for everything else.
    fn listed<'de, V: Visitor<'de>>(self, single: bool, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Array(items) => self.list(items, visitor),
            Value::Text(text) => match text::list(self.node) {
                Some(items) => self.list(&items, visitor),
                None if text.is_empty() => self.list(&[], visitor),
                None => visitor.visit_seq(Single(Some(self))),
            },
            _ if single => visitor.visit_seq(Single(Some(self))),
            _ => self.as_is(visitor),
        }
    }

    fn map<'de, V: Visitor<'de>>(self, table: &Table, visitor: V) -> Result<V::Value, Error> {
        self.reader.overlaid(table);
        let entries: Vec<_> = table.entries.iter().collect();
        visitor.visit_map(Entries { of: self, entries: entries.into_iter(), value: None })
    }

    /// A table whose keys are known: the others are noted and passed over.
    fn fields<'de, V: Visitor<'de>>(
        self,
        table: &Table,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.reader.overlaid(table);
        let also = if self.top { self.reader.also } else { &[] };
        let mut entries = Vec::new();
        for (key, node) in &table.entries {
            if fields.contains(&key.as_str()) {
                entries.push((key, node));
            } else if !also.contains(&key.as_str()) {
                self.reader.unknown(key, node, fields, also);
            }
        }
        visitor.visit_map(Entries { of: self, entries: entries.into_iter(), value: None })
    }

    fn tabled<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        read: impl FnOnce(Self, &Table, V) -> Result<V::Value, Error>,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Table(table) => read(self, table, visitor),
            Value::Text(text) => match text::table(self.node) {
                Some(table) => read(self, &table, visitor),
                None => Err(Error::mismatch("a table such as `{ key = \"value\" }`", format!("`{text}`"))),
            },
            _ => self.as_is(visitor),
        }
    }

    /// A mode is written in octal, so a decimal number is none.
    fn mode<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Integer { value, radix: 8 } => visitor.visit_str(&format!("{value:o}")),
            Value::Integer { value, .. } => {
                Err(Error::mismatch(format!("an octal number such as `0o{value}`"), "a decimal one"))
            }
            _ => self.string(visitor),
        }
    }

    fn based<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Pair { base: true, of: Some(self) })
    }

    fn variant<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let expected = "a name or a table with one key";
        let variant = |table: &Table, visitor: V| match table.entries.iter().next() {
            Some((key, node)) if table.entries.len() == 1 => visitor.visit_enum(Variant { of: self, key, node }),
            _ => Err(Error::mismatch(expected, format!("a table with {} keys", table.entries.len()))),
        };
        self.reader.saw(self.node);
        match &self.node.value {
            Value::Table(table) => variant(table, visitor),
            Value::String(text) => visitor.visit_enum(unit(text)),
            Value::Text(text) => match text::table(self.node) {
                Some(table) => variant(&table, visitor),
                None => visitor.visit_enum(unit(text)),
            },
            _ => self.as_is(visitor),
        }
    }
}

/// A name, which has no node of its own.
pub(super) fn unit(text: &str) -> StrDeserializer<'_, Error> {
    text.into_deserializer()
}

macro_rules! forward {
    ($($method:ident => $to:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.placed(self.$to(visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = Error;

    forward! {
        deserialize_any => as_is,
        deserialize_unit => as_is,
        deserialize_bool => parsed,
        deserialize_i8 => parsed, deserialize_i16 => parsed, deserialize_i32 => parsed, deserialize_i64 => parsed,
        deserialize_u8 => parsed, deserialize_u16 => parsed, deserialize_u32 => parsed, deserialize_u64 => parsed,
        deserialize_i128 => parsed, deserialize_u128 => parsed, deserialize_f32 => parsed, deserialize_f64 => parsed,
        deserialize_char => string, deserialize_str => string, deserialize_string => string,
        deserialize_bytes => string, deserialize_byte_buf => string, deserialize_identifier => string,
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    /// An empty text from outside TOML takes a value away: TOML has no null.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(text) if text.is_empty() => visitor.visit_none(),
            _ => self.placed(visitor.visit_some(self)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.placed(self.as_is(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.placed(match name {
            magic::BASED => self.based(visitor),
            magic::MANY => self.listed(true, visitor),
            magic::MODE => self.mode(visitor),
            magic::SECRET => {
                self.reader.secret(self.node);
                self.string(visitor)
            }
            _ => visitor.visit_newtype_struct(self),
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.placed(self.listed(false, visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.placed(self.tabled(visitor, Self::map))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.placed(self.tabled(visitor, |de, table, visitor| de.fields(table, fields, visitor)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.placed(self.variant(visitor))
    }
}
