//! The line that a fault shows: secrets masked, control characters visible, tabs as spaces, a long one cut around the
//! place; and where under it the carets go.

use crate::MASK;
use crate::source::{Position, Source, Span};
use std::borrow::Cow;

/// The widest line, in columns of a terminal; of a wider one the part around the fault is shown.
const MAX_WIDTH: usize = 120;
/// How much of a cut line stands before the fault.
const BEFORE: usize = 40;
const TAB: &str = "    ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1; none outside files.
    pub(super) number: Option<usize>,
    pub(super) text: String,
    /// Columns before the first caret.
    pub(super) start: usize,
    /// Number of carets, at least one.
    pub(super) width: usize,
}

/// A character as shown, or a secret's mask.
struct Cell {
    span: Span,
    text: Cow<'static, str>,
    width: usize,
}

impl Line {
    /// `masks` are the secrets of this line.
    pub(super) fn new(source: &Source, position: &Position, span: Span, masks: &[Span]) -> Self {
        let near = near(source, position.span, span.start);
        let cells = cells(source.slice(near), near, masks);
        let width_of = |cells: &[Cell]| cells.iter().map(|cell| cell.width).sum::<usize>();
        let first = cells.iter().position(|cell| cell.span.end > span.start).unwrap_or(cells.len());
        let last = cells.iter().position(|cell| cell.span.start >= span.end).unwrap_or(cells.len()).max(first);
        let (before, marked) = (cells.get(..first).unwrap_or_default(), cells.get(first..last).unwrap_or_default());
        let (start, width) = (width_of(before), width_of(marked).max(1));
        let number = source.is_file().then_some(position.line);
        let (text, start, width) = if near == position.span && width_of(&cells) <= MAX_WIDTH {
            (cells.into_iter().map(|cell| cell.text).collect(), start, width)
        } else {
            cut(cells, start, width, [near.start > position.span.start, near.end < position.span.end])
        };
        Self { number, text, start, width }
    }
}

/// The part of a line that can be of interest: nobody needs a megabyte of it.
fn near(source: &Source, line: Span, offset: usize) -> Span {
    const FAR: usize = 2048;
    let boundary = |mut at: usize| {
        while !source.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(offset.saturating_sub(FAR).max(line.start).min(line.end));
    Span::new(start, boundary((offset + FAR).min(line.end)))
}

fn cells(text: &str, line: Span, masks: &[Span]) -> Vec<Cell> {
    let masks: Vec<Span> =
        masks.iter().copied().filter(|mask| mask.start < line.end && line.start < mask.end).collect();
    let mut cells: Vec<Cell> = Vec::new();
    let mut masked = false;
    for (at, character) in text.char_indices() {
        let span = Span::new(at, at + character.len_utf8()).moved(line.start);
        let hidden = masks.iter().any(|mask| mask.contains(span.start));
        match cells.last_mut() {
            Some(last) if hidden && masked => last.span.end = span.end,
            _ if hidden => cells.push(Cell { span, text: MASK.into(), width: MASK.len() }),
            _ => {
                let text = shown(character, TAB);
                let width = text.chars().map(columns).sum();
                cells.push(Cell { span, text, width });
            }
        }
        masked = hidden;
    }
    cells
}

/// The part of a long line around its carets. `more` says whether the line goes on before and after the cells.
fn cut(cells: Vec<Cell>, start: usize, width: usize, more: [bool; 2]) -> (String, usize, usize) {
    let from = if start < MAX_WIDTH - BEFORE { 0 } else { start - BEFORE };
    let (mut column, mut text, mut skipped, mut rest) = (0, String::new(), 0, more[1]);
    for cell in cells {
        if column < from {
            skipped += cell.width;
        } else if column + cell.width > from + MAX_WIDTH {
            rest = true;
            break;
        } else {
            text += &cell.text;
        }
        column += cell.width;
    }
    let (before, after) = (if skipped > 0 || more[0] { "…" } else { "" }, if rest { "…" } else { "" });
    let dots = before.chars().count();
    let start = start - skipped + dots;
    let width = width.min((column - skipped + dots).saturating_sub(start)).max(1);
    (format!("{before}{text}{after}"), start, width)
}

/// A text in which nothing can move the cursor or end the line.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|character| shown(character, " ")).collect()
}

/// The text with a secret masked in it, with and without its quotes. One too short to be told from a chance word is
/// only masked in backticks.
pub(super) fn hide(text: String, secret: &str) -> String {
    let bare = secret.trim().trim_matches(['"', '\'']);
    if bare.is_empty() || !text.contains(bare) {
        text
    } else if bare.len() < 4 {
        text.replace(&format!("`{bare}`"), &format!("`{MASK}`"))
    } else {
        text.replace(bare, MASK)
    }
}

fn shown(character: char, tab: &'static str) -> Cow<'static, str> {
    match character {
        '\t' => tab.into(),
        _ if character.is_control() || turns(character) => character.escape_default().to_string().into(),
        _ => character.to_string().into(),
    }
}

/// Whether it turns the direction of writing, ends a line in some terminals, or is a mark that cannot be seen.
fn turns(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns of a terminal a character takes (UAX #11, in rough blocks: a caret one off is no harm).
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff => 2,
        0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
