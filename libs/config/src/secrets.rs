//! What a fault must not show. A value is a secret if its type says so ([`Secret`](crate::Secret)); of one that no type
//! has been asked about, because it is unknown or unreadable, the name of its key decides.

use crate::fault::Found;
use crate::node::{Node, Table, Value};
use crate::source::{Source, Span};
use crate::statements::{Statement, statements};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whether a key of this name is likely to hold a secret.
pub(crate) fn sounds_secret(name: &str) -> bool {
    const WORDS: [&str; 10] =
        ["passw", "passphrase", "passwd", "secret", "token", "credential", "apikey", "api_key", "private_key", "pwd"];
    let name = name.to_lowercase().replace('-', "_");
    let file = ["_file", "_path", "_dir", "_folder"].iter().any(|end| name.ends_with(end));
    !file && (name == "pass" || name.ends_with("_pass") || WORDS.iter().any(|word| name.contains(word)))
}

/// The ranges to mask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masks {
    /// By source.
    spans: BTreeMap<usize, BTreeSet<Span>>,
    /// Names of keys that are secret though they do not sound so, in lower case.
    names: Arc<BTreeSet<String>>,
}

impl Masks {
    /// With the keys that are known to be secret, as dotted paths.
    pub(crate) fn of_keys(paths: &BTreeSet<String>) -> Self {
        let names = paths.iter().filter_map(|path| path.split('.').rfind(|key| *key != "*"));
        Self { names: Arc::new(names.map(str::to_lowercase).collect()), ..Self::default() }
    }

    /// Whether a key of this name is, or is likely to be, a secret.
    pub(crate) fn sounds(&self, name: &str) -> bool {
        sounds_secret(name) || self.names.contains(&name.to_lowercase())
    }

    pub(crate) fn add(&mut self, source: usize, span: Span) {
        self.spans.entry(source).or_default().insert(span);
    }

    /// Every value in the tree whose key sounds secret.
    pub(crate) fn with_tree(mut self, root: &Table) -> Self {
        for (key, node) in &root.entries {
            self.node(self.sounds(key), node, &BTreeSet::new());
        }
        self
    }

    pub(crate) fn extend(&mut self, other: Self) {
        for (source, spans) in other.spans {
            self.spans.entry(source).or_default().extend(spans);
        }
    }

    /// Every value in a node whose key sounds secret, but for those (source, start) whose type is known.
    pub(crate) fn node(&mut self, secret: bool, node: &Node, seen: &BTreeSet<(usize, usize)>) {
        let mut next = Some(node);
        while let Some(node) = next {
            match &node.value {
                Value::Table(table) => {
                    for (key, inner) in &table.entries {
                        self.node(secret || self.sounds(key), inner, seen);
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| self.node(secret, item, seen)),
                Value::Text(text) if !secret => self.words(node.at.source, node.at.value, text),
                _ if secret && !seen.contains(&(node.at.source, node.at.value.start)) => {
                    self.add(node.at.source, node.at.value);
                }
                _ => {}
            }
            next = node.under.as_deref();
        }
    }

    /// In the texts of faulty statements too, which are in no tree.
    pub(crate) fn with_statements(mut self, sources: &[Source], found: &[Found]) -> Self {
        let faulty: BTreeSet<usize> = found.iter().filter_map(|found| found.source).collect();
        for (id, source) in sources.iter().enumerate().filter(|(id, _)| faulty.contains(id)) {
            if source.is_file() {
                let mut table = false;
                for Statement { header, key, value, .. } in statements(&source.text) {
                    let secret = source.slice(key).split(['.', '[', ']', '"', '\'']).any(|key| self.sounds(key.trim()));
                    if header {
                        table = secret;
                    } else if table || secret {
                        self.add(id, value);
                    } else {
                        self.words(id, value, source.slice(value));
                    }
                }
            } else if let Some((name, _)) = source.text.split_once('=')
                && name.split(['.', ' ']).any(|word| self.sounds(word.rsplit("__").next().unwrap_or(word)))
            {
                self.add(id, Span::new(name.len() + 1, source.text.len()));
            }
        }
        self
    }

    /// Within a value the rest after a `key =` that sounds secret: the inside of an inline table.
    fn words(&mut self, source: usize, span: Span, text: &str) {
        for (equals, _) in text.match_indices('=') {
            let before = text.get(..equals).unwrap_or_default().trim_end();
            let start = before.rfind(|c: char| ",{ \n\t".contains(c)).map_or(0, |at| at + 1);
            if self.sounds(last_key(before.get(start..).unwrap_or_default())) {
                return self.add(source, Span::new(span.start + equals + 1, span.end));
            }
        }
    }

    /// What of a source is to be masked.
    pub(crate) fn of(&self, source: usize) -> impl Iterator<Item = Span> {
        self.spans.get(&source).into_iter().flatten().copied()
    }
}

fn last_key(key: &str) -> &str {
    key.trim().trim_end_matches(['"', '\'']).rsplit(['.', '"', '\'']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["password", "ircpassword", "api_token", "client-secret", "pass", "db_pass", "Passwd", "apikey"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["listen", "password_file", "passive", "bypass", "compass", "key", "secrets_dir"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
