//! The functions of `psi` itself, and what `psi.arch` and `psi.mount` are made of.

use std::ffi::OsString;
use std::path::PathBuf;

use psi::{Mount, System};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::raised;
use crate::timespec::TimeSpec;

/// When the machine started: a moment in UTC.
#[pyfunction]
pub(crate) fn boottime() -> PyResult<TimeSpec> {
    System::new().boot_time().map(TimeSpec::moment).map_err(raised)
}

/// How long the machine has been up.
#[pyfunction]
pub(crate) fn uptime() -> PyResult<TimeSpec> {
    System::new().uptime().map(TimeSpec::span).map_err(raised)
}

/// How many processes wanted to run, on average over 1, 5 and 15 minutes.
#[pyfunction]
pub(crate) fn loadavg() -> PyResult<(f64, f64, f64)> {
    System::new().load().map(|load| load.averages.into()).map_err(raised)
}

/// The five answers of uname(2), and the release's numbers as a tuple or None.
#[pyfunction]
pub(crate) fn uname(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let arch = System::new().arch();
    let numbers = arch.release_info().map(|numbers| PyTuple::new(py, numbers)).transpose()?;
    (arch.system, arch.node, arch.release, arch.version, arch.machine, numbers).into_pyobject(py)
}

type Row = (OsString, OsString, OsString, OsString, Option<OsString>);

/// Device, point, file system, options and host of every mount.
#[pyfunction]
pub(crate) fn mounts(py: Python<'_>) -> PyResult<Vec<Row>> {
    let mounts = py.detach(|| System::new().mounts()).map_err(raised)?;
    let row = |mount: Mount| (mount.device, mount.point.into_os_string(), mount.kind, mount.options, mount.host);
    Ok(mounts.into_iter().map(row).collect())
}

/// Block size; bytes in total, free, available; inodes in total, free, available.
#[pyfunction]
pub(crate) fn space(py: Python<'_>, mount: Row) -> PyResult<(u64, u64, u64, u64, u64, u64, u64)> {
    let (device, point, kind, options, host) = mount;
    let mount = Mount { device, point: PathBuf::from(point), kind, options, host };
    match py.detach(|| System::new().space(&mount)) {
        Ok(space) => Ok((
            space.block_size,
            space.total,
            space.free,
            space.available,
            space.inodes,
            space.free_inodes,
            space.available_inodes,
        )),
        // a missing folder is an OSError as well: it was a mount a moment ago
        Err(error) => match raised(error) {
            error if error.is_instance_of::<pyo3::exceptions::PyOSError>(py) => Err(error),
            error => Err(pyo3::exceptions::PyFileNotFoundError::new_err(error.to_string())),
        },
    }
}
