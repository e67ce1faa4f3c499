"""What the machine is.

>>> import psi.arch
>>> a = psi.arch.arch_type()
>>> isinstance(a, psi.arch.ArchLinux)
True
"""

from psi import _psi
from psi._errors import AttrNotAvailableError

__all__ = ["ArchAIX", "ArchBase", "ArchDarwin", "ArchLinux", "ArchMacOSX", "ArchSunOS", "arch_type"]


class ArchBase:
    """The machine that this runs on. There is one object of it, of the class that belongs to the machine, whichever
    of the classes is called."""

    __slots__ = ("_uname",)
    _only = None

    def __new__(cls):
        if ArchBase._only is None:
            uname = _psi.uname()
            only = object.__new__(_CLASSES.get(uname[0], ArchBase))
            only._uname = uname
            ArchBase._only = only
        return ArchBase._only

    @property
    def sysname(self):
        """Operating system."""
        return self._uname[0]

    @property
    def nodename(self):
        """Name of the machine."""
        return self._uname[1]

    @property
    def release(self):
        """Release of the operating system."""
        return self._uname[2]

    @property
    def release_info(self):
        """The numbers of the release up to its first dash, as a tuple."""
        numbers = self._uname[5]
        if numbers is None:
            raise AttrNotAvailableError(f"{type(self).__name__}.release_info is not available for {self.release!r}")
        return numbers

    @property
    def version(self):
        """Build of the operating system."""
        return self._uname[3]

    @property
    def machine(self):
        """Hardware."""
        return self._uname[4]

    def __repr__(self):
        return f"psi.arch.{type(self).__name__}()"


class ArchLinux(ArchBase):
    """Linux."""

    __slots__ = ()


class ArchSunOS(ArchBase):
    """SunOS and its descendants."""

    __slots__ = ()


class ArchDarwin(ArchBase):
    """The system under macOS."""

    __slots__ = ()


class ArchMacOSX(ArchDarwin):
    """macOS, by the name that PSI 0.2 gave it."""

    __slots__ = ()


class ArchAIX(ArchBase):
    """AIX."""

    __slots__ = ()


_CLASSES = {"Linux": ArchLinux, "SunOS": ArchSunOS, "Darwin": ArchMacOSX, "AIX": ArchAIX}


def arch_type():
    """The object for this machine."""
    return ArchBase()
