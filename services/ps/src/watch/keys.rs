//! The keys: those of top and htop, where these agree.

use std::ffi::OsString;
use std::time::Duration;

use super::Eye;
use super::input::Key;
use super::state::{Mode, State};
use crate::columns;
use crate::detail::Detail;
use crate::system::why;
use crate::text::printable;

/// A key and what it does, for the help.
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("q", "quit; also Ctrl-C"),
    ("arrows", "choose a process; also page up and down, home, end"),
    ("enter", "tell everything of it"),
    ("k", "send it a signal; also F9"),
    ("/", "show what has a word in its command line; escape shows all again"),
    ("t", "tree or list"),
    ("< >", "sort by the column to the left, to the right"),
    ("P M T N", "sort by processor, memory, time, number"),
    ("r", "the other way round"),
    ("K", "threads of the kernel too, or not"),
    ("space", "pause"),
    ("+ -", "look less often, more often"),
    ("Ctrl-L", "draw everything anew"),
    ("?", "this help"),
];

/// The last line: what one needs first, the rest is in the help.
pub(crate) const SHORT: &[(&str, &str)] = &[
    ("q", "quit"),
    ("?", "help"),
    ("/", "filter"),
    ("t", "tree"),
    ("<>", "sort"),
    ("enter", "all of it"),
    ("k", "signal"),
    ("space", "pause"),
    ("r", "reverse"),
    ("+-", "interval"),
];

/// The longest and the shortest interval that keys set.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));

/// signal(7).
const TERM: i32 = 15;
const KILL: i32 = 9;

/// What a key asks of the one who owns the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Nothing,
    Quit,
    /// Look now: what was read is not enough, or old.
    Look,
    Redraw,
    Suspend,
}

/// Does what a key says.
pub(crate) fn press(state: &mut State, eye: &Eye, key: Key) -> Action {
    match key {
        Key::Ctrl('c') => return Action::Quit,
        Key::Ctrl('z') => return Action::Suspend,
        Key::Ctrl('l') => return Action::Redraw,
        _ => {}
    }
    state.message = None;
    match std::mem::replace(&mut state.mode, Mode::List) {
        Mode::List => list(state, eye, key),
        Mode::Typing(word) => typing(state, word, key),
        Mode::Asking { id, name } => {
            let signal = match key {
                Key::Char('y' | 'Y') | Key::Enter => TERM,
                Key::Char('9') => KILL,
                _ => return Action::Nothing,
            };
            state.message = Some(match eye.system.kill(id, signal) {
                Ok(()) => format!("signal {signal} sent to {} {name}", id.pid),
                Err(error) => why(&error),
            });
            Action::Look
        }
        Mode::Detail { id, detail, top } => {
            let page = state.room;
            let top = match key {
                Key::Up => top.saturating_sub(1),
                Key::Down => top.saturating_add(1),
                Key::PageUp => top.saturating_sub(page),
                Key::PageDown | Key::Char(' ') => top.saturating_add(page),
                Key::Home => 0,
                Key::End => usize::MAX,
                _ => return Action::Nothing,
            };
            state.mode = Mode::Detail { id, detail, top };
            Action::Nothing
        }
        // any key ends it
        Mode::Help => Action::Nothing,
    }
}

fn list(state: &mut State, eye: &Eye, key: Key) -> Action {
    let page = isize::try_from(state.room).unwrap_or(isize::MAX);
    let step = |state: &mut State, by| {
        let rows = state.rows(eye);
        state.step(&rows, by);
        Action::Nothing
    };
    match key {
        Key::Char('q') => Action::Quit,
        Key::Char('?' | 'h') | Key::F(1) => mode(state, Mode::Help),
        Key::Up => step(state, -1),
        Key::Down => step(state, 1),
        Key::PageUp => step(state, -page),
        Key::PageDown => step(state, page),
        Key::Home => step(state, isize::MIN),
        Key::End => step(state, isize::MAX),
        Key::Char('/') => {
            let word = state.word.clone();
            mode(state, Mode::Typing(word))
        }
        Key::Escape => filter(state, String::new()),
        Key::Enter => tell(state, eye),
        Key::Char('k') | Key::F(9) => ask(state, eye),
        Key::Char('t') => {
            state.query.tree = !state.query.tree;
            Action::Nothing
        }
        Key::Char('r' | 'R' | 'I') => {
            state.query.reverse = !state.query.reverse;
            Action::Nothing
        }
        Key::Char('<') => sort_beside(state, -1),
        Key::Char('>') => sort_beside(state, 1),
        Key::Char('P') => sort(state, "cpu_percent"),
        Key::Char('M') => sort(state, "resident_size"),
        Key::Char('T') => sort(state, "cpu_time"),
        Key::Char('N') => sort(state, "pid"),
        Key::Char('K') => {
            state.query.filter.kernel = !state.query.filter.kernel;
            Action::Nothing
        }
        Key::Char(' ') => {
            state.paused = !state.paused;
            if state.paused { Action::Nothing } else { Action::Look }
        }
        Key::Char('+') => every(state, state.interval.saturating_mul(2)),
        Key::Char('-') => every(state, state.interval / 2),
        _ => Action::Nothing,
    }
}

fn mode(state: &mut State, mode: Mode) -> Action {
    state.mode = mode;
    Action::Nothing
}

fn every(state: &mut State, interval: Duration) -> Action {
    state.interval = interval.clamp(INTERVALS.0, INTERVALS.1);
    Action::Nothing
}

fn typing(state: &mut State, mut word: String, key: Key) -> Action {
    match key {
        Key::Enter => return filter(state, word),
        Key::Escape => return Action::Nothing,
        Key::Backspace => drop(word.pop()),
        Key::Char(c) => word.push(c),
        _ => {}
    }
    mode(state, Mode::Typing(word))
}

/// Shows what has `word` in its command line, on top of what the command line asked for.
fn filter(state: &mut State, word: String) -> Action {
    let typed = OsString::from(&state.word);
    state.query.filter.typed = (!word.is_empty()).then(|| word.clone().into());
    state.word = word;
    // the command line of each process may not have been read so far
    if typed == OsString::from(&state.word) { Action::Nothing } else { Action::Look }
}

fn sort(state: &mut State, name: &str) -> Action {
    if let Some(column) = columns::find(name) {
        (state.query.sort, state.query.reverse) = (column, false);
    }
    Action::Look
}

/// Sorts by the column beside the one that is sorted by.
fn sort_beside(state: &mut State, by: isize) -> Action {
    let columns = &state.query.columns;
    let at = columns.iter().position(|column| column.name == state.query.sort.name);
    // sorted by what is not shown: begin at the left
    let at = at.map_or(0, |at| at.saturating_add_signed(by).min(columns.len().saturating_sub(1)));
    if let Some(column) = columns.get(at) {
        (state.query.sort, state.query.reverse) = (column, false);
    }
    Action::Nothing
}

fn tell(state: &mut State, eye: &Eye) -> Action {
    let rows = state.rows(eye);
    let Some(process) = rows.get(state.at).map(|placed| placed.row.process) else { return Action::Nothing };
    match Detail::new(&eye.system, process.pid(), Some(&eye.earlier)) {
        Ok(detail) => mode(state, Mode::Detail { id: process.id, detail: Box::new(detail), top: 0 }),
        Err(error) => {
            state.message = Some(why(&error));
            Action::Nothing
        }
    }
}

fn ask(state: &mut State, eye: &Eye) -> Action {
    let rows = state.rows(eye);
    let Some(process) = rows.get(state.at).map(|placed| placed.row.process) else { return Action::Nothing };
    mode(state, Mode::Asking { id: process.id, name: printable(process.name.as_encoded_bytes()) })
}
