//! Where values come from: a file, an environment variable, a `--set`, an option of a service. Each keeps the text that a
//! fault shows and the folder that relative paths start from.

use std::path::PathBuf;

/// A range of bytes in a source's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) const fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    pub(crate) const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    pub(crate) const fn moved(self, by: usize) -> Self {
        Self::new(self.start + by, self.end + by)
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Defaults,
    File(PathBuf),
    /// Its name.
    Environment(String),
    Set,
    /// The flag as typed: `--file`, `-f`.
    Option(String),
}

/// The layers, each winning over those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Defaults,
    File,
    Environment,
    Set,
    Option,
}

/// One text.
pub(crate) struct Source {
    pub(crate) kind: Kind,
    /// As a fault shows it; of a word its name too, as in `OPSCTL_FINGER__FILE=users`.
    pub(crate) text: String,
    /// The folder that relative paths start from.
    pub(crate) base: PathBuf,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// Of a position: its line's number, counted from 1, the line itself without its end, and the column in characters,
/// counted from 1.
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) span: Span,
}

impl Source {
    pub(crate) fn new(kind: Kind, text: String, base: PathBuf) -> Self {
        let lines = match kind {
            Kind::Defaults | Kind::File(_) => {
                std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
            }
            _ => vec![0],
        };
        Self { kind, text, base, lines }
    }

    pub(crate) fn layer(&self) -> Layer {
        match self.kind {
            Kind::Defaults => Layer::Defaults,
            Kind::File(_) => Layer::File,
            Kind::Environment(_) => Layer::Environment,
            Kind::Set => Layer::Set,
            Kind::Option(_) => Layer::Option,
        }
    }

    /// Whether lines have numbers here.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.kind, Kind::Defaults | Kind::File(_))
    }

    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|at| self.lines.get(at)).copied().unwrap_or_default();
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        let before = self.text.get(start..offset).unwrap_or_default();
        let text = self.text.get(start..end).unwrap_or_default();
        let text = if self.is_file() { text.strip_suffix('\r').unwrap_or(text) } else { text };
        Position { line, column: before.chars().count() + 1, span: Span::new(start, start + text.len()) }
    }

    /// What stands after the arrow of a fault.
    pub(crate) fn place(&self, position: &Position) -> String {
        match &self.kind {
            Kind::Environment(_) => "environment variable".to_owned(),
            Kind::Set | Kind::Option(_) => "command line".to_owned(),
            Kind::Defaults | Kind::File(_) => format!("{}:{}:{}", self.name(), position.line, position.column),
        }
    }

    /// What stands before the message where a fault has only one line.
    pub(crate) fn short_place(&self, position: &Position) -> String {
        match &self.kind {
            Kind::Defaults | Kind::File(_) => self.place(position),
            _ => self.name(),
        }
    }

    /// What says in `config show` which layer a value is from.
    pub(crate) fn origin(&self, offset: usize) -> String {
        match &self.kind {
            Kind::Defaults => "default".to_owned(),
            Kind::File(_) => format!("{}:{}", self.name(), self.position(offset).line),
            _ => self.name(),
        }
    }

    /// A file's path, or how a word was handed over.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Defaults => "defaults".to_owned(),
            Kind::File(path) => path.display().to_string(),
            Kind::Environment(name) => format!("environment {name}"),
            Kind::Set => "--set".to_owned(),
            Kind::Option(flag) => flag.clone(),
        }
    }
}
