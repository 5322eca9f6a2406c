"""How a viewer is started: which program, in which folder, with which environment.

A folder with `app.R` is an R-Shiny app, one with `app.py` a program that listens on `$HOST:$PORT`;
without either, or without R, gitwf's own small page serves the same model and says what is missing.
The environment is made, not inherited: a viewer gets the model's variables, what a program needs
to run at all, and no credentials; the front itself is started without them.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters.viewer import page

_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "R_HOME")
_KEPT_BY_FRONT = (
    *_KEPT,
    "HOME",
    "USER",
    "TMPDIR",
    "PYTHONPATH",
    "R_LIBS",
    "R_LIBS_USER",
    "R_LIBS_SITE",
)
_R_PACKAGES = 'invisible(find.package(c("shiny", "jsonlite"))); cat(.libPaths(), sep = ":")'
_R_START = (
    "options(shiny.autoreload = FALSE); "
    'shiny::runApp(".", host = Sys.getenv("HOST"), port = as.integer(Sys.getenv("PORT")), '
    "launch.browser = FALSE, quiet = TRUE)"
)


@dataclass(frozen=True)
class Launch:
    """A command, the folder it runs in, what people call it, and variables of its own."""

    command: tuple[str, ...]
    cwd: Path
    kind: str
    env: Mapping[str, str] = field(default_factory=dict)


def choose(viewer: Path) -> Launch:
    """Tell how the viewer in this folder, which may be missing, is started here."""
    if (viewer / "app.R").is_file():
        libraries = r_libraries(shutil.which("Rscript"))
        if libraries is not None:
            command = ("Rscript", "--no-save", "--no-restore", "-e", _R_START)
            return Launch(command, viewer, "R-Shiny", {"R_LIBS": libraries})
        notice = (
            "R with the packages shiny and jsonlite is not installed here, so this small page "
            "stands in for the R-Shiny viewer."
        )
        return _own_page(viewer.parent, notice)
    if (viewer / "app.py").is_file():
        return Launch((sys.executable, "app.py"), viewer, "Python")
    return _own_page(viewer.parent, "This pipeline has no viewer of its own.")


def front_environment() -> dict[str, str]:
    """Make the front's own environment: it lives long, and needs none of its starter's secrets."""
    return {name: os.environ[name] for name in _KEPT_BY_FRONT if name in os.environ}


def environment(
    folder: Path, own: Mapping[str, str], given: Mapping[str, str], host: str, port: int
) -> dict[str, str]:
    """Make a viewer's environment; `folder` becomes its HOME and holds its temporary files."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        **own,
        **given,
        "HOST": host,
        "PORT": str(port),
    }


@functools.lru_cache(maxsize=1)
def r_libraries(rscript: str | None) -> str | None:
    """R's library folders, or None where R, shiny or jsonlite is missing.

    Asked with this user's own HOME, because packages may be installed below it; the viewer, whose
    HOME is another, gets the answer as R_LIBS.
    """
    if rscript is None:
        return None
    command = [rscript, "--no-save", "--no-restore", "-e", _R_PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _own_page(folder: Path, notice: str) -> Launch:
    command = (sys.executable, "-I", str(page.__file__))
    return Launch(command, folder, "Python page", {"GITWF_NOTICE": notice})
