//! The full screen, drawn: figures, list, keys; or one process, or the help. Nothing is drawn beyond the screen, however small
//! it is: what matters least goes first.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::Eye;
use super::keys::{KEYS, SHORT};
use super::state::{Mode, State};
use crate::list;
use crate::screen::Screen;
use crate::sheet::Room;
use crate::style::{self, Line, Span, Style};
use crate::units::span;
use crate::value::Form;

/// Heights from which on each of these is drawn: figures, what is shown, the keys, the heading.
const FIGURES: u16 = 10;
const STATUS: u16 = 7;
const FOOT: u16 = 4;
const HEADING: u16 = 2;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, eye: &Eye, state: &mut State, screen: &Screen) {
    let area = frame.area();
    let room = Room { width: Some(usize::from(area.width)), utf8: screen.room.utf8 };
    let mut clock = screen.form.clock.clone();
    clock.now = std::time::SystemTime::now();
    let form = Form { clock, ..screen.form.clone() };
    let mut canvas = Canvas { buffer: frame.buffer_mut(), area, room, color: screen.color };
    let (body, foot) = split(area);
    match &state.mode {
        Mode::Help => canvas.lines(body, &help(), 0),
        Mode::Detail { .. } => detail(&mut canvas, body, state, &form),
        Mode::List | Mode::Typing(_) | Mode::Asking { .. } => list(&mut canvas, body, eye, state, screen, &form),
    }
    if let Some(foot) = foot {
        canvas.line(foot, foot_line(state));
    }
}

/// The last line belongs to the keys, if there is a line to spare.
fn split(area: Rect) -> (Rect, Option<u16>) {
    if area.height < FOOT {
        return (area, None);
    }
    let body = Rect { height: area.height - 1, ..area };
    (body, Some(body.bottom()))
}

/// Where lines are put.
struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    room: Room,
    color: bool,
}

impl Canvas<'_> {
    fn line(&mut self, y: u16, line: Line) {
        if !(self.area.top()..self.area.bottom()).contains(&y) {
            return;
        }
        let line = style::cut(line, usize::from(self.area.width), self.room.mark());
        let mut x = self.area.left();
        for Span { text, style } in line {
            let left = usize::from(self.area.right().saturating_sub(x));
            (x, _) = self.buffer.set_stringn(x, y, text, left, style.on_screen(self.color));
        }
    }

    fn lines(&mut self, area: Rect, lines: &[Line], top: usize) {
        for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(top)) {
            self.line(y, line.clone());
        }
    }

    /// The other way round: the mark.
    fn mark(&mut self, area: Rect) {
        self.buffer
            .set_style(area.intersection(self.area), ratatui::style::Style::new().add_modifier(Modifier::REVERSED));
    }
}

fn list(canvas: &mut Canvas<'_>, body: Rect, eye: &Eye, state: &mut State, screen: &Screen, form: &Form) {
    let rows = state.rows(eye);
    let mut y = body.top();
    let height = canvas.area.height;
    let mut next = |canvas: &mut Canvas<'_>, line: Line| {
        canvas.line(y, line);
        y += 1;
    };
    if height >= FIGURES {
        let running = rows.iter().filter(|placed| placed.row.process.state.letter() == 'R').count();
        for line in eye.machine.lines((rows.len(), running), canvas.room.width.unwrap_or(0), canvas.room.utf8) {
            next(canvas, line);
        }
    }
    if height >= STATUS {
        next(canvas, status(state));
    }
    let drawing = Screen { form: form.clone(), room: canvas.room, ..screen.clone() }.drawing();
    let laid_out = list::sheet(&eye.look, &state.query, &rows, &drawing).lay_out(canvas.room);
    if height >= HEADING {
        let heading = state.query.sort.heading(&eye.look.busy);
        let sorted = laid_out.head.iter().position(|span| span.text == heading);
        let before = sorted.map(|at| style::width(&laid_out.head[..at]));
        next(canvas, laid_out.head);
        if let Some(x) = before.and_then(|before| u16::try_from(before).ok()) {
            let width = u16::try_from(heading.len()).unwrap_or(u16::MAX);
            canvas.mark(Rect { x: body.x.saturating_add(x), y: y - 1, width, height: 1 });
        }
    }
    let below = Rect { y, height: body.bottom().saturating_sub(y), ..body };
    state.settle(&rows, usize::from(below.height));
    canvas.lines(below, &laid_out.lines, state.top);
    if let Ok(line) = u16::try_from(state.at - state.top)
        && !rows.is_empty()
        && line < below.height
    {
        canvas.mark(Rect { y: below.y + line, height: 1, ..below });
    }
}

/// What is shown, in words.
fn status(state: &State) -> Line {
    let mut line = vec![Span::plain("by "), Span::new(state.query.sort.name, Style::Strong)];
    if state.query.reverse {
        line.push(Span::plain(", reversed"));
    }
    line.push(Span::plain(format!(", every {}", every(state.interval))));
    if let Some(word) = &state.query.filter.typed {
        line.push(Span::plain(", with "));
        line.push(Span::new(crate::text::printable(word.as_encoded_bytes()), Style::Strong));
    }
    if state.query.filter.kernel {
        line.push(Span::plain(", kernel's too"));
    }
    if state.paused {
        line.push(Span::plain(", "));
        line.push(Span::new("paused", Style::Warm));
    }
    line
}

fn every(interval: std::time::Duration) -> String {
    if interval.subsec_millis() == 0 { span(interval) } else { format!("{}s", interval.as_secs_f64()) }
}

fn detail(canvas: &mut Canvas<'_>, body: Rect, state: &mut State, form: &Form) {
    let Mode::Detail { detail, top, .. } = &mut state.mode else { return };
    let width = usize::from(body.width);
    let lines = detail.lines(form, canvas.room);
    let lines: Vec<_> = lines
        .into_iter()
        .flat_map(|line| {
            // what goes on below stands under the value, not under its name
            let indent = line.first().map_or(0, |name| style::width(std::slice::from_ref(name)));
            style::wrap(line, width, indent)
        })
        .collect();
    state.room = usize::from(body.height).max(1);
    *top = (*top).min(lines.len().saturating_sub(state.room));
    canvas.lines(body, &lines, *top);
}

fn help() -> Vec<Line> {
    let width = KEYS.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut lines = vec![vec![Span::new("keys", Style::Head)], Line::new()];
    lines.extend(
        KEYS.iter()
            .map(|(key, about)| vec![Span::new(format!("  {key:width$}  "), Style::Strong), Span::plain(*about)]),
    );
    lines
}

fn foot_line(state: &State) -> Line {
    if let Some(message) = &state.message {
        return vec![Span::new(message.clone(), Style::Warm)];
    }
    match &state.mode {
        Mode::Typing(word) => vec![
            Span::new("filter: ", Style::Strong),
            Span::plain(crate::text::printable(word.as_bytes())),
            Span::new("_", Style::Faint),
            Span::new("   enter: show these, escape: leave", Style::Faint),
        ],
        Mode::Asking { id, name } => vec![
            Span::new(format!("end process {} {name}? ", id.pid), Style::Bad),
            Span::plain("y: ask it to (SIGTERM), 9: make it (SIGKILL), any other key: no"),
        ],
        Mode::Detail { .. } => keys(&[("arrows", "scroll"), ("escape", "list")]),
        Mode::Help => keys(&[("any key", "list")]),
        Mode::List => keys(SHORT),
    }
}

fn keys(keys: &[(&str, &str)]) -> Line {
    keys.iter().flat_map(|(key, about)| [Span::new(*key, Style::Strong), Span::plain(format!(" {about}  "))]).collect()
}
