//! A table on a screen: columns as wide as what is in them, one that takes the room that is left, and where there is not
//! enough room, the least important columns gone.
//!
//! Where the width is not known (a pipe) nothing is cut and nothing left out.

use crate::style::{self, Line, Span, Style};
use crate::text;

/// Blanks between two columns.
const GAP: usize = 1;
/// What a wide column has to have before a column is given up for it.
const ENOUGH: usize = 16;
/// In a pipe a wide column that is not the last is filled up to so many.
const FILLED: usize = 40;

/// How a column is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) title: String,
    pub(crate) right: bool,
    /// The most columns on a terminal; none for one that takes the room that is left.
    pub(crate) most: Option<usize>,
    /// The highest go first where there is no room; 0 stays.
    pub(crate) spare: u8,
}

/// Where a sheet is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Columns, where there is an end.
    pub(crate) width: Option<usize>,
    /// Whether there is more than ASCII.
    pub(crate) utf8: bool,
}

impl Room {
    /// Whether every column counts.
    pub(crate) fn is_narrow(self) -> bool {
        self.width.is_some_and(|width| width < 60)
    }

    pub(crate) fn mark(self) -> &'static str {
        if self.utf8 { "…" } else { "+" }
    }
}

/// A table: cells, row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) heads: Vec<Head>,
    pub(crate) rows: Vec<Vec<Line>>,
}

/// A sheet laid out: its heading, and a line for each row.
#[derive(Clone, Debug)]
pub(crate) struct LaidOut {
    pub(crate) head: Line,
    pub(crate) lines: Vec<Line>,
}

impl Sheet {
    /// Lays it out.
    pub(crate) fn lay_out(self, room: Room) -> LaidOut {
        let Self { heads, rows } = self;
        let widths = widths(&heads, &rows, room);
        let titles = heads.iter().map(|head| vec![Span::new(head.title.clone(), Style::Head)]).collect();
        let head = row(&heads, &widths, titles, room);
        let lines = rows.into_iter().map(|cells| row(&heads, &widths, cells, room)).collect();
        LaidOut { head, lines }
    }
}

/// The width of each column; none for one that is left out.
fn widths(heads: &[Head], rows: &[Vec<Line>], room: Room) -> Vec<Option<usize>> {
    let content =
        |at: usize| rows.iter().filter_map(|cells| cells.get(at)).map(|cell| style::width(cell)).max().unwrap_or(0);
    let mut widths: Vec<Option<usize>> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let title = text::width(&head.title);
            let most = match (head.most, room.width) {
                (Some(most), Some(_)) => most,
                (None, None) => FILLED,
                _ => usize::MAX,
            };
            Some(content(at).min(most).max(title))
        })
        .collect();
    let Some(room) = room.width else { return widths };
    let mut rest = heads.iter().position(|head| head.most.is_none());
    let wanted = rest.and_then(|at| widths.get(at).copied().flatten()).unwrap_or(0);
    loop {
        let used = used(&widths, rest);
        let least = rest.map_or(0, |_| wanted.min(ENOUGH) + GAP);
        let first = (0..heads.len()).filter(|at| widths[*at].is_some() && heads[*at].spare > 0);
        match first.max_by_key(|at| heads[*at].spare) {
            Some(at) if used + least > room + GAP => {
                widths[at] = None;
                rest = rest.filter(|rest| *rest != at);
            }
            _ => break,
        }
    }
    if let Some(at) = rest {
        let left = (room + GAP).saturating_sub(used(&widths, rest) + GAP);
        widths[at] = Some(left.min(wanted.max(1)).max(1));
    }
    widths
}

/// Columns taken, each with its gap, all but the one that takes the rest.
fn used(widths: &[Option<usize>], rest: Option<usize>) -> usize {
    widths
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != rest)
        .filter_map(|(_, width)| *width)
        .map(|width| width + GAP)
        .sum()
}

fn row(heads: &[Head], widths: &[Option<usize>], cells: Vec<Line>, room: Room) -> Line {
    let last = widths.iter().rposition(Option::is_some);
    let mut line = Line::new();
    for (at, ((head, width), cell)) in heads.iter().zip(widths).zip(cells).enumerate() {
        let Some(width) = *width else { continue };
        let cell = if room.width.is_some() { style::cut(cell, width, room.mark()) } else { cell };
        let blanks = Span::plain(" ".repeat(width.saturating_sub(style::width(&cell))));
        if head.right {
            line.push(blanks);
            line.extend(cell);
        } else {
            line.extend(cell);
            if Some(at) != last {
                line.push(blanks);
            }
        }
        if Some(at) != last {
            line.push(Span::plain(" ".repeat(GAP)));
        }
    }
    match room.width {
        Some(width) => style::cut(line, width, room.mark()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(title: &str, right: bool, most: Option<usize>, spare: u8) -> Head {
        Head { title: title.to_owned(), right, most, spare }
    }

    fn sheet() -> Sheet {
        let heads = vec![
            head("PID", true, Some(9), 0),
            head("USER", false, Some(5), 2),
            head("S", false, Some(1), 1),
            head("COMMAND", false, None, 0),
        ];
        let cells = |cells: [&str; 4]| cells.iter().map(|cell| vec![Span::plain(*cell)]).collect();
        Sheet {
            heads,
            rows: vec![
                cells(["1", "root", "S", "/sbin/init with many arguments"]),
                cells(["12345", "日本語の人", "R", "x"]),
            ],
        }
    }

    fn check(width: Option<usize>, expected: &[&str]) {
        let room = Room { width, utf8: true };
        let LaidOut { head, lines } = sheet().lay_out(room);
        let text = |line: &Line| {
            let mut out = Vec::new();
            style::write(line, false, &mut out).unwrap();
            String::from_utf8(out).unwrap().trim_end().to_owned()
        };
        let seen: Vec<_> = std::iter::once(&head).chain(&lines).map(text).collect();
        assert_eq!(seen, expected, "{width:?}");
    }

    #[test]
    fn a_pipe_gets_everything() {
        check(
            None,
            &[
                "  PID USER       S COMMAND",
                "    1 root       S /sbin/init with many arguments",
                "12345 日本語の人 R x",
            ],
        );
    }

    #[test]
    fn a_terminal_gets_what_fits() {
        check(Some(100), &["  PID USER  S COMMAND", "    1 root  S /sbin/init with many arguments", "12345 日本… R x"]);
        check(Some(30), &["  PID USER  S COMMAND", "    1 root  S /sbin/init with…", "12345 日本… R x"]);
        check(Some(29), &["  PID S COMMAND", "    1 S /sbin/init with many…", "12345 R x"]);
        check(Some(23), &["  PID COMMAND", "    1 /sbin/init with …", "12345 x"]);
        check(Some(9), &["  PID CO…", "    1 /s…", "12345 x"]);
        check(Some(4), &["  P…", "   …", "123…"]);
        check(Some(0), &["", "", ""]);
    }

    #[test]
    fn the_wide_column_can_be_spared_as_well() {
        let heads =
            vec![head("point", false, Some(12), 0), head("size", true, Some(9), 0), head("device", false, None, 1)];
        let row = ["/a", "12M", "/dev/of-a-long-name"].map(|cell| vec![Span::plain(cell)]).to_vec();
        let titles = |width| {
            let sheet = Sheet { heads: heads.clone(), rows: vec![row.clone()] };
            let laid_out = sheet.lay_out(Room { width: Some(width), utf8: true });
            laid_out.head.iter().map(|span| span.text.trim()).collect::<Vec<_>>().join(" ").trim().replace("  ", " ")
        };
        assert!(titles(40).ends_with("device") && titles(26).ends_with("size"));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen(width in 0..60usize, texts in prop::collection::vec("\\PC{0,20}", 4..5)) {
            let mut sheet = sheet();
            sheet.rows.push(texts.iter().map(|cell| vec![Span::plain(text::printable(cell.as_bytes()))]).collect());
            let laid_out = sheet.lay_out(Room { width: Some(width), utf8: true });
            for line in laid_out.lines.iter().chain([&laid_out.head]) {
                prop_assert!(style::width(line) <= width);
            }
        }
    }
}
