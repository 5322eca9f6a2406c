"""Container engines: which one answers here, and how it is spoken to.

Podman and Docker are driven by their own commands, in the words that both know; what differs is in
one table, `_DIALECTS`. Everything that is made carries a label, so that what a killed gitwf left is
found by it and nothing else is ever touched. The rung that uses this is
`gitwf.adapters.local.container`.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitwf.errors import GitwfError, redact

NAMES = ("podman", "docker")
ANY = "container"
CHOICES = (ANY, *NAMES)
_ANSWER_SECONDS = 30.0
_REMOVAL_SECONDS = 60.0
_LOOK = 0.1


class Refused(GitwfError):
    """What the engine was asked for and did not do, in its own words."""


@dataclass(frozen=True)
class _Dialect:
    """In what one engine differs: flags of its own for each command."""

    create: tuple[str, ...] = ()
    copy: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


_DIALECTS = {
    # Podman hands the proxy variables of its caller on unless told not to; it follows links when
    # it copies; it asks a container to end before it removes it by force.
    "podman": _Dialect(create=("--http-proxy=false",), remove=("--time=0",)),
    "docker": _Dialect(copy=("--follow-link",)),
}


@dataclass(frozen=True)
class Image:
    """An image that is on this machine. `command` and `args` are its ENTRYPOINT and CMD."""

    id: str
    command: tuple[str, ...]
    args: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What the engine says of a container: whether it ever ran, still runs, how it ended."""

    status: str
    code: int
    out_of_memory: bool
    error: str

    @property
    def began(self) -> bool:
        """Whether its process was started."""
        return self.status not in {"created", "configured", "initialized"}

    @property
    def over(self) -> bool:
        """Whether its process has ended."""
        return self.status in {"exited", "stopped", "dead", "removing"}


@dataclass(frozen=True)
class Engine:
    """One engine. `program` is its command, `name` the dialect that it speaks."""

    name: str
    program: str

    @property
    def _dialect(self) -> _Dialect:
        return _DIALECTS[self.name]

    def command(self, *words: str) -> list[str]:
        """The command line of the engine for some words."""
        return [self.program, *words]

    def ask(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """Have something done; gives what the engine writes. Raises Refused with its words."""
        done = subprocess.run(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env={**os.environ, **(env or {})},
            check=False,
        )
        if done.returncode:
            raise Refused(said(done.stderr))
        return done.stdout.decode("utf-8", "replace").strip()

    def answers(self) -> bool:
        """Whether the engine is there and lets this user in."""
        try:
            done = subprocess.run(
                self.command("info"), capture_output=True, timeout=_ANSWER_SECONDS, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return False
        # Docker's command ends well in some versions where no daemon answers it.
        return done.returncode == 0 and b"Cannot connect" not in done.stderr

    def image(self, name: str) -> Image:
        """Look at an image of this machine. Raises Refused where it is not there."""
        told = self.ask("image", "inspect", "--format", "{{.Id}} {{json .Config}}", name)
        identity, _, text = told.partition(" ")
        config: dict[str, Any] = json.loads(text) or {}
        words = [tuple(config.get(key) or ()) for key in ("Entrypoint", "Cmd")]
        return Image(identity, *words)

    def create(
        self, label: str, image: Image, flags: Iterable[str], argv: tuple[str, ...],
        env: Mapping[str, str], file: Path,
    ) -> str:  # fmt: skip
        """Make a container that does not run yet; gives its id. Raises Refused.

        `file` is a name in a private folder, in use only while this works.
        """
        words, given = _variables(env, file)
        try:
            return self.ask(
                "create", f"--label={label}", "--log-driver=none", "--security-opt=label=disable",
                *self._dialect.create, *flags, *words, f"--entrypoint={argv[0]}", image.id,
                *argv[1:], env=given,
            ).splitlines()[-1]  # fmt: skip
        finally:
            file.unlink(missing_ok=True)

    def state(self, container: str) -> State:
        """Say how a container stands. Raises Refused where there is none."""
        told = json.loads(
            self.ask("container", "inspect", "--format", "{{json .State}}", container)
        )
        return State(
            status=told["Status"],
            code=int(told["ExitCode"]),
            out_of_memory=bool(told.get("OOMKilled")),
            error=told.get("Error") or "",
        )

    def copy(self, container: str, path: str, to: Path) -> None:
        """Copy what `path` leads to out of a container as `to`. Raises Refused."""
        self.ask("cp", *self._dialect.copy, f"{container}:{path}", str(to))

    def removal(self, *containers: str) -> list[str]:
        """The command line that ends containers at once, if they run, and removes them."""
        return self.command("rm", "--force", "--volumes", *self._dialect.remove, *containers)

    def remove_all(self, label: str) -> None:
        """Remove every container with a label. Raises Refused when some stay for long."""
        listing = ("ps", "--all", "--quiet", "--no-trunc", f"--filter=label={label}")
        patience = time.monotonic() + _REMOVAL_SECONDS
        while found := self.ask(*listing).split():
            try:
                self.ask(*self.removal(*found)[1:])
            except Refused:
                # Somebody else may be at it: a command that a killed gitwf left behind.
                if time.monotonic() > patience:
                    raise
                time.sleep(_LOOK)


def said(stderr: bytes) -> str:
    """Give what an engine complained about, without what it tells beside."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
    words = "; ".join(dict.fromkeys(errors)) or "it gave no reason"
    return redact(words.removeprefix("Error: ").removeprefix("Error response from daemon: "))


# Programs on this machine listen to these names; a step's values for them must not reach them.
_OURS = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "TMP", "TEMP", "TZ", "TZDIR",
    "IFS", "ENV", "LANG", "LANGUAGE", "LOCPATH", "HOSTALIASES", "LOCALDOMAIN", "NLSPATH",
    "NOTIFY_SOCKET", "INVOCATION_ID", "BASH_ENV",
})  # fmt: skip
_OUR_PREFIXES = (
    "LD_", "LC_", "GLIBC", "MALLOC", "GCONV", "RES_", "GO", "DOCKER", "BUILD", "MOBY", "CONTAINER",
    "PODMAN", "_", "REGISTRY", "STORAGE", "XDG", "DBUS", "SSL", "SSH", "LISTEN", "OTEL", "GRPC",
    "HTTP", "HTTPS", "ALL_PROXY", "NO_PROXY", "FTP", "COMPOSE", "SYSTEMD", "LIBPOD", "CONMON",
    "NETAVARK", "KUBE", "BUILDAH", "FUSE", "CNI", "DEBUG", "HELPER_BINARIES",
)  # fmt: skip


def _variables(env: Mapping[str, str], file: Path) -> tuple[list[str], dict[str, str]]:
    """Hand a step's variables over where no list of processes shows them.

    Most go into a file that only this user can read. The file's format has no quotes and no line
    ends, so values with such go by name through the engine command's own environment, unless that
    name means something to programs here: those alone stand on the command line.
    """
    lines: list[str] = []
    words: list[str] = []
    through: dict[str, str] = {}
    for name, value in env.items():
        if value == value.strip() and not set(value) & set("\n\r\"'\\#`$"):
            lines.append(f"{name}={value}")
        elif name in _OURS or name.upper().startswith(_OUR_PREFIXES):
            words.append(f"--env={name}={value}")
        else:
            words.append(f"--env={name}")
            through[name] = value
    if lines:
        file.touch(mode=0o600)
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        words.insert(0, f"--env-file={file}")
    return words, through


_found: dict[str, Engine] = {}


def find(wanted: str) -> Engine | None:
    """Give the first engine that answers, or None; `wanted` is `container` or an engine's name.

    One that answered is not asked again; one that did not may answer another time.
    """
    for name in NAMES if wanted == ANY else (wanted,):
        if name not in _found and (program := shutil.which(name)) is not None:
            program = os.path.abspath(program)  # noqa: PTH100 - a link keeps its name
            engine = Engine(_spoken(name, program), program)
            if engine.answers():
                _found[name] = engine
        if name in _found:
            return _found[name]
    return None


def _spoken(name: str, program: str) -> str:
    """Which dialect a command speaks: `docker` may be Podman under another name."""
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, timeout=_ANSWER_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return name
    return "podman" if told.lower().startswith(b"podman") else name
