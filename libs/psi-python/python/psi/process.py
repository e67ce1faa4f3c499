"""Running processes.

>>> import os, psi.process
>>> psi.process.Process(os.getpid()).pid == os.getpid()
True
"""

from psi import _psi
from psi._errors import NoSuchProcessError
from psi._psi import Process, scan

__all__ = ["NoSuchProcessError", "Process", "ProcessTable", "scan"]

for _name, _value in _psi.statuses():
    globals()[_name] = _value
    __all__.append(_name)
del _name, _value


class ProcessTable(dict):
    """All processes by number, each with everything there is to know of it, as they are now.

    Processes that end while they are looked at are left out.
    """

    __slots__ = ()

    def __init__(self):
        super().__init__(_psi.table())

    def __setitem__(self, pid, process):
        raise TypeError("a process table cannot be changed")

    def __delitem__(self, pid):
        raise TypeError("a process table cannot be changed")

    def __repr__(self):
        return "psi.process.ProcessTable()"

    @property
    def count(self):
        """How many there are."""
        return len(self)

    @property
    def pids(self):
        """Their numbers, ascending."""
        return tuple(sorted(self))

    @property
    def processes(self):
        """The processes by ascending number."""
        return [self[pid] for pid in self.pids]
