"""Mounted file systems."""

from psi import _psi
from psi._errors import AttrInsufficientPrivsError, AttrNotAvailableError, MissingResourceError

__all__ = ["LocalMount", "MountBase", "RemoteMount", "mounts"]


class MountBase:
    """One mounted file system, as it was when it was looked at."""

    __slots__ = ("_mount", "_space")

    def __init__(self, *args, **kwargs):
        raise TypeError(f"cannot make psi.mount.{type(self).__name__} instances; use psi.mount.mounts()")

    @classmethod
    def _of(cls, mount):
        self = object.__new__(cls)
        self._set(mount)
        return self

    def _set(self, mount):
        self._mount = mount
        try:
            self._space = _psi.space(mount)
        except OSError as error:
            # one mount that cannot be asked must not hide the others
            self._space = error

    device = property(lambda self: self._mount[0], doc="What is mounted.")
    mountpoint = property(lambda self: self._mount[1], doc="Where.")
    fstype = property(lambda self: self._mount[2], doc="File system.")
    options = property(lambda self: self._mount[3], doc="Options, with commas between them.")

    def _number(index, name, doc):
        def get(self):
            space = self._space
            if isinstance(space, PermissionError):
                raise AttrInsufficientPrivsError(f"Insufficient privileges for {type(self).__name__}.{name}")
            if isinstance(space, OSError):
                raise AttrNotAvailableError(f"{type(self).__name__}.{name} is not available: {space}")
            return space[index]

        return property(get, doc=doc)

    blocksize = _number(0, "blocksize", "Preferred size of a transfer in bytes.")
    total = _number(1, "total", "Size in bytes.")
    free = _number(2, "free", "Bytes not used.")
    available = _number(3, "available", "Bytes that ordinary accounts may still use.")
    inodes = _number(4, "inodes", "Inodes.")
    free_inodes = _number(5, "free_inodes", "Inodes not used.")
    available_inodes = _number(6, "available_inodes", "Inodes that ordinary accounts may still use.")
    del _number

    def refresh(self):
        """Look again."""
        for mount in reversed(_psi.mounts()):
            if mount[:2] == self._mount[:2]:
                self._set(mount)
                return
        raise MissingResourceError("Mount no longer exists")

    def __repr__(self):
        return f"<psi.mount.{type(self).__name__} {self.device!r} on {self.mountpoint!r}>"


class LocalMount(MountBase):
    """A file system of this machine."""

    __slots__ = ()


class RemoteMount(MountBase):
    """A file system of another machine."""

    __slots__ = ()

    host = property(lambda self: self._mount[4], doc="The other machine.")


def mounts(remote=False):
    """All mounts, one after the other; those of other machines, which may hang, only if asked for."""
    for mount in _psi.mounts():
        if mount[4] is None:
            yield LocalMount._of(mount)
        elif remote:
            yield RemoteMount._of(mount)
