//! Logging: where events go, in which form, and how that changes while the program runs.
//!
//! [`init`] installs one subscriber for the whole process: a filter ([`Filter`]), then one output, which is a stream, a
//! file, the journal or the syslog daemon. The [`Handle`] that it returns opens the file anew (SIGUSR1) and changes the
//! filter. Everything is written by the thread that logs, at once: no thread of our own (the process forks and drops
//! privileges after `init`), and nothing in a buffer when the process dies.
//!
//! What is promised:
//! - A line is one event and one write(2). Control characters, line breaks and text direction marks in messages and
//!   values are escaped, so that no peer's input splits a line or reaches a terminal.
//! - Opening the file anew loses no line and tears none. If it fails, the old file stays in use and the error says so.
//! - Logging never fails the program. What could not be written is counted, and the count is logged as soon as
//!   something can be written again.
//!
//! This crate reads no environment and knows no service. A service's events carry its name because the host runs them
//! in [`service_span`].

mod chain;
mod datagram;
mod escape;
mod filter;
mod journald;
mod json;
mod lines;
mod options;
mod output;
mod record;
mod syslog;
mod text;
mod time;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::Span;
use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

pub use crate::chain::chain;
pub use crate::filter::{Filter, FilterError};
pub use crate::options::{Format, JOURNALD_SOCKET, LogOptions, SYSLOG_SOCKET, Target, UnknownFormat};
use crate::output::Output;

/// What the journal and syslog call us.
const IDENTIFIER: &str = "opsctl";

/// The field that names the service in [`service_span`].
const SERVICE: &str = "service";

/// Why logging could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Journal and syslog have sockets of their own.
    #[error("log format `{format}` is not for a file, but the log file is `{}`", file.display())]
    FormatWithFile {
        /// The format.
        format: Format,
        /// The log file.
        file: PathBuf,
    },
    /// Only for options put together by hand: the form does not fit the place.
    #[error("log format `{format}` does not fit its target")]
    Mismatch {
        /// The format.
        format: Format,
    },
    /// The log file cannot be opened or given away.
    #[error("failed to {what} log file `{}`", path.display())]
    File {
        /// `open`, `open anew`, `give away`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Nobody listens where the journal or the syslog daemon should.
    #[error("failed to connect to log socket `{}`", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// `init` was called twice.
    #[error("logging is set up already")]
    Installed(#[source] SetGlobalDefaultError),
}

impl Error {
    fn file(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { what, path: path.to_owned(), source }
    }
}

/// Changes logging while it runs. Copies change the same.
#[derive(Clone, Debug)]
pub struct Handle {
    output: Arc<Output>,
    filter: reload::Handle<Targets, Registry>,
}

impl Handle {
    /// Opens the log file anew under its name, after it was rotated. What was begun before is in the old file, whole,
    /// and everything after in the new one. Other outputs have nothing to open.
    ///
    /// Works after a chroot and a change of the working folder, since the file's folder is kept open; the account must
    /// still be allowed to create or write the file there.
    ///
    /// # Errors
    /// The new file cannot be opened. The old one stays in use, so the error can be logged.
    pub fn reopen(&self) -> Result<(), Error> {
        self.output.reopen()
    }

    /// Gives the log file to the account that will serve, so that it can be opened anew after the drop: to be called as
    /// root, before the drop. Other outputs, devices and pipes belong to nobody and stay as they are.
    ///
    /// # Errors
    /// Not permitted; or the file has several names, so that another's file might be given away.
    pub fn give_to(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        self.output.give_to(uid, gid)
    }

    /// Replaces the filter, from the next event on.
    pub fn set_filter(&self, filter: &Filter) {
        // Fails only if the subscriber is gone, and with it everybody who could log.
        let _ = self.filter.reload(filter.targets());
    }
}

/// Opens the output and makes it the process's only one. To be called once, early: before that, events are dropped.
///
/// # Errors
/// The output cannot be opened, or there is one already.
pub fn init(options: LogOptions) -> Result<Handle, Error> {
    let (subscriber, handle) = build(options)?;
    set_global_default(subscriber).map_err(Error::Installed)?;
    Ok(handle)
}

fn build(options: LogOptions) -> Result<(impl tracing::Subscriber + Send + Sync + 'static, Handle), Error> {
    let LogOptions { target, format, color, filter } = options;
    let output = Arc::new(Output::open(target, format, color)?);
    let (filter, filter_handle) = reload::Layer::new(filter.targets());
    let subscriber = Registry::default().with(filter).with(output::OutputLayer(Arc::clone(&output)));
    Ok((subscriber, Handle { output, filter: filter_handle }))
}

/// The span in which the host runs a service: its events, and those of the libraries it calls, carry its name.
///
/// At the level of errors, so that no filter but `off` takes the name away.
#[must_use]
pub fn service_span(name: &str) -> Span {
    tracing::error_span!("service", { SERVICE } = name)
}
