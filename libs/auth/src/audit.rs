//! The audit trail: who changed what, from where, and what was there before.
//!
//! A service keeps the trail of its own acts in its own database, in a table of the one shape ([`AUDIT`]), and writes a
//! row in the very transaction that makes the change. So the change and its row are there together or not at all,
//! whatever crashes; a trail in another database could only be written before or after. [`Trail`] reads several of them
//! as one.

mod trail;

use std::fmt::Display;

use jiff::Timestamp;
use opsctl_store::{Migration, Transaction, params};

use crate::clock::Clock;
use crate::identity::Identity;

pub use trail::{Cursor, Filter, Record, Trail};

/// The table `audit`, to be listed among a service's own migrations under a name that sorts where it belongs:
/// `Migration { name: "0002_audit", ..AUDIT }`.
pub const AUDIT: Migration = Migration {
    name: "0002_audit",
    sqlite: include_str!("../../../migrations/auth/sqlite/0002_audit.sql"),
    postgres: include_str!("../../../migrations/auth/postgres/0002_audit.sql"),
};

/// Bytes of one column at most: the trail is about what happened, and no place for contents.
const LONGEST: usize = 4096;

/// Who does something, and from where. Handed to everything that changes something.
#[derive(Debug, Clone)]
pub struct Author {
    actor: String,
    address: String,
    clock: Clock,
}

/// What is done: one row of the trail.
#[derive(Debug, Clone)]
pub struct Act {
    action: &'static str,
    object: String,
    before: Option<String>,
    after: Option<String>,
}

impl Author {
    /// The one whose request it is; `address` is the peer's, if it has one.
    #[must_use]
    pub fn new(identity: &Identity, address: Option<impl Display>, clock: Clock) -> Self {
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        Self { actor: identity.actor(), address, clock }
    }

    /// Who runs a command on the machine itself, as the system calls them.
    #[must_use]
    pub fn console(account: &str) -> Self {
        Self::new(&Identity::console(account), None::<&str>, Clock::system())
    }

    /// The program itself, of its own accord: "(index retention)".
    #[must_use]
    pub fn program(what: &str) -> Self {
        Self { actor: format!("({what})"), address: String::new(), clock: Clock::system() }
    }

    /// The actor, as the trail has it.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Now, by the clock of the one who acts.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes the row of `act` into the trail of `tx`'s database. To be called in the transaction that makes the change,
    /// by everything that changes something.
    ///
    /// # Errors
    /// The database's; the transaction is then good for nothing but to be dropped.
    pub async fn record(&self, tx: &mut Transaction, act: Act) -> Result<(), opsctl_store::Error> {
        let Act { action, object, before, after } = act;
        let sql = "INSERT INTO audit (time, actor, address, action, object, before, after) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let time = self.now().as_microsecond();
        let (actor, address, object) = (fit(&self.actor), fit(&self.address), fit(&object));
        let (before, after) = (before.as_deref().map(fit), after.as_deref().map(fit));
        tx.execute(sql, params![time, actor, address, action, object, before, after]).await?;
        Ok(())
    }
}

impl Act {
    /// `action` is a verb ("upload", "user disable"), `object` what it is done to ("index/main/demo").
    #[must_use]
    pub fn new(action: &'static str, object: impl Display) -> Self {
        Self { action, object: object.to_string(), before: None, after: None }
    }

    /// What was there before. Never a secret.
    #[must_use]
    pub fn before(self, before: impl Display) -> Self {
        Self { before: Some(before.to_string()), ..self }
    }

    /// What is there now. Never a secret.
    #[must_use]
    pub fn after(self, after: impl Display) -> Self {
        Self { after: Some(after.to_string()), ..self }
    }
}

/// A text as any database takes it, and no longer than it should be.
fn fit(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text);
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{more}", cut.replace('\0', "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit() {
        assert_eq!(fit("a\0b"), "a\u{fffd}b");
        assert_eq!(fit(&"é".repeat(2048)), "é".repeat(2048));
        assert_eq!(fit(&format!("x{}", "é".repeat(2048))), format!("x{}…", "é".repeat(2047)));
    }

    #[test]
    fn actors() {
        assert_eq!(Author::console("root").actor(), "(console root)");
        assert_eq!(Author::program("index retention").actor(), "(index retention)");
    }
}
