"""What was written to a file made durable, while whoever wrote it goes on.

The disk's answer takes as long as a short step. POSIX has requests for that (`aio_fsync`): the C
library waits for the disk in a thread that needs no interpreter, so that this one goes on at once.
Where there are none, beginning does nothing and waiting does it all.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable

_SIGEV_NONE = 1

_libc = ctypes.CDLL(None, use_errno=True)
_ASYNCHRONOUS = sys.platform == "linux" and hasattr(_libc, "aio_fsync")
_datasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class _Request(ctypes.Structure):
    """A `struct aiocb` of Linux, where the C libraries have one layout; `rest` is the library's."""

    _fields_ = (
        ("file", ctypes.c_int),
        ("operation", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class Syncing:
    """The syncs of one open file, one at a time. Used by one thread."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._request = _Request(file=file, notify=_SIGEV_NONE)
        self._here = ctypes.byref(self._request)
        self._list = (ctypes.POINTER(_Request) * 1)(ctypes.pointer(self._request))
        self._asked = self._due = False

    def begin(self) -> None:
        """Begin to make durable what was written until now."""
        self.wait()
        self._asked = _ASYNCHRONOUS and _libc.aio_fsync(os.O_DSYNC, self._here) == 0
        self._due = not self._asked

    def wait(self) -> None:
        """Wait until what was begun is done. Raises OSError where the disk did not do it."""
        if self._asked:
            while (number := _libc.aio_error(self._here)) == errno.EINPROGRESS:
                _libc.aio_suspend(self._list, 1, None)
            self._asked = False
            _libc.aio_return(self._here)
            if number:
                raise OSError(number, os.strerror(number))
        elif self._due:
            self._due = False
            _datasync(self._file)
