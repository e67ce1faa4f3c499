//! What is wrong with a template.

use std::fmt;
use std::io;
use std::path::PathBuf;

use opsctl_http::HttpError;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such template, or it has a fault.
    #[error("failed to render `{name}`")]
    Render {
        /// The template's name.
        name: String,
        /// Where and why.
        #[source]
        source: minijinja::Error,
    },
    /// A form that changes something is rendered for a request that did not come through a [`Front`](crate::Front).
    #[error("there is no front around the router, which a form that changes something needs")]
    NoFront,
    /// No random bytes for a secret.
    #[error("the system has no random bytes")]
    Random {
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        Self::internal(error)
    }
}

/// A fault in a template, or in the folder of templates. Displays as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file, or the name of an embedded template.
    pub file: PathBuf,
    /// Line and column, both from 1.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl TemplateFault {
    pub(crate) fn io(file: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self { file: file.into(), place: None, message: format!("failed to read the template: {error}") }
    }

    pub(crate) fn syntax(file: impl Into<PathBuf>, source: &str, error: &minijinja::Error) -> Self {
        let place = error.line().map(|line| (line, error.range().map_or(1, |range| column(source, range.start))));
        let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Self { file: file.into(), place, message }
    }
}

/// Characters from the beginning of the line to byte `offset`, from 1.
fn column(source: &str, offset: usize) -> usize {
    let before = source.get(..offset).unwrap_or(source);
    before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for TemplateFault {}
