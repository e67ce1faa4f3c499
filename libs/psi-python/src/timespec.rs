//! `psi.TimeSpec`: seconds and nanoseconds, for moments and for spans.

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyIndexError, PyOverflowError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyTuple};

const SECOND: i128 = 1_000_000_000;

/// A time in seconds and nanoseconds. Both have the same sign, and the nanoseconds are less than a second.
#[pyclass(module = "psi", frozen, subclass)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeSpec {
    /// Seconds.
    #[pyo3(get)]
    tv_sec: i64,
    /// Nanoseconds.
    #[pyo3(get)]
    tv_nsec: i64,
}

impl TimeSpec {
    pub(crate) fn span(span: std::time::Duration) -> Self {
        Self { tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(span.subsec_nanos()) }
    }

    pub(crate) fn moment(moment: std::time::SystemTime) -> Self {
        match moment.duration_since(std::time::SystemTime::UNIX_EPOCH) {
            Ok(after) => Self::span(after),
            Err(before) => {
                let before = Self::span(before.duration());
                Self { tv_sec: -before.tv_sec, tv_nsec: -before.tv_nsec }
            }
        }
    }

    /// What a caller wrote as seconds and nanoseconds, either of any size.
    ///
    /// PSI loses the sign of what is left of nanoseconds at or below a whole negative second, and its test suite pins
    /// that: (-1, -1000000001) is -1.999999999. A replacement has to agree. Nothing that is computed comes through
    /// here.
    fn written(seconds: i64, nanoseconds: i64) -> i128 {
        let (seconds, nanoseconds) = (i128::from(seconds), i128::from(nanoseconds));
        let rest = if nanoseconds <= -SECOND { -(nanoseconds % SECOND) } else { nanoseconds % SECOND };
        (seconds + nanoseconds / SECOND) * SECOND + rest
    }

    fn nanoseconds(self) -> i128 {
        i128::from(self.tv_sec) * SECOND + i128::from(self.tv_nsec)
    }

    fn from_nanoseconds(all: i128) -> PyResult<Self> {
        let (seconds, rest) = (i64::try_from(all / SECOND), i64::try_from(all % SECOND));
        match (seconds, rest) {
            (Ok(tv_sec), Ok(tv_nsec)) => Ok(Self { tv_sec, tv_nsec }),
            _ => Err(PyOverflowError::new_err("time is out of range")),
        }
    }

    /// What can stand beside a time: another one, a pair of whole numbers, a whole number, a number.
    fn other(other: &Bound<'_, PyAny>) -> PyResult<Option<i128>> {
        if let Ok(other) = other.cast::<Self>() {
            return Ok(Some(other.get().nanoseconds()));
        }
        if let Ok(pair) = other.cast::<PyTuple>() {
            let whole = |at| pair.get_item(at).is_ok_and(|item| item.is_instance_of::<PyInt>());
            if pair.len() != 2 || !whole(0) || !whole(1) {
                return Ok(None);
            }
            let (seconds, nanoseconds): (i64, i64) = pair.extract()?;
            return Ok(Some(Self::written(seconds, nanoseconds)));
        }
        if other.is_instance_of::<PyInt>() {
            return Ok(Some(i128::from(other.extract::<i64>()?) * SECOND));
        }
        if other.is_instance_of::<PyFloat>() {
            let number: f64 = other.extract()?;
            // whole seconds and the rest apart: a float has not enough digits for both at once
            let rest = (number.fract() * SECOND as f64).round();
            return Ok(number.is_finite().then(|| (number.trunc() as i128).saturating_mul(SECOND) + rest as i128));
        }
        Ok(None)
    }

    fn with<'py>(other: &Bound<'py, PyAny>, result: impl FnOnce(i128) -> Option<i128>) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        match Self::other(other)? {
            None => Ok(py.NotImplemented().into_bound(py)),
            Some(other) => {
                let all = result(other).ok_or_else(|| PyOverflowError::new_err("time is out of range"))?;
                Ok(Bound::new(py, Self::from_nanoseconds(all)?)?.into_any())
            }
        }
    }

    fn microseconds(self) -> i64 {
        self.tv_nsec / 1000
    }
}

#[pymethods]
impl TimeSpec {
    #[new]
    #[pyo3(signature = (tv_sec = 0, tv_nsec = 0))]
    fn new(tv_sec: i64, tv_nsec: i64) -> PyResult<Self> {
        Self::from_nanoseconds(Self::written(tv_sec, tv_nsec))
    }

    fn __repr__(&self) -> String {
        format!("psi.TimeSpec(tv_sec={}, tv_nsec={})", self.tv_sec, self.tv_nsec)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (i64, i64))> {
        let this = slf.get();
        Ok((slf.get_type().into_any(), (this.tv_sec, this.tv_nsec)))
    }

    fn __getitem__(&self, index: isize) -> PyResult<i64> {
        match index {
            0 => Ok(self.tv_sec),
            1 => Ok(self.tv_nsec),
            _ => Err(PyIndexError::new_err("index out of range")),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.tv_sec, self.tv_nsec).into_pyobject(py)?.hash()
    }

    fn __bool__(&self) -> bool {
        self.nanoseconds() != 0
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        match Self::other(other)? {
            Some(other) => Ok(op.matches(self.nanoseconds().cmp(&other)).into_pyobject(py)?.to_owned().into_any()),
            None => Ok(py.NotImplemented().into_bound(py)),
        }
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::with(other, |other| self.nanoseconds().checked_add(other))
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::with(other, |other| other.checked_add(self.nanoseconds()))
    }

    fn __sub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::with(other, |other| self.nanoseconds().checked_sub(other))
    }

    fn __rsub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::with(other, |other| other.checked_sub(self.nanoseconds()))
    }

    /// Seconds as a number with a fraction; of a moment, its Unix time.
    fn timestamp(&self) -> f64 {
        self.tv_sec as f64 + self.tv_nsec as f64 / SECOND as f64
    }

    /// The same.
    fn float(&self) -> f64 {
        self.timestamp()
    }

    /// The timestamp as if the moment were one of the local clock: what `time.mktime(time.gmtime(t))` is about.
    fn mktime(&self, py: Python<'_>) -> PyResult<f64> {
        let time = py.import(intern!(py, "time"))?;
        let number = |name| time.getattr(name)?.extract::<f64>();
        let summer = if time.getattr(intern!(py, "daylight"))?.is_truthy()? { number("altzone")? } else { 0.0 };
        Ok(self.timestamp() + number("timezone")? + summer)
    }

    /// `time.struct_time` in UTC.
    fn timetuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.gmtime(py)
    }

    /// `time.struct_time` in UTC.
    fn gmtime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import(intern!(py, "time"))?.call_method1(intern!(py, "gmtime"), (self.timestamp(),))
    }

    /// `time.struct_time` in local time.
    fn localtime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import(intern!(py, "time"))?.call_method1(intern!(py, "localtime"), (self.timestamp(),))
    }

    /// `datetime.datetime` in UTC, naive.
    fn utcdatetime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let module = py.import(intern!(py, "datetime"))?;
        let utc = module.getattr(intern!(py, "timezone"))?.getattr(intern!(py, "utc"))?;
        let none = [("tzinfo", py.None())];
        let moment = self.moment_in(&module, Some(utc))?;
        moment.call_method(intern!(py, "replace"), (), Some(&pyo3::types::IntoPyDict::into_py_dict(none, py)?))
    }

    /// `datetime.datetime` in local time, naive.
    fn datetime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.moment_in(&py.import(intern!(py, "datetime"))?, None)
    }

    /// `datetime.timedelta`.
    fn timedelta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let module = py.import(intern!(py, "datetime"))?;
        module.call_method1(intern!(py, "timedelta"), (0, self.tv_sec, self.microseconds()))
    }
}

impl TimeSpec {
    fn moment_in<'py>(
        self,
        module: &Bound<'py, PyModule>,
        zone: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = module.py();
        let class = module.getattr(intern!(py, "datetime"))?;
        let seconds = class.call_method1(intern!(py, "fromtimestamp"), (self.tv_sec, zone))?;
        let rest = module.call_method1(intern!(py, "timedelta"), (0, 0, self.microseconds()))?;
        seconds.add(rest)
    }
}
