//! From the library's errors to Python's exceptions.

use psi::{Error, Missing};
use pyo3::PyErr;
use pyo3::exceptions::{PyNotImplementedError, PyOSError, PyValueError};

pyo3::import_exception!(psi._errors, AttrInsufficientPrivsError);
pyo3::import_exception!(psi._errors, AttrNotAvailableError);
pyo3::import_exception!(psi._errors, AttrNotImplementedError);
pyo3::import_exception!(psi._errors, InsufficientPrivsError);
pyo3::import_exception!(psi._errors, MissingResourceError);
pyo3::import_exception!(psi._errors, NoSuchProcessError);

/// Why a question has no answer.
pub(crate) fn raised(error: Error) -> PyErr {
    let text = chain(&error);
    match error {
        Error::NoSuchProcess { .. } => NoSuchProcessError::new_err(text),
        Error::NoSuchMount { .. } => MissingResourceError::new_err(text),
        Error::Denied { .. } => InsufficientPrivsError::new_err(text),
        Error::NoSuchSignal { .. } => PyValueError::new_err(text),
        Error::NotHere { .. } | Error::OtherNamespace { .. } => PyNotImplementedError::new_err(text),
        // with the number and the file's name Python finds the exception's class: PermissionError and so on
        Error::Read { path, source } => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, source_text(number), path.into_os_string())),
            None => PyOSError::new_err(text),
        },
        _ => PyOSError::new_err(text),
    }
}

/// Why one attribute is missing.
pub(crate) fn missing(missing: Missing, class: &str, name: &str) -> PyErr {
    match missing {
        Missing::Absent => AttrNotAvailableError::new_err(format!("{class}.{name} is not available for this process")),
        Missing::Unasked => AttrNotAvailableError::new_err(format!("{class}.{name} was not asked for")),
        Missing::Denied => AttrInsufficientPrivsError::new_err(format!("Insufficient privileges for {class}.{name}")),
        Missing::Platform => {
            AttrNotImplementedError::new_err(format!("{class}.{name} is not implemented on this system"))
        }
    }
}

fn source_text(number: i32) -> String {
    let text = std::io::Error::from_raw_os_error(number).to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
