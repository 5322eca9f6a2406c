"""Python environments for a pipeline's requirements.txt, built once and kept by content.

An environment is named by the digest of the requirements and of the interpreter it stands on, so
that a change of either makes another and nothing is ever updated in place. Only a finished one has
its mark; a half-built one is thrown away. pip is used as the machine has it configured.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import filelock

from gitwf.adapters.local import environment
from gitwf.errors import Transient, redact

_TAIL = 15


def build(requirements: str, venvs: Path) -> Path:
    """Give the environment's folder, building it when it is not there. Raises Transient."""
    content = f"{sys.version}\0{sys.base_prefix}\0{requirements}".encode()
    place = venvs / hashlib.sha256(content).hexdigest()[:32]
    mark = place / "complete"
    if mark.exists():
        return place
    venvs.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock")):
        if not mark.exists():
            shutil.rmtree(place, ignore_errors=True)
            _make(place, requirements)
            mark.touch()
    return place


def _make(place: Path, requirements: str) -> None:
    log = place.with_suffix(".log")
    wanted = place / "requirements.txt"
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    python = str(base) if base.exists() else sys.executable
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    with log.open("wb") as output:
        _call([python, "-m", "venv", str(place)], output.fileno(), log)
        wanted.write_text(requirements, "utf-8")
        _call([*pip, "--no-input", "-r", str(wanted)], output.fileno(), log)


def _call(command: list[str], output: int, log: Path) -> None:
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        lines = log.read_text("utf-8", "replace").splitlines()[-_TAIL:]
        message = redact("the requirements could not be installed:\n" + "\n".join(lines))
        hint = f"the whole output is in {log}"
        raise Transient(message, hint=hint, retry_after=10.0) from error


def search_path(place: Path | None, search: str) -> str:
    """The steps' PATH with the environment, if any, before everything else."""
    search = search or environment.host_path()
    return search if place is None else f"{place / 'bin'}:{search}"
