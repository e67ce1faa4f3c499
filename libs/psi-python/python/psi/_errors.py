"""The exceptions. The native part raises them by name, so they stand where it can import them before anything else."""


class InsufficientPrivsError(Exception):
    """You may not do that."""

    __module__ = "psi"


class MissingResourceError(Exception):
    """What was asked for is not there, or no longer."""

    __module__ = "psi"


class NoSuchProcessError(MissingResourceError):
    """There is no such process, or its number belongs to another one by now."""

    __module__ = "psi.process"


class AttrNotAvailableError(AttributeError):
    """This process, or this mount, has no such thing."""

    __module__ = "psi"


class AttrInsufficientPrivsError(AttributeError, InsufficientPrivsError):
    """You may not see that."""

    __module__ = "psi"


class AttrNotImplementedError(AttributeError):
    """This platform cannot tell."""

    __module__ = "psi"
