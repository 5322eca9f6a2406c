# Paths are text here, as in the launcher, whose start-up this is a part of.
# ruff: noqa: PTH110, PTH112, PTH113, PTH118
"""What every rung knows of programs: where one is found, and whose fault a failed start is.

The words are those of Go's os/exec, which Argo's emissary prints. Standard library only:
`gitwf.adapters.local.launcher` loads this file where no package is.
"""

import errno
import os
from typing import Any

# What a file system says where a path that the step chose leads through, or to, something else.
MISPLACED = (FileExistsError, IsADirectoryError, NotADirectoryError)
_START_ERROR = 128  # Kubernetes: the code of a container that its runtime could not start.


def exhausted(error: OSError) -> bool:
    """Whether the machine had no more to give; any other failure to start is the program's."""
    return error.errno in {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


def not_started(error: OSError, root: str = "") -> dict[str, Any]:
    """Say how a container ends whose paths cannot be put in place below `root`."""
    where = str(error.filename or "")
    where = where.replace(root, "") if root else where
    why = f"{where}: {(error.strerror or str(error)).lower()}"
    return {"code": _START_ERROR, "reason": "StartError", "refused": why}


def unstartable(program: str, error: OSError) -> str:
    """Say why a program that was found did not start."""
    why = (error.strerror or str(error)).lower()
    return f"failed to start command: fork/exec {program}: {why}"


def find_program(name: str, path: str) -> str:
    """Find an executable as Go's exec.LookPath does; LookupError carries its message."""
    if "/" in name:
        if not os.path.exists(name):
            raise LookupError(f'exec: "{name}": stat {name}: no such file or directory')
        if os.path.isdir(name):
            raise LookupError(f'exec: "{name}": is a directory')
        if not os.access(name, os.X_OK):
            raise LookupError(f'exec: "{name}": permission denied')
        return name
    for folder in path.split(":"):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise LookupError(f'exec: "{name}": executable file not found in $PATH')
