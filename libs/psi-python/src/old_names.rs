//! The attributes that PSI 0.2a1 and the original's README call by other names than PSI 0.3. `command` is not among
//! them: 0.3's meaning, the command line, wins over 0.2's, the accounting name.

use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, intern};

use crate::process::Process;

/// Each old name, and the attribute that it is, or is made from.
const NAMES: [(&str, &str); 18] = [
    ("command_path", "exe"),
    ("parent_pid", "ppid"),
    ("threads", "nthreads"),
    ("resident_size", "rss"),
    ("virtual_size", "vsz"),
    ("uid", "euid"),
    ("gid", "egid"),
    ("current_uid", "euid"),
    ("current_gid", "egid"),
    ("real_uid", "ruid"),
    ("real_gid", "rgid"),
    ("user", "euid"),
    ("current_user", "euid"),
    ("real_user", "ruid"),
    ("current_group", "egid"),
    ("real_group", "rgid"),
    ("start_datetime", "start_time"),
    ("parent", "ppid"),
];

/// The attribute that a name stands for today.
pub(crate) fn current(name: &str) -> &str {
    NAMES.iter().find(|(old, _)| *old == name).map_or(name, |(_, current)| current)
}

/// All old names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(old, _)| *old)
}

/// The attribute of that name, if it is an old one.
pub(crate) fn get<'py>(process: &Bound<'py, Process>, name: &str) -> Option<PyResult<Bound<'py, PyAny>>> {
    let (_, current) = NAMES.iter().find(|(old, _)| *old == name)?;
    let value = process.getattr(*current);
    Some(match name {
        "user" | "current_user" | "real_user" => value.and_then(|uid| account(&uid, "pwd", "getpwuid")),
        "current_group" | "real_group" => value.and_then(|gid| account(&gid, "grp", "getgrgid")),
        // naive, in local time
        "start_datetime" => value.and_then(|moment| moment.call_method0(intern!(process.py(), "datetime"))),
        // as it is now, not as it was when the child was looked at
        "parent" => {
            let parent = process.borrow().parent(process.py());
            parent.and_then(|parent| parent.into_bound_py_any(process.py()))
        }
        _ => value,
    })
}

/// An account's name as the C library finds it, directory services included; its number where it has none.
fn account<'py>(number: &Bound<'py, PyAny>, module: &str, function: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = number.py();
    match py.import(module)?.call_method1(function, (number,)) {
        Ok(entry) => entry.get_item(0),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyKeyError>(py) => Ok(number.str()?.into_any()),
        Err(error) => Err(error),
    }
}
