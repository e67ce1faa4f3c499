//! From tracing's events to one output, and the account of what could not be written.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::datagram::Datagram;
use crate::lines::{LogFile, Place, lock};
use crate::record::{Fields, Record, SpanFields, Value};
use crate::{Error, Format, Target, journald, json, syslog, text};

/// The one output of the process.
pub(crate) struct Output {
    to: To,
    /// Events that could not be written since the last one that could.
    lost: AtomicU64,
}

enum To {
    Lines { place: Place, form: Form },
    Journal(Mutex<Datagram>),
    Syslog(Mutex<Datagram>),
}

#[derive(Clone, Copy)]
enum Form {
    Text { color: bool },
    Json,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Output {
    pub(crate) fn open(target: Target, format: Format, color: bool) -> Result<Self, Error> {
        let to = match (target, format) {
            (Target::Journald(path), Format::Journald) => To::Journal(Mutex::new(Datagram::connect(&path)?)),
            (Target::Syslog(path), Format::Syslog) => To::Syslog(Mutex::new(Datagram::connect(&path)?)),
            (target, Format::Text) => To::Lines { place: place(target, format)?, form: Form::Text { color } },
            (target, Format::Json) => To::Lines { place: place(target, format)?, form: Form::Json },
            (_, format) => return Err(Error::Mismatch { format }),
        };
        Ok(Self { to, lost: AtomicU64::new(0) })
    }

    /// Writes an event, and after a gap the number of those that are missing.
    pub(crate) fn write(&self, record: &Record<'_>) {
        if self.send(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && self.send(&note(lost)).is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn send(&self, record: &Record<'_>) -> io::Result<()> {
        match &self.to {
            To::Lines { place, form: Form::Text { color } } => place.write(text::line(record, *color).as_bytes()),
            To::Lines { place, form: Form::Json } => place.write(json::line(record).as_bytes()),
            To::Journal(datagram) => {
                let bytes = journald::encode(record);
                lock(datagram).send(|socket| journald::send(socket, &bytes))
            }
            To::Syslog(datagram) => {
                let parts = syslog::encode(record);
                let mut datagram = lock(datagram);
                parts.iter().try_for_each(|part| datagram.send(|socket| socket.send(part.as_bytes()).map(|_| ())))
            }
        }
    }

    pub(crate) fn reopen(&self) -> Result<(), Error> {
        self.file().map_or(Ok(()), LogFile::reopen)
    }

    pub(crate) fn give_to(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        self.file().map_or(Ok(()), |file| file.give_to(uid, gid))
    }

    fn file(&self) -> Option<&LogFile> {
        match &self.to {
            To::Lines { place: Place::File(file), .. } => Some(file),
            _ => None,
        }
    }
}

fn place(target: Target, format: Format) -> Result<Place, Error> {
    match target {
        Target::Stdout => Ok(Place::Stdout(Mutex::default())),
        Target::Stderr => Ok(Place::Stderr(Mutex::default())),
        Target::File(path) => LogFile::open(&path).map(Place::File),
        Target::Journald(_) | Target::Syslog(_) => Err(Error::Mismatch { format }),
    }
}

fn note(lost: u64) -> Record<'static> {
    let message = "log events could not be written and are lost".to_owned();
    let fields = Fields { message, list: vec![("count", Value::Number(lost.to_string()))] };
    Record { time: now(), level: Level::WARN, target: module_path!(), place: None, fields, spans: Vec::new() }
}

/// Events are stamped here and nowhere else.
fn now() -> SystemTime {
    SystemTime::now()
}

/// The output as tracing's layer.
pub(crate) struct OutputLayer(pub(crate) Arc<Output>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for OutputLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().replace(Arc::new(fields));
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Read before the lock on the extensions is taken: a value's `Debug` may log.
        let mut fresh = Fields::default();
        values.record(&mut fresh);
        if let Some(fields) = span.extensions_mut().get_mut::<Arc<Fields>>() {
            Arc::make_mut(fields).take(fresh);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()).filter_map(|span| {
            let fields = Arc::clone(span.extensions().get::<Arc<Fields>>()?);
            Some(SpanFields { name: span.name(), fields })
        });
        self.0.write(&Record {
            time: now(),
            level: *metadata.level(),
            target: metadata.target(),
            place: metadata.file().zip(metadata.line()),
            fields,
            spans: spans.collect(),
        });
    }
}

#[cfg(test)]
mod tests;
