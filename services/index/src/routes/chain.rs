//! An index and its bases, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::IndexName;
use crate::mirror::Mirror;

/// One place of a chain.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// An index with files of its own.
    Folder(IndexName),
    /// An upstream.
    Mirror(Arc<Mirror>),
}

/// The places in which an index looks, the first first; none twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain(Box<[Part]>);

impl Chain {
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// Indexes with files of their own.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &IndexName> {
        self.0.iter().filter_map(|part| match part {
            Part::Folder(name) => Some(name),
            Part::Mirror(_) => None,
        })
    }

    /// Upstreams.
    pub(crate) fn mirrors(&self) -> impl Iterator<Item = &Arc<Mirror>> {
        self.0.iter().filter_map(|part| match part {
            Part::Folder(_) => None,
            Part::Mirror(mirror) => Some(mirror),
        })
    }
}

/// Bases that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadBases {
    /// There is no such index.
    #[error("the base `{base}` of the index `{index}` does not exist")]
    Unknown { index: IndexName, base: IndexName },
    /// It stands upon itself.
    #[error("the index `{0}` is a base of itself")]
    Circle(IndexName),
}

/// All indexes in the order of their bases: an index, then each base with its own bases.
///
/// # Errors
/// A base that is none, or bases in a circle.
pub(crate) fn order(
    bases: &BTreeMap<IndexName, Vec<IndexName>>,
) -> Result<BTreeMap<IndexName, Vec<IndexName>>, BadBases> {
    let mut orders = BTreeMap::new();
    for index in bases.keys() {
        let (mut order, mut above) = (Vec::new(), Vec::new());
        walk(index, bases, &mut order, &mut above)?;
        let mut seen = BTreeSet::new();
        order.retain(|name| seen.insert(name.clone()));
        orders.insert(index.clone(), order);
    }
    Ok(orders)
}

fn walk(
    index: &IndexName,
    bases: &BTreeMap<IndexName, Vec<IndexName>>,
    order: &mut Vec<IndexName>,
    above: &mut Vec<IndexName>,
) -> Result<(), BadBases> {
    if above.contains(index) {
        return Err(BadBases::Circle(index.clone()));
    }
    if order.contains(index) {
        return Ok(());
    }
    order.push(index.clone());
    above.push(index.clone());
    for base in bases.get(index).into_iter().flatten() {
        if !bases.contains_key(base) {
            return Err(BadBases::Unknown { index: index.clone(), base: base.clone() });
        }
        walk(base, bases, order, above)?;
    }
    above.pop();
    Ok(())
}

/// The chains of all indexes; those in `mirrors` are upstreams, the others have folders. An upstream that is switched
/// off is in neither, and no part of anything.
pub(crate) fn chains(
    orders: BTreeMap<IndexName, Vec<IndexName>>,
    mirrors: &BTreeMap<IndexName, Arc<Mirror>>,
    folders: &BTreeSet<IndexName>,
) -> BTreeMap<IndexName, Chain> {
    let part = |name: IndexName| match mirrors.get(&name) {
        Some(mirror) => Some(Part::Mirror(Arc::clone(mirror))),
        None => folders.contains(&name).then_some(Part::Folder(name)),
    };
    let chain = |order: Vec<IndexName>| Chain(order.into_iter().filter_map(part).collect());
    orders.into_iter().map(|(index, order)| (index, chain(order))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `lines` as `index: base base`.
    fn check(lines: &str, index: &str, expected: Result<&str, &str>) {
        let name = |text: &str| text.parse::<IndexName>().unwrap();
        let bases = lines.split(", ").map(|line| {
            let (index, bases) = line.split_once(':').unwrap();
            (name(index), bases.split_whitespace().map(name).collect())
        });
        let orders = order(&bases.collect());
        let text =
            orders.map(|orders| orders[&name(index)].iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" "));
        assert_eq!(text.map_err(|error| error.to_string()), expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn bases_follow_their_index() {
        check("main: public, public:", "main", Ok("main public"));
        check("dev: stage public, stage: main, main: public, public:", "dev", Ok("dev stage main public"));
        check("a: b c, b: d, c: d, d:", "a", Ok("a b d c"));
        check("a:", "a", Ok("a"));
    }

    #[test]
    fn what_cannot_be() {
        check("a: b", "a", Err("the base `b` of the index `a` does not exist"));
        check("a: b, b: a", "a", Err("the index `a` is a base of itself"));
        check("a: a", "a", Err("the index `a` is a base of itself"));
    }
}
