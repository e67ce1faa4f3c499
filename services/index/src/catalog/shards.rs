//! A map in parts that are shared between its versions: a new version with a few changes copies the parts that change,
//! a sixty-fourth of the whole each, and not the rest.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

/// How many parts; a power of two.
const PARTS: usize = 64;

/// The map. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shards<K, V> {
    parts: Arc<[Part<K, V>]>,
    /// Chooses the part, and within it the place: keys come from clients.
    hasher: RandomState,
}

type Part<K, V> = Arc<HashMap<K, V, RandomState>>;

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        let hasher = RandomState::new();
        let empty: Part<K, V> = Arc::new(HashMap::with_hasher(hasher.clone()));
        Shards { parts: vec![empty; PARTS].into(), hasher }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    /// What stands under `key`.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.parts[self.part(key)].get(key)
    }

    /// This map with `changes`: a value is put in, `None` takes out.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (K, Option<V>)>) -> Self {
        let mut parts = self.parts.to_vec();
        for (key, value) in changes {
            let part = self.part(&key);
            let part = Arc::make_mut(&mut parts[part]);
            match value {
                Some(value) => drop(part.insert(key, value)),
                None => drop(part.remove(&key)),
            }
        }
        Shards { parts: parts.into(), hasher: self.hasher.clone() }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    fn part<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        // the low bits choose the place within the part
        (self.hasher.hash_one(key) >> 32) as usize & (PARTS - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn like_any_map(changes in prop::collection::vec((0_u8..40, any::<Option<u16>>()), 0..200)) {
            let (mut shards, mut plain) = (Shards::<u8, u16>::default(), BTreeMap::new());
            for chunk in changes.chunks(7) {
                let (before, was) = (shards.clone(), plain.clone());
                shards = shards.with(chunk.iter().copied());
                for (key, value) in chunk {
                    match value {
                        Some(value) => drop(plain.insert(*key, *value)),
                        None => drop(plain.remove(key)),
                    }
                }
                let sorted = |shards: &Shards<u8, u16>| shards.iter().map(|(k, v)| (*k, *v)).collect::<BTreeMap<_, _>>();
                prop_assert_eq!(sorted(&shards), plain.clone());
                prop_assert_eq!(sorted(&before), was, "the version before stays as it was");
                prop_assert!((0..40).all(|key| shards.get(&key) == plain.get(&key)));
            }
        }
    }

    #[test]
    fn parts_are_shared() {
        let shards = Shards::<u8, u8>::default().with((0..200).map(|n| (n, Some(n))));
        let next = shards.with([(7, None)]);
        let shared = shards.parts.iter().zip(next.parts.iter()).filter(|(one, other)| Arc::ptr_eq(one, other)).count();
        assert_eq!(shared, PARTS - 1);
    }
}
