"""The highest rung: each step in a container of its image, by Podman or Docker.

A thread per step has the engine do one thing after the other: fetch the image where it must, make
the container, run it attached to the step's log, look how it ended, copy the outputs out, remove
it. What the step is given is mounted; outputs are copied by the engine, so that they may lie
anywhere and no link leads out of the container. Containers carry their run's label: `clear` removes
what a killed gitwf left of a run, and never anything else. None is ever privileged.
"""

import contextlib
import dataclasses
import hashlib
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from gitwf.adapters.local import artifacts, box, engines, environment, fetching, scratch
from gitwf.errors import Stalled

_ENGINE = "engine"  # The file of a run that names the engine which may hold its containers.
_TERMINATED, _KILLED, _NOT_STARTED = 143, 137, 64
_NOT_FOUND = re.compile(
    r'exec: "(?P<name>[^"]+)": (?P<why>executable file not found in \$PATH'
    r"|stat [^:]+: no such file or directory|permission denied|is a directory)"
    r"|executable file `(?P<other>[^`]+)` not found"
)
_NO_FOLDER = re.compile(r'workdir "[^"]*" does not exist')
_ABSENT = re.compile(r"no such file or directory|could not find|could not be found", re.IGNORECASE)


class Step:
    """A step under way in a container; see `box.Running`."""

    pid = 0  # Found by its label, not by a number.

    def __init__(self, rung: "Containers", given: box.Box, work: Path, out: int, err: int) -> None:
        self._engine = rung.engine
        self._rung = rung
        self._box = given
        self._work = work
        self._files = os.dup(out), os.dup(err)
        self._fd, self._done = os.pipe()
        self._ended: box.Ended | None = None
        self._lock = threading.Lock()
        self._container = ""
        self._begun = False
        self._wanted = threading.Event()
        self._out_of_memory = False
        self._calls: list[subprocess.Popen[bytes]] = []
        self.thread = threading.Thread(target=self._run, name=f"container in {work}", daemon=True)
        self.thread.start()

    def fileno(self) -> int:
        """Readable once the container has ended and its outputs are here."""
        return self._fd

    def poll(self) -> box.Ended | None:
        """How it ended, once it has."""
        return self._ended

    def stop(self, *, kill: bool) -> None:
        """Signal process 1 of the container; to kill is to remove it, whatever it does."""
        with self._lock:
            self._wanted.set()
            if not self._begun:
                # Only fetching an image takes long before a container runs.
                for call in self._calls:
                    call.terminate()
            elif self._ended is None and kill:
                self._call(*self._engine.removal(self._container))
            elif self._ended is None:
                self._call(*self._engine.command("kill", "--signal=TERM", self._container))

    def _call(self, *command: str) -> None:
        quiet = subprocess.DEVNULL
        self._calls.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))

    def close(self) -> None:
        """Close the file that tells the end."""
        os.close(self._fd)
        for call in self._calls:
            call.wait()

    def _fetch(self, image: str) -> None:
        """Pull an image, until it is here or the step is stopped. Raises Refused."""
        with self._lock:
            if self._wanted.is_set():
                raise engines.Refused("the step was stopped")
            pull = subprocess.Popen(
                self._engine.command("pull", image), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            self._calls.append(pull)
        _, words = pull.communicate()
        if pull.returncode:
            raise engines.Refused(engines.said(words))

    def _run(self) -> None:
        ended = box.Ended(broken="the thread of its container ended")
        try:
            ended = self._through()
        except environment.Unavailable as error:
            ended = box.Ended(unavailable=str(error))
        except engines.Refused as error:
            if self._engine.answers():
                ended = box.Ended(unavailable=f"{self._engine.name}: {error}")
            else:
                ended = box.Ended(broken=f"{self._engine.name} does not answer: {error}")
        except OSError as error:
            ended = box.Ended(broken=str(error))
        finally:
            for file in self._files:
                os.close(file)
            with self._lock:
                self._ended = ended
            os.close(self._done)
            # Nobody waits for this but the end of the run.
            self._remove()

    def _remove(self) -> None:
        if self._container:
            with contextlib.suppress(engines.Refused):
                self._engine.ask(*self._engine.removal(self._container)[1:])

    def _through(self) -> box.Ended:
        wanted = self._box.image
        if wanted is None:
            raise environment.Unavailable("it names no image")
        image = self._rung.images.get(wanted, self._fetch)
        argv = _argv(self._box, wanted, image)
        mounts = tuple(_ready(self._box.mounts, self._work))
        for folder in ("", self._box.cwd):
            # Podman makes no working folder: an empty one is put there where the image has none.
            extra = (_folder(self._work / "cwd", folder),) if folder else ()
            self._make(image, argv, (*mounts, *extra))
            if wanted.idle:
                return box.Ended(code=0, missing=tuple(self._collect()))
            code, words = self._attempt()
            if not _NO_FOLDER.search(words):
                break
            self._remove()
        return self._outcome(code, words)

    def _make(
        self, image: engines.Image, argv: tuple[str, ...], mounts: tuple[box.Mount, ...]
    ) -> None:
        flags = [_mount(one) for one in mounts]
        if self._box.cwd:
            flags.append(f"--workdir={self._box.cwd}")
        wanted = self._box.image
        if wanted is not None and wanted.memory:
            flags.append(f"--memory={wanted.memory}b")
        if wanted is not None and wanted.cpus:
            flags.append(f"--cpus={wanted.cpus:g}")
        label = self._rung.label
        place = self._work / "variables"
        self._container = self._engine.create(label, image, flags, argv, self._box.env, place)

    def _attempt(self) -> tuple[int, str]:
        """Run the container, and again in its own files while it fails, as often as it may."""
        code, words = self._attach()
        for _ in range(1, self._box.attempts):
            if code == 0 or words or self._wanted.wait(self._box.pause):
                break
            code, words = self._attach()
        return code, words

    def _attach(self) -> tuple[int, str]:
        """Run the container until it ends; gives the code and what the engine said instead."""
        out, err = self._files
        before = os.fstat(err).st_size
        with self._lock:
            if self._wanted.is_set():
                return _TERMINATED, ""
            self._begun = True
            # Podman's monitor leaves a file where it is started when memory ran out.
            started = subprocess.Popen(
                self._engine.command("start", "--attach", self._container), cwd=self._work,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        started.wait()
        try:
            state = self._engine.state(self._container)
            while state.began and not state.over:
                # The command that was attached is gone, the container is not.
                self._engine.ask("wait", self._container)
                state = self._engine.state(self._container)
        except engines.Refused:
            if self._wanted.is_set():
                return _KILLED, ""
            raise
        self._out_of_memory = state.out_of_memory or (self._work / "oom").exists()
        if state.began:
            return state.code, ""
        # What the engine said of it stands where the step would have written.
        words = os.pread(err, 1 << 16, before)
        os.ftruncate(err, before)
        return _NOT_STARTED, engines.said(words)

    def _outcome(self, code: int, words: str) -> box.Ended:
        if words:
            found = _NOT_FOUND.search(words)
            if found is None:
                raise engines.Refused(words)
            return box.Ended(code=code, refused=f"failed to find name in PATH: {_told(found)}")
        if self._wanted.is_set():
            return box.Ended(code=code)
        reason = "OOMKilled" if self._out_of_memory else "Error"
        return box.Ended(code=code, reason=reason, missing=tuple(self._collect()))

    def _collect(self) -> Iterator[str | None]:
        folder = self._work / scratch.OUTPUTS
        folder.mkdir(exist_ok=True)
        for number, path in enumerate(self._box.outputs):
            to = folder / str(number)
            try:
                self._engine.copy(self._container, path, to)
                yield _plain(to)
            except engines.Refused as error:
                absent = _ABSENT.search(str(error))
                yield "no such file or directory" if absent else str(error)


def _argv(given: box.Box, wanted: box.Image, image: engines.Image) -> tuple[str, ...]:
    """Work out the whole command as Argo does (Argo: workflow/controller/entrypoint)."""
    own = image.command if wanted.own_command else ()
    argv = (*own, *(image.args if wanted.own_args else ()), *given.argv)
    if not argv:
        message = f"the image {wanted.name!r} has no command of its own"
        raise environment.Unavailable(message, hint="write it down as `command`")
    return argv


def _told(found: re.Match[str]) -> str:
    """Say why a program cannot be started as Go's exec.LookPath does."""
    if (other := found["other"]) is None:
        return f'exec: "{found["name"]}": {found["why"]}'
    why = f"stat {other}: no such file or directory" if "/" in other else ""
    return f'exec: "{other}": {why or "executable file not found in $PATH"}'


def _folder(place: Path, path: str) -> box.Mount:
    place.mkdir(exist_ok=True)
    place.chmod(0o777)
    return box.Mount(path, place, box.Kind.OWN)


def _ready(mounts: tuple[box.Mount, ...], work: Path) -> Iterator[box.Mount]:
    """Make each source one that any user of the container can use, as a cluster's volumes are."""
    for number, mount in enumerate(sorted(mounts, key=lambda one: one.path)):
        one = mount
        if mount.kind is box.Kind.LAYER:
            # An overlay over a folder of the host is not to be had of every engine.
            own = work / "layers" / str(number)
            own.parent.mkdir(exist_ok=True)
            artifacts.copy(mount.source, own)
            one = dataclasses.replace(mount, source=own, kind=box.Kind.OWN)
        if one.kind in (box.Kind.SHARED, box.Kind.OWN) and one.source.is_dir():
            with contextlib.suppress(PermissionError):
                one.source.chmod(0o777)
        yield one


def _mount(mount: box.Mount) -> str:
    fields = ["type=bind", f"source={mount.source}", f"target={mount.path}"]
    if mount.kind is box.Kind.READ:
        fields.append("readonly")
    quoted = [f'"{one}"' if set(one) & set(',"') else one for one in fields]
    return "--mount=" + ",".join(quoted)


def _plain(made: Path) -> str | None:
    """Leave only files, folders and links of what was copied; says why if that is nothing."""
    if made.is_symlink() or not (made.is_file() or made.is_dir()):
        made.unlink(missing_ok=True)
        return "neither a file nor a folder"
    for root, _, names in os.walk(made):
        for path in (Path(root, name) for name in names):
            if not path.is_symlink() and not path.is_file():
                path.unlink()
    return None


class Containers:
    """Rungs `container`, `podman` and `docker`."""

    def __init__(self, run: Path, name: str) -> None:
        found = engines.find(name)
        if found is None:
            raise Stalled(f"no container engine answers as {name!r}")
        self.name = name
        self.engine = found
        self.images = fetching.Images(found)
        self.label = label_of(run)
        self._run = run
        self._steps: list[Step] = []
        run.mkdir(parents=True, exist_ok=True)
        (run / _ENGINE).write_text(Path(found.program).name, "utf-8")

    def start(self, given: box.Box, work: Path, stdout: int, stderr: int) -> box.Running:
        """Have a container made and started; returns at once."""
        self._steps = [one for one in self._steps if one.thread.is_alive()]
        step = Step(self, given, work, stdout, stderr)
        self._steps.append(step)
        return step

    def close(self) -> None:
        """Remove every container of the run."""
        for one in self._steps:
            one.thread.join()
        clear(self._run)


def label_of(run: Path) -> str:
    """The label of a run's containers: of this very folder, whatever the run is called."""
    return "gitwf.run=" + hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:32]


def clear(run: Path) -> None:
    """Remove the containers that a run left with the engine that it used. Raises Stalled."""
    file = run / _ENGINE
    if not file.exists():
        return
    name = file.read_text("utf-8")
    engine = engines.find(name)
    if engine is None:
        hint = f"start it, or remove {file} if the containers of this run are gone"
        raise Stalled(f"{name} holds containers of this run and does not answer", hint=hint)
    engine.remove_all(label_of(run))
    file.unlink()
