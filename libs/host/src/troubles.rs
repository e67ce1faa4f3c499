//! What is wrong at the moment, put together for the host, which wants one word: a service with two troubles is not
//! well again when one of them is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Health, HealthCell};

/// The troubles by their subject. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Troubles(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    now: Mutex<BTreeMap<&'static str, String>>,
    health: HealthCell,
}

impl Troubles {
    /// None so far; `health` is told.
    #[must_use]
    pub fn new(health: HealthCell) -> Troubles {
        Troubles(Arc::new(Inner { now: Mutex::default(), health }))
    }

    /// There is this trouble with `subject`.
    pub fn set(&self, subject: &'static str, trouble: String) {
        self.change(|now| now.insert(subject, trouble));
    }

    /// All is well with `subject`.
    pub fn clear(&self, subject: &'static str) {
        self.change(|now| now.remove(subject));
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<&'static str, String>) -> Option<String>) {
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        let troubles: Vec<&str> = now.values().map(String::as_str).collect();
        self.0.health.set(if troubles.is_empty() { Health::Ok } else { Health::Degraded(troubles.join("; ")) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_when_all_is() {
        let health = HealthCell::default();
        let troubles = Troubles::new(health.clone());
        troubles.set("users", "bad file".to_owned());
        troubles.set("irc", "gone".to_owned());
        assert_eq!(health.get(), Health::Degraded("gone; bad file".to_owned()));
        troubles.clear("users");
        assert_eq!(health.get(), Health::Degraded("gone".to_owned()));
        troubles.clear("irc");
        assert_eq!(health.get(), Health::Ok);
    }
}
