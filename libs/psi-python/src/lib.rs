//! The native part of the Python module `psi`: what must be fast, or must speak to the kernel. The rest of the module
//! is Python, in `../python/psi`.
//!
//! One wheel serves every CPython from 3.9 on, because only the stable interface is used. Nothing here starts a
//! thread or keeps a descriptor; the interpreter's lock is let go while the kernel is asked.

mod error;
mod old_names;
mod process;
mod system;
mod timespec;

use pyo3::prelude::pymodule;

/// See the package.
#[pymodule]
mod _psi {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::process::{Process, scan, statuses, table};
    #[pymodule_export]
    use crate::system::{boottime, loadavg, mounts, space, uname, uptime};
    #[pymodule_export]
    use crate::timespec::TimeSpec;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
