"""System information: processes, architecture, load, mounts.

psi.arch says what the machine is, psi.process looks at running processes, psi.mount at file systems. Everything is a
snapshot: it stays readable after what it describes is gone.

A drop-in for PSI 0.3, and for the names of 0.2a1.
"""

from psi._errors import (
    AttrInsufficientPrivsError,
    AttrNotAvailableError,
    AttrNotImplementedError,
    InsufficientPrivsError,
    MissingResourceError,
)
from psi._psi import TimeSpec, __version__, boottime, loadavg, uptime

from psi import arch, process

__all__ = [
    "AttrInsufficientPrivsError",
    "AttrNotAvailableError",
    "AttrNotImplementedError",
    "InsufficientPrivsError",
    "MissingResourceError",
    "TimeSpec",
    "__version__",
    "arch",
    "boottime",
    "loadavg",
    "mount",
    "process",
    "uptime",
]


def __getattr__(name):
    # the one part that few programs need
    if name == "mount":
        import importlib

        return importlib.import_module("psi.mount")
    raise AttributeError(f"module 'psi' has no attribute {name!r}")
