//! serde's way through lists, tables and variants: each step further is noted, so that a fault knows its key.

use super::deserializer::{De, unit};
use super::error::Error;
use crate::node::{Node, Step};
use serde::de::value::BytesDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};

pub(super) struct Items<'a, 'b> {
    pub(super) of: De<'a>,
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'b, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let reader = self.of.reader;
        let de = De { node, reader, top: false };
        reader.within(Step::Index(index), || de.placed(seed.deserialize(de))).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A value as a list of one. It is the same node, so its place is no step further.
pub(super) struct Single<'a>(pub(super) Option<De<'a>>);

impl<'de> SeqAccess<'de> for Single<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|de| seed.deserialize(de)).transpose()
    }
}

/// The folder of a value, and the value.
pub(super) struct Pair<'a> {
    pub(super) base: bool,
    pub(super) of: Option<De<'a>>,
}

impl<'de> SeqAccess<'de> for Pair<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(de) = self.of else { return Ok(None) };
        if std::mem::take(&mut self.base) {
            let base = de.reader.base(de.node);
            return seed.deserialize(BytesDeserializer::new(base)).map(Some);
        }
        self.of = None;
        seed.deserialize(de).map(Some)
    }
}

pub(super) struct Entries<'a, 'b> {
    pub(super) of: De<'a>,
    pub(super) entries: std::vec::IntoIter<(&'b String, &'b Node)>,
    pub(super) value: Option<(&'b String, &'b Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.entries.next();
        let Some((key, node)) = self.value else { return Ok(None) };
        let reader = self.of.reader;
        let key = reader.within(Step::Key(key.clone()), || {
            let de = De { node, reader, top: false };
            de.placed(seed.deserialize(unit(key)))
        });
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, node)) = self.value.take() else { return Err(Error::custom("no value")) };
        let reader = self.of.reader;
        let de = De { node, reader, top: false };
        reader.within(Step::Key(key.clone()), || de.placed(seed.deserialize(de)))
    }
}

/// A variant with a content: `{ name = content }`.
pub(super) struct Variant<'a, 'b> {
    pub(super) of: De<'a>,
    pub(super) key: &'b str,
    pub(super) node: &'b Node,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        Ok((seed.deserialize(unit(self.key))?, self))
    }
}

impl Variant<'_, '_> {
    fn read<T>(self, read: impl FnOnce(De<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let reader = self.of.reader;
        let de = De { node: self.node, reader, top: false };
        reader.within(Step::Key(self.key.to_owned()), || de.placed(read(de)))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.read(|_| Err(Error::mismatch("a name alone", "a table")))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.read(|de| seed.deserialize(de))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(|de| de.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.read(|de| de.deserialize_struct("", fields, visitor))
    }
}
