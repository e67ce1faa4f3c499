//! `psi.process.Process`: a snapshot of one process, with PSI 0.3's attributes and 0.2a1's names for them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use psi::{Attr, Fields, Missing, State, Strings, System};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{NoSuchProcessError, missing, raised};
use crate::old_names;
use crate::timespec::TimeSpec;

/// What PSI reads of a process, all at once.
const WHOLE: Fields =
    Fields::OWNER.and(Fields::IDS).and(Fields::ARGS).and(Fields::ENV).and(Fields::EXE).and(Fields::CWD);

/// What other platforms tell and Linux does not: the names are known, and said to be so.
const ELSEWHERE: [&str; 3] = ["pcpu", "zoneid", "zonename"];

/// SIGTERM.
const TERMINATE: i32 = 15;

/// How long a wait goes on before the interpreter may look for signals.
const PATIENCE: Duration = Duration::from_millis(100);

/// A process as it was when it was looked at.
#[pyclass(module = "psi.process", subclass)]
#[derive(Debug)]
pub(crate) struct Process {
    /// None until `__init__` has run.
    snapshot: Option<psi::Process>,
    system: Where,
}

/// This machine, or the one that the snapshot was taken from.
#[derive(Clone, Debug, Default)]
struct Where(Option<Arc<System>>);

impl Where {
    fn at(root: Option<PathBuf>) -> Self {
        Self(root.map(|root| Arc::new(System::new().proc_root(root))))
    }

    fn system(&self) -> System {
        self.0.as_deref().cloned().unwrap_or_default()
    }
}

impl Process {
    fn of(snapshot: psi::Process, system: &Where) -> Self {
        Self { snapshot: Some(snapshot), system: system.clone() }
    }

    pub(crate) fn get(&self) -> PyResult<&psi::Process> {
        self.snapshot.as_ref().ok_or_else(|| PyRuntimeError::new_err("Instance has not been initialised properly"))
    }

    fn attr<'a, T>(&'a self, name: &str, attr: impl FnOnce(&'a psi::Process) -> &'a Attr<T>) -> PyResult<&'a T> {
        attr(self.get()?).as_ref().map_err(|error| missing(*error, "Process", name))
    }

    pub(crate) fn parent(&self, py: Python<'_>) -> PyResult<Self> {
        let parent = i32::try_from(self.get()?.parent).unwrap_or(-1);
        Ok(Self::of(Self::read(py, parent, &self.system)?, &self.system))
    }

    fn read(py: Python<'_>, pid: i32, system: &Where) -> PyResult<psi::Process> {
        let no_such = || NoSuchProcessError::new_err(format!("no process `{pid}`"));
        let pid = u32::try_from(pid).map_err(|_| no_such())?;
        py.detach(|| system.system().process(pid, WHOLE)).map_err(raised)
    }
}

#[pymethods]
impl Process {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { snapshot: None, system: Where::default() }
    }

    /// Everything is read here, so that a process that has ended meanwhile can still be asked.
    fn __init__(&mut self, py: Python<'_>, pid: i32) -> PyResult<()> {
        self.snapshot = Some(Self::read(py, pid, &self.system)?);
        Ok(())
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("psi.process.Process(pid={})", self.get()?.pid()))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let id = self.get()?.id;
        (id.pid, id.start).into_pyobject(py)?.hash()
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        match other.cast::<Self>() {
            Ok(other) => {
                let order = self.get()?.pid().cmp(&other.borrow().get()?.pid());
                Ok(op.matches(order).into_pyobject(py)?.to_owned().into_any())
            }
            Err(_) => Ok(py.NotImplemented().into_bound(py)),
        }
    }

    /// What is no attribute of PSI 0.3 on Linux: an older name of one, or another platform's. Python comes here also
    /// where an attribute was there but had to raise; then it raises again.
    fn __getattr__<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        if let Some(found) = old_names::get(slf, name) {
            return found;
        }
        match ELSEWHERE.contains(&name) {
            true => Err(missing(Missing::Platform, "Process", name)),
            false => slf.py().get_type::<PyAny>().call_method1(intern!(slf.py(), "__getattribute__"), (slf, name)),
        }
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let names = slf.get_type().as_any().dir()?;
        old_names::names().try_for_each(|name| names.append(name))?;
        Ok(names.into_any())
    }

    /// Process number.
    #[getter]
    fn pid(&self) -> PyResult<u32> {
        Ok(self.get()?.pid())
    }

    /// Parent's number.
    #[getter]
    fn ppid(&self) -> PyResult<u32> {
        Ok(self.get()?.parent)
    }

    /// Process group.
    #[getter]
    fn pgrp(&self) -> PyResult<u32> {
        Ok(self.get()?.group)
    }

    /// Session.
    #[getter]
    fn sid(&self) -> PyResult<u32> {
        Ok(self.get()?.session)
    }

    /// Accounting name.
    #[getter]
    fn name(&self) -> PyResult<&OsStr> {
        Ok(&self.get()?.name)
    }

    /// Path of the executable.
    #[getter]
    fn exe(&self) -> PyResult<&OsStr> {
        self.attr("exe", |process| &process.exe).map(|path| path.as_os_str())
    }

    /// Command line arguments.
    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.attr("args", |process| &process.args)?.iter().collect::<Vec<_>>())
    }

    /// Number of command line arguments.
    #[getter]
    fn argc(&self) -> PyResult<usize> {
        self.attr("argc", |process| &process.args).map(Strings::len)
    }

    /// Command line as one text; the accounting name where there is none.
    #[getter]
    fn command(&self) -> PyResult<OsString> {
        Ok(self.get()?.command())
    }

    /// Environment with which the process was started.
    #[getter]
    fn env<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        use std::os::unix::ffi::OsStrExt;
        let env = PyDict::new(py);
        for entry in self.attr("env", |process| &process.env)?.iter() {
            let entry = entry.as_bytes();
            // a name may begin with `=`, as shells' own do
            if let Some(at) = entry.iter().skip(1).position(|byte| *byte == b'=') {
                let (name, value) = entry.split_at(at + 1);
                let value = value.get(1..).unwrap_or_default();
                env.set_item(OsStr::from_bytes(name), OsStr::from_bytes(value))?;
            }
        }
        Ok(env)
    }

    /// Current folder.
    #[getter]
    fn cwd(&self) -> PyResult<&OsStr> {
        self.attr("cwd", |process| &process.cwd).map(|path| path.as_os_str())
    }

    /// Effective user number.
    #[getter]
    fn euid(&self) -> PyResult<u32> {
        self.get()?.uid().map_err(|error| missing(error, "Process", "euid"))
    }

    /// Effective group number.
    #[getter]
    fn egid(&self) -> PyResult<u32> {
        self.get()?.gid().map_err(|error| missing(error, "Process", "egid"))
    }

    /// Real user number.
    #[getter]
    fn ruid(&self) -> PyResult<u32> {
        self.attr("ruid", |process| &process.ids).map(|ids| ids.real_uid)
    }

    /// Real group number.
    #[getter]
    fn rgid(&self) -> PyResult<u32> {
        self.attr("rgid", |process| &process.ids).map(|ids| ids.real_gid)
    }

    /// Real-time priority; 0 for ordinary processes.
    #[getter]
    fn priority(&self) -> PyResult<u32> {
        Ok(self.get()?.realtime)
    }

    /// Nice value.
    #[getter]
    fn nice(&self) -> PyResult<i32> {
        Ok(self.get()?.nice)
    }

    /// When the process began: a moment in UTC.
    #[getter]
    fn start_time(&self) -> PyResult<TimeSpec> {
        self.system.system().start_time(self.get()?.id).map(TimeSpec::moment).map_err(raised)
    }

    /// When the process began, in clock ticks since boot.
    #[getter]
    fn jiffies(&self) -> PyResult<u64> {
        Ok(self.get()?.id.start)
    }

    /// What the process is doing: one of the `PROC_STATUS_` constants.
    #[getter]
    fn status(&self) -> PyResult<u8> {
        Ok(status(self.get()?.state))
    }

    /// Number of threads.
    #[getter]
    fn nthreads(&self) -> PyResult<u32> {
        Ok(self.get()?.threads)
    }

    /// Controlling terminal, or None.
    #[getter]
    fn terminal(&self) -> PyResult<Option<OsString>> {
        Ok(self.system.system().terminal(self.get()?.terminal).map(OsString::from))
    }

    /// Time spent in its own code.
    #[getter]
    fn utime(&self) -> PyResult<TimeSpec> {
        Ok(TimeSpec::span(self.get()?.user_time))
    }

    /// Time spent in the kernel for it.
    #[getter]
    fn stime(&self) -> PyResult<TimeSpec> {
        Ok(TimeSpec::span(self.get()?.system_time))
    }

    /// Time spent in both.
    #[getter]
    fn cputime(&self) -> PyResult<TimeSpec> {
        Ok(TimeSpec::span(self.get()?.cpu_time()))
    }

    /// Memory in use, in bytes.
    #[getter]
    fn rss(&self) -> PyResult<u64> {
        Ok(self.get()?.resident_size)
    }

    /// Address space, in bytes.
    #[getter]
    fn vsz(&self) -> PyResult<u64> {
        Ok(self.get()?.virtual_size)
    }

    /// The kernel's `PF_` flags.
    #[getter]
    fn flags(&self) -> PyResult<u64> {
        Ok(self.get()?.flags)
    }

    /// Look again. NoSuchProcessError if the process has ended, also where its number belongs to another one by now.
    fn refresh(&mut self, py: Python<'_>) -> PyResult<()> {
        let id = self.get()?.id;
        let pid = i32::try_from(id.pid).unwrap_or(-1);
        let snapshot = Self::read(py, pid, &self.system)?;
        if snapshot.id != id {
            return Err(NoSuchProcessError::new_err(format!(
                "no process `{pid}` any more: another one has its number"
            )));
        }
        self.snapshot = Some(snapshot);
        Ok(())
    }

    /// Whether the process is still there; a zombie is.
    fn exists(&self, py: Python<'_>) -> PyResult<bool> {
        let id = self.get()?.id;
        py.detach(|| self.system.system().exists(id)).map_err(raised)
    }

    /// Processes whose parent it is.
    fn children(&self, py: Python<'_>) -> PyResult<Vec<Self>> {
        let (id, system) = (self.get()?.id, self.system.system());
        let children = py.detach(|| {
            let table = system.processes(Fields::NONE)?;
            let children = table.processes.iter().filter(|child| child.parent == id.pid && child.id.start >= id.start);
            // one that has ended since is none
            Ok(children.filter_map(|child| system.process(child.pid(), WHOLE).ok()).collect::<Vec<_>>())
        });
        Ok(children.map_err(raised)?.into_iter().map(|child| Self::of(child, &self.system)).collect())
    }

    /// Send a signal to this process and no other, SIGTERM if nothing else is said.
    #[pyo3(signature = (sig = TERMINATE))]
    fn kill(&self, py: Python<'_>, sig: i32) -> PyResult<()> {
        let id = self.get()?.id;
        py.detach(|| self.system.system().kill(id, sig)).map_err(raised)
    }

    /// Wait until the process has ended, so many seconds or for ever. False if the time was up first.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let limit = timeout.map(|timeout| {
            Duration::try_from_secs_f64(timeout.max(0.0)).map_err(|_| PyValueError::new_err("timeout is out of range"))
        });
        let end = limit.transpose()?.map(|limit| (std::time::Instant::now(), limit));
        let id = self.get()?.id;
        let handle = match self.system.system().handle(id) {
            Ok(handle) => handle,
            Err(psi::Error::NoSuchProcess { .. }) => return Ok(true),
            Err(error) => return Err(raised(error)),
        };
        loop {
            let left = end.map_or(PATIENCE, |(begin, limit)| limit.saturating_sub(begin.elapsed()).min(PATIENCE));
            if py.detach(|| handle.wait(Some(left))).map_err(raised)? {
                return Ok(true);
            }
            if end.is_some_and(|(begin, limit)| begin.elapsed() >= limit) {
                return Ok(false);
            }
            py.check_signals()?;
        }
    }
}

/// All processes by number, each with everything.
#[pyfunction]
pub(crate) fn table(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let table = py.detach(|| System::new().processes(WHOLE)).map_err(raised)?;
    let system = Where::default();
    let dict = PyDict::new(py);
    for process in table.processes {
        dict.set_item(process.pid(), Bound::new(py, Process::of(process, &system))?)?;
    }
    Ok(dict)
}

/// All processes by ascending number, with no more read than the named attributes need.
///
/// An attribute that needs a file which was not read raises AttrNotAvailableError. proc_root is where the proc file
/// system is, if not at /proc.
#[pyfunction]
#[pyo3(signature = (*attributes, proc_root = None))]
pub(crate) fn scan(py: Python<'_>, attributes: Vec<String>, proc_root: Option<PathBuf>) -> PyResult<Vec<Process>> {
    let mut fields = Fields::NONE;
    for name in &attributes {
        let needed = needed(name);
        fields |= needed.ok_or_else(|| PyValueError::new_err(format!("a process has no attribute `{name}`")))?;
    }
    let place = Where::at(proc_root);
    let table = py.detach(|| place.system().processes(fields)).map_err(raised)?;
    Ok(table.processes.into_iter().map(|process| Process::of(process, &place)).collect())
}

/// The file that an attribute is in.
fn needed(name: &str) -> Option<Fields> {
    Some(match old_names::current(name) {
        "args" | "argc" | "command" => Fields::ARGS,
        "env" => Fields::ENV,
        "exe" => Fields::EXE,
        "cwd" => Fields::CWD,
        "euid" | "egid" => Fields::OWNER,
        "ruid" | "rgid" => Fields::IDS,
        "pid" | "ppid" | "pgrp" | "sid" | "name" | "priority" | "nice" | "start_time" | "jiffies" | "status"
        | "nthreads" | "terminal" | "utime" | "stime" | "cputime" | "rss" | "vsz" | "flags" => Fields::NONE,
        _ => return None,
    })
}

const STATUSES: [(&str, u8); 8] = [
    ("PROC_STATUS_RUNNING", 0),
    ("PROC_STATUS_SLEEPING", 1),
    ("PROC_STATUS_DISKSLEEP", 2),
    ("PROC_STATUS_STOPPED", 4),
    ("PROC_STATUS_TRACINGSTOP", 8),
    ("PROC_STATUS_ZOMBIE", 16),
    ("PROC_STATUS_DEAD", 32),
    ("PROC_STATUS_PAGING", 64),
];

/// What this platform's processes can be doing.
#[pyfunction]
pub(crate) fn statuses() -> Vec<(&'static str, u8)> {
    STATUSES.to_vec()
}

/// PSI has no words for the states that came after it: a kernel thread without work sleeps.
fn status(state: State) -> u8 {
    match state {
        State::Running => 0,
        State::Sleeping | State::Idle | State::Parked | State::Other(_) => 1,
        State::DiskSleep => 2,
        State::Stopped => 4,
        State::Traced => 8,
        State::Zombie => 16,
        State::Dead => 32,
        State::Paging => 64,
    }
}
