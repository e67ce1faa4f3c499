//! Where parts begin and end. Bytes go in as they come, events come out; there is no input or output here.
//!
//! A delimiter is a line of its own: a line end, `--`, the boundary, maybe blanks, a line end. Whether line ends are CR LF
//! or LF alone is told by the first delimiter and holds for all of them, so that a file that ends in CR keeps it, and one
//! that holds a delimiter with the other line ends is left whole.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::{self, Finder};

use super::FormError;
use super::head::Head;

/// Blanks after a boundary; RFC 2046 allows for padding, and nobody pads.
const MAX_PADDING: usize = 64;

/// What comes next.
#[derive(Debug)]
pub(super) enum Event {
    /// A part begins.
    Head(Head),
    /// Some of its content.
    Data(Bytes),
    /// It is over.
    PartEnd,
    /// The form is over, and so is the body.
    End,
}

#[derive(Debug)]
pub(super) struct Parser {
    state: State,
    input: Input,
    /// Nothing will be fed any more.
    finished: bool,
    /// LF, `--`, the boundary.
    line_feed: Finder<'static>,
    /// CR, LF, `--`, the boundary.
    carriage_return: Finder<'static>,
    max_head: usize,
    /// Passed over before the first delimiter, with the line end that stands before everything.
    preamble: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// After a delimiter. Up to `seen` there is no end of it.
    Head { crlf: bool, seen: usize },
    /// Within content; `fresh` if right after the head.
    Content { crlf: bool, fresh: bool },
    /// After the last delimiter.
    Epilogue,
}

/// What stands after a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// A line end, after so many bytes.
    Part { length: usize, crlf: bool },
    /// `--`.
    Last,
    /// Something else: it was no delimiter.
    Other,
    /// It cannot be told yet.
    Open,
}

impl Parser {
    /// `boundary` has no line ends in it.
    pub(super) fn new(boundary: &[u8], max_head: usize) -> Self {
        let finder = |line_end: &[u8]| Finder::new(&[line_end, b"--", boundary].concat()).into_owned();
        Self {
            state: State::Preamble,
            // so that the first delimiter needs no line before it
            input: Input::Shared(Bytes::from_static(b"\n")),
            finished: false,
            line_feed: finder(b"\n"),
            carriage_return: finder(b"\r\n"),
            max_head,
            preamble: 0,
        }
    }

    /// Takes more of the body.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        match self.state {
            State::Epilogue => {}
            _ => self.input.push(bytes),
        }
    }

    /// The body is over.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// The next event, or None if more of the body is needed first.
    pub(super) fn next(&mut self) -> Result<Option<Event>, FormError> {
        let event = match self.state {
            State::Preamble => self.preamble()?,
            State::Head { crlf, seen } => self.head(crlf, seen)?,
            State::Content { crlf, fresh } => self.content(crlf, fresh),
            State::Epilogue => self.finished.then_some(Event::End),
        };
        match event {
            None if self.finished => Err(FormError::Incomplete),
            event => Ok(event),
        }
    }

    fn preamble(&mut self) -> Result<Option<Event>, FormError> {
        let needle = self.line_feed.needle().len();
        match scan(self.input.bytes(), &self.line_feed, None) {
            Scan::Delimiter { at, after } => {
                self.input.skip(at + needle);
                match after {
                    Some((length, crlf)) => {
                        self.input.skip(length);
                        self.state = State::Head { crlf, seen: 0 };
                    }
                    None => self.end(),
                }
                self.next()
            }
            Scan::None { keep_from } => {
                self.preamble += keep_from;
                if self.preamble > self.max_head {
                    return Err(too_long(self.max_head));
                }
                self.input.skip(keep_from);
                Ok(None)
            }
        }
    }

    fn head(&mut self, crlf: bool, seen: usize) -> Result<Option<Event>, FormError> {
        let bytes = self.input.bytes();
        let Some((length, end)) = end_of_head(bytes, seen) else {
            if bytes.len() > self.max_head {
                return Err(too_long(self.max_head));
            }
            self.state = State::Head { crlf, seen: bytes.len().saturating_sub(2) };
            return Ok(None);
        };
        if length > self.max_head {
            return Err(too_long(self.max_head));
        }
        let head = Head::parse(&bytes[..length])?;
        self.input.skip(end);
        self.state = State::Content { crlf, fresh: true };
        Ok(Some(Event::Head(head)))
    }

    fn content(&mut self, crlf: bool, fresh: bool) -> Option<Event> {
        let finder = if crlf { &self.carriage_return } else { &self.line_feed };
        let needle = finder.needle();
        let bytes = self.input.bytes();
        if fresh {
            // the empty line may be the delimiter's own: a part without content
            let line_end = needle.len() - self.line_feed.needle().len() + 1;
            match bytes.strip_prefix(&needle[line_end..]).map(|rest| after(rest, Some(crlf))) {
                Some(After::Open) => return None,
                None if needle[line_end..].starts_with(bytes) && !self.finished => return None,
                Some(what @ (After::Part { .. } | After::Last)) => {
                    self.input.skip(needle.len() - line_end);
                    return Some(self.delimited(what));
                }
                Some(After::Other) | None => self.state = State::Content { crlf, fresh: false },
            }
        }
        let needle = needle.len();
        match scan(self.input.bytes(), if crlf { &self.carriage_return } else { &self.line_feed }, Some(crlf)) {
            Scan::Delimiter { at: 0, after } => {
                self.input.skip(needle);
                Some(self.delimited(after.map_or(After::Last, |(length, crlf)| After::Part { length, crlf })))
            }
            Scan::None { keep_from: 0 } => None,
            Scan::Delimiter { at, .. } | Scan::None { keep_from: at } => Some(Event::Data(self.input.take(at))),
        }
    }

    /// After a delimiter at the end of content.
    fn delimited(&mut self, what: After) -> Event {
        match what {
            After::Part { length, crlf } => {
                self.input.skip(length);
                self.state = State::Head { crlf, seen: 0 };
            }
            After::Last | After::Other | After::Open => self.end(),
        }
        Event::PartEnd
    }

    fn end(&mut self) {
        self.state = State::Epilogue;
        self.input = Input::Shared(Bytes::new());
    }
}

fn too_long(limit: usize) -> FormError {
    FormError::HeadTooLong { limit }
}

enum Scan {
    /// A delimiter begins here; after it comes a part, past the line's end, or nothing.
    Delimiter { at: usize, after: Option<(usize, bool)> },
    /// There is none, but from here on one may begin.
    None { keep_from: usize },
}

/// Looks for a delimiter, with line ends like `crlf` if that is known.
fn scan(bytes: &[u8], finder: &Finder<'_>, crlf: Option<bool>) -> Scan {
    let needle = finder.needle();
    let mut from = 0;
    while let Some(found) = finder.find(&bytes[from..]) {
        let at = from + found;
        match after(&bytes[at + needle.len()..], crlf) {
            After::Part { length, crlf } => return Scan::Delimiter { at, after: Some((length, crlf)) },
            After::Last => return Scan::Delimiter { at, after: None },
            After::Open => return Scan::None { keep_from: at },
            // none can begin within: there is no line end in a boundary
            After::Other => from = at + needle.len(),
        }
    }
    let tail = bytes.len().saturating_sub(needle.len() - 1).max(from);
    let begun = (tail..bytes.len()).find(|&at| needle.starts_with(&bytes[at..]));
    Scan::None { keep_from: begun.unwrap_or(bytes.len()) }
}

fn after(rest: &[u8], crlf: Option<bool>) -> After {
    if rest.starts_with(b"--") {
        return After::Last;
    }
    let padding = rest.iter().take(MAX_PADDING + 1).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let found = match &rest[padding..] {
        _ if padding > MAX_PADDING => return After::Other,
        [] | [b'\r'] => return After::Open,
        [b'-'] if padding == 0 => return After::Open,
        [b'\n', ..] => (padding + 1, false),
        [b'\r', b'\n', ..] => (padding + 2, true),
        _ => return After::Other,
    };
    match crlf {
        Some(crlf) if crlf != found.1 => After::Other,
        _ => After::Part { length: found.0, crlf: found.1 },
    }
}

/// How long the head is, and where the content begins: after an empty line, which may be the first. There is no line end
/// before `seen`, unless its line goes on.
fn end_of_head(bytes: &[u8], seen: usize) -> Option<(usize, usize)> {
    match bytes {
        [b'\n', ..] => return Some((0, 1)),
        [b'\r', b'\n', ..] => return Some((0, 2)),
        _ => {}
    }
    memmem::find_iter(&bytes[seen..], b"\n").map(|at| seen + at).find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some((at, at + 2)),
        [b'\r', b'\n', ..] => Some((at, at + 3)),
        _ => None,
    })
}

/// Bytes not yet dealt with. Without copying as long as nothing is left over from one piece of the body to the next.
#[derive(Debug)]
enum Input {
    Shared(Bytes),
    Joined(BytesMut),
}

impl Input {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Joined(bytes) => bytes,
        }
    }

    fn push(&mut self, more: Bytes) {
        match self {
            Self::Shared(bytes) if bytes.is_empty() => *bytes = more,
            Self::Shared(bytes) => {
                let mut joined = BytesMut::with_capacity(bytes.len() + more.len());
                joined.extend_from_slice(bytes);
                joined.extend_from_slice(&more);
                *self = Self::Joined(joined);
            }
            Self::Joined(bytes) => bytes.extend_from_slice(&more),
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        let taken = match self {
            Self::Shared(bytes) => bytes.split_to(length),
            Self::Joined(bytes) => bytes.split_to(length).freeze(),
        };
        self.settle();
        taken
    }

    fn skip(&mut self, length: usize) {
        match self {
            Self::Shared(bytes) => bytes.advance(length),
            Self::Joined(bytes) => bytes.advance(length),
        }
        self.settle();
    }

    fn settle(&mut self) {
        if self.bytes().is_empty() {
            *self = Self::Shared(Bytes::new());
        }
    }
}

#[cfg(test)]
mod tests;
