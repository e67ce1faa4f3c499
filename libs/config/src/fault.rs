//! A fault in a configuration: what is wrong, the line it stands in, a caret under the place, and what would be right.

mod line;

use crate::secrets::Masks;
use crate::source::{Source, Span};
use line::{Line, visible};
use std::fmt;

/// Of a source's secrets so many are looked for in a message, and those in its line.
const MAX_HIDDEN: usize = 1000;

/// One fault. `Display` is a block of several lines in the manner of rustc, without a line end at its end:
/// ```text
/// error: unknown key `lisen`
///   --> /etc/opsctl/opsctl.toml:12:1
///    |
/// 12 | lisen = "127.0.0.1:8000"
///    | ^^^^^
///    = help: did you mean `listen`?
/// ```
/// Secrets are masked and control characters made visible when it is made, so it may be printed anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    title: String,
    label: String,
    help: Vec<String>,
    place: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// `file:line:column`, `environment variable`, `command line`.
    long: String,
    /// `file:line:column`, `environment OPSCTL_…`, `--file`.
    short: String,
    line: Option<Line>,
}

impl Fault {
    /// A fault that has no place, such as a file that cannot be read.
    pub fn plain(message: impl fmt::Display) -> Self {
        Self { title: visible(&message.to_string()), label: String::new(), help: Vec::new(), place: None }
    }

    /// Adds a line of help at the end.
    #[must_use]
    pub fn with_help(mut self, help: impl fmt::Display) -> Self {
        self.help.push(visible(&help.to_string()));
        self
    }

    /// What is wrong, without the place: "bad value for `finger.timeout`: expected a duration …".
    pub fn message(&self) -> String {
        if self.label.is_empty() { self.title.clone() } else { format!("{}: {}", self.title, self.label) }
    }

    /// All of it in one line, as compilers do, for logs: `opsctl.toml:12:1: unknown key `lisen` (did you mean
    /// `listen`?)`.
    pub fn one_line(&self) -> String {
        let place = self.place.as_ref().map(|place| format!("{}: ", place.short)).unwrap_or_default();
        let help = if self.help.is_empty() { String::new() } else { format!(" ({})", self.help.join("; ")) };
        format!("{place}{}{help}", self.message())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.place.as_ref().and_then(|place| place.line.as_ref());
        let gutter = line.and_then(|line| line.number).map(|number| number.to_string()).unwrap_or_default();
        let pad = " ".repeat(gutter.len().max(1));
        write!(f, "error: {}", self.title)?;
        if line.is_none() && !self.label.is_empty() {
            write!(f, ": {}", self.label)?;
        }
        if let Some(place) = &self.place {
            write!(f, "\n{pad}--> {}", place.long)?;
        }
        if let Some(line) = line {
            let text = if line.text.is_empty() { "" } else { " " };
            let label = if self.label.is_empty() { "" } else { " " };
            write!(f, "\n{pad} |\n{gutter:>width$} |{text}{}", line.text, width = pad.len())?;
            write!(f, "\n{pad} | {}{}{label}{}", " ".repeat(line.start), "^".repeat(line.width), self.label)?;
        }
        self.help.iter().try_for_each(|help| write!(f, "\n{pad} = help: {help}"))
    }
}

impl std::error::Error for Fault {}

/// A fault as it is found, before it is known what of its line may be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Index into the document's sources; none if nothing was written that could be shown.
    pub(crate) source: Option<usize>,
    pub(crate) span: Span,
    title: String,
    label: String,
    help: Vec<String>,
    /// The whole source is at fault, no line of it.
    whole: bool,
}

impl Found {
    pub(crate) fn at(source: usize, span: Span, title: impl Into<String>) -> Self {
        Self { source: Some(source), span, title: title.into(), ..Self::default() }
    }

    /// A fault of a source as a whole.
    pub(crate) fn whole(source: usize, title: impl Into<String>) -> Self {
        Self { whole: true, ..Self::at(source, Span::default(), title) }
    }

    /// A fault of something that is not there.
    pub(crate) fn nowhere(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// What stands after the caret.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The fault, with its line as it may be shown.
    pub(crate) fn fault(self, sources: &[Source], masks: &Masks) -> Fault {
        let Self { source: id, span, title, label, help, whole } = self;
        let source = id.and_then(|id| Some((id, sources.get(id)?)));
        let mut hidden = Vec::new();
        let place = source.map(|(id, source)| {
            let position = source.position(span.start);
            let on_line: Vec<Span> = masks.of(id).filter(|mask| mask.overlaps(position.span)).collect();
            let line = (!whole).then(|| Line::new(source, &position, span, &on_line));
            let all = masks.of(id).take(MAX_HIDDEN).chain(on_line);
            hidden.extend(all.map(|mask| source.slice(mask)));
            let (long, short) = match whole {
                true => (source.name(), source.name()),
                false => (source.place(&position), source.short_place(&position)),
            };
            Place { long: visible(&long), short: visible(&short), line }
        });
        let clean = |text: String| visible(&hidden.iter().fold(text, |text, secret| line::hide(text, secret)));
        Fault { title: clean(title), label: clean(label), help: help.into_iter().map(clean).collect(), place }
    }
}
