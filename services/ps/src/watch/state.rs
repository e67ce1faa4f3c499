//! What the full screen shows, as far as keys decide it.

use std::time::Duration;

use psi::{Error, Id};

use super::Eye;
use crate::args::Query;
use crate::detail::Detail;
use crate::order::{Placed, arrange};

/// What is on the screen.
#[derive(Debug)]
pub(crate) enum Mode {
    /// The list.
    List,
    /// The list, and a word for the filter is being typed.
    Typing(String),
    /// The list, and the question whether this process shall get a signal.
    Asking {
        /// Whom: by number and start, so that nobody else gets it.
        id: Id,
        /// Its name, to be shown.
        name: String,
    },
    /// All of one process.
    Detail {
        /// Of which.
        id: Id,
        /// What was seen of it last.
        detail: Box<Detail>,
        /// The first line that is shown.
        top: usize,
    },
    /// The keys.
    Help,
}

/// The state of the view.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) query: Query,
    pub(crate) interval: Duration,
    pub(crate) paused: bool,
    pub(crate) mode: Mode,
    /// The word that was typed for the filter.
    pub(crate) word: String,
    /// What came of the last key.
    pub(crate) message: Option<String>,
    /// The chosen process: the mark stays on it when the order changes. None until a key has moved the mark.
    chosen: Option<Id>,
    /// The line of the mark.
    pub(crate) at: usize,
    /// The first line that is shown.
    pub(crate) top: usize,
    /// How many lines there is room for.
    pub(crate) room: usize,
}

impl State {
    pub(crate) fn new(query: Query, interval: Duration) -> Self {
        Self {
            query,
            interval,
            paused: false,
            mode: Mode::List,
            word: String::new(),
            message: None,
            chosen: None,
            at: 0,
            top: 0,
            room: 1,
        }
    }

    /// The lines of the list.
    pub(crate) fn rows<'a>(&self, eye: &'a Eye) -> Vec<Placed<'a>> {
        // its users have been found when the view began
        let Ok(ready) = self.query.filter.on(&eye.look, self.query.own) else { return Vec::new() };
        arrange(&eye.look, &self.query, &ready)
    }

    /// Says that there was a new look.
    pub(crate) fn seen(&mut self, eye: &Eye) {
        if let Mode::Detail { id, detail, .. } = &mut self.mode {
            match Detail::new(&eye.system, id.pid, Some(&eye.earlier)) {
                Ok(now) if now.id() == Some(*id) => **detail = now,
                // another one with its number is not it
                Ok(_) | Err(Error::NoSuchProcess { .. }) => {
                    self.message = Some(format!("process {} has ended", id.pid))
                }
                Err(error) => self.message = Some(crate::system::why(&error)),
            }
        }
    }

    /// Puts mark and scroll where they belong, for these rows and `room` lines.
    pub(crate) fn settle(&mut self, rows: &[Placed<'_>], room: usize) {
        let found = self.chosen.and_then(|id| rows.iter().position(|placed| placed.row.process.id == id));
        // where the chosen one is gone its neighbour takes the mark
        self.at = found.unwrap_or(self.at).min(rows.len().saturating_sub(1));
        if self.chosen.is_some() {
            self.chosen = rows.get(self.at).map(|placed| placed.row.process.id);
        }
        self.room = room.max(1);
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(self.room));
        // no empty lines below while there are some above
        self.top = self.top.min(rows.len().saturating_sub(self.room));
    }

    /// Moves the mark by so many lines.
    pub(crate) fn step(&mut self, rows: &[Placed<'_>], by: isize) {
        self.at = self.at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        self.chosen = rows.get(self.at).map(|placed| placed.row.process.id);
    }
}
