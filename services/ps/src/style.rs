//! Pieces of text with a meaning, and how a terminal shows that: by the sixteen colours that every one has and its
//! user has chosen, never by more.

use std::io::{self, Write};

use ratatui::style::{Color, Modifier};

use crate::text;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    #[default]
    Plain,
    /// A heading.
    Head,
    /// What one looks for first.
    Strong,
    /// What one looks for last.
    Faint,
    /// Works.
    Good,
    /// Much.
    Warm,
    /// Too much, or broken.
    Bad,
}

impl Style {
    /// The numbers of ECMA-48's SGR sequence; none for plain text.
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Head => Some("1;4"),
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Warm => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }

    /// The same for the full screen. Without colours, weight alone.
    pub(crate) fn on_screen(self, color: bool) -> ratatui::style::Style {
        let plain = ratatui::style::Style::new();
        let colored = |foreground| if color { plain.fg(foreground) } else { plain };
        match self {
            Self::Plain => plain,
            Self::Head => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            Self::Strong => plain.add_modifier(Modifier::BOLD),
            Self::Faint => plain.add_modifier(Modifier::DIM),
            Self::Good => colored(Color::Green),
            Self::Warm => colored(Color::Yellow),
            Self::Bad => colored(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

/// A piece of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Span {
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::Plain)
    }
}

/// A line.
pub(crate) type Line = Vec<Span>;

/// Columns that it takes.
pub(crate) fn width(line: &[Span]) -> usize {
    line.iter().map(|span| text::width(&span.text)).sum()
}

/// Cuts what goes beyond `room` columns, with `mark` (one column) in the place of the rest.
pub(crate) fn cut(line: Line, room: usize, mark: &str) -> Line {
    if width(&line) <= room {
        return line;
    }
    let mut left = room.saturating_sub(1);
    let mut kept = Line::new();
    for span in line {
        let (part, used) = text::fit(&span.text, left);
        let whole = part.len() == span.text.len();
        let part = if whole { span.text } else { part.to_owned() };
        kept.push(Span { text: part, style: span.style });
        left -= used;
        if !whole {
            break;
        }
    }
    if room > 0 {
        kept.push(Span::new(mark, Style::Faint));
    }
    kept
}

/// Writes a line, with colours or without, and its end. Blanks at the end are left away.
///
/// # Errors
/// What the writer says.
pub(crate) fn write(line: &[Span], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let last = line.iter().rposition(|span| !span.text.trim_end().is_empty()).map_or(0, |at| at + 1);
    for (at, span) in line.iter().take(last).enumerate() {
        let text = if at + 1 == last { span.text.trim_end() } else { &span.text };
        match span.style.sgr().filter(|_| color) {
            Some(sgr) if !text.is_empty() => write!(out, "\x1b[{sgr}m{text}\x1b[0m")?,
            _ => out.write_all(text.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}

/// Writes lines.
///
/// # Errors
/// What the writer says.
pub(crate) fn write_all(lines: &[Line], color: bool, out: &mut dyn Write) -> io::Result<()> {
    lines.iter().try_for_each(|line| write(line, color, out))
}

/// Goes on in the next line where a line is too wide, moved in by `indent` columns.
pub(crate) fn wrap(line: Line, room: usize, indent: usize) -> Vec<Line> {
    let room = room.max(1);
    let indent = if indent * 2 < room { indent } else { 0 };
    let (mut lines, mut current, mut used) = (Vec::new(), Line::new(), 0);
    for Span { text, style } in line {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (part, width) = text::fit(rest, room - used);
            // a character that is wider than the whole line is the only one that cannot move on
            let part = if part.is_empty() && used <= indent {
                &rest[..rest.chars().next().map_or(0, char::len_utf8)]
            } else {
                part
            };
            current.push(Span::new(part, style));
            used += width;
            rest = &rest[part.len()..];
            if !rest.is_empty() {
                lines.push(std::mem::take(&mut current));
                current.push(Span::plain(" ".repeat(indent)));
                used = indent;
            }
        }
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &[Span], color: bool) -> String {
        let mut out = Vec::new();
        write(line, color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_cut_line_is_exactly_as_wide_as_there_is_room() {
        let line = || vec![Span::plain("ab"), Span::new("日本", Style::Bad), Span::plain("c")];
        let check = |room: usize, expected: &str| {
            let cut = cut(line(), room, "…");
            assert!(width(&cut) <= room, "{cut:?}");
            assert_eq!(written(&cut, false), format!("{expected}\n"), "{room}");
        };
        check(7, "ab日本c");
        check(6, "ab日…");
        check(5, "ab日…");
        check(4, "ab…");
        check(2, "a…");
        check(1, "…");
        check(0, "");
    }

    #[test]
    fn a_long_line_goes_on_below() {
        let line = || vec![Span::new("name  ", Style::Faint), Span::plain("one two 日本")];
        let check = |room: usize, expected: &[&str]| {
            let lines: Vec<_> = wrap(line(), room, 6).iter().map(|line| written(line, false)).collect();
            assert_eq!(lines.iter().map(|line| line.trim_end_matches('\n')).collect::<Vec<_>>(), expected, "{room}");
        };
        check(20, &["name  one two 日本"]);
        check(13, &["name  one two", "       日本"]);
        check(17, &["name  one two 日", "      本"]);
        check(4, &["name", "  on", "e tw", "o 日", "本"]);
        check(1, &["n", "a", "m", "e", "", "", "o", "n", "e", "", "t", "w", "o", "", "日", "本"]);
    }

    #[test]
    fn colours_are_there_or_not() {
        let line = [Span::new("a", Style::Bad), Span::plain(" b "), Span::plain("  ")];
        assert_eq!(written(&line, true), "\x1b[1;31ma\x1b[0m b\n");
        assert_eq!(written(&line, false), "a b\n");
        assert_eq!(written(&[Span::plain("  ")], true), "\n");
    }
}
