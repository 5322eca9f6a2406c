# ruff: noqa: PTH103, PTH115, PTH120 - pathlib takes long to load
"""A small process that puts each step into a world of its own; Linux only.

Started once a run, as a plain script with nothing of gitwf in it. For each step it clones a child
into fresh mount, process and IPC namespaces (and a user namespace where it is not root). The child
builds the step's view by the mount operations it was given, makes it its root, runs the step, and
is process 1 of that world: when it ends, everything the step left running is gone. Then it copies
the declared outputs out through a directory that it holds open and writes one line of JSON.

Most of a view is the same for all steps of a run and takes longer to build than a short step runs.
So a child is made ahead: it builds that part, then takes the next request from the socket that all
share, and the launcher makes another. One that nobody asks for within `_FRESH` seconds goes away
with what it shows of the machine, and the next is made when it is asked for.

A message is a length and JSON. The first one says what the steps of the run have in common; each
other one asks for a step and brings four open files (report, output folder, standard output,
standard error). When the socket closes, all children die with this process. It decides nothing:
`gitwf.adapters.local.sandbox` says what the view is.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any

if __name__ != "__main__":
    from gitwf.adapters.local import again, copying, programs, views
else:
    sys.path.append(os.path.dirname(__file__))
    import again  # type: ignore[import-not-found,no-redef]
    import copying  # type: ignore[import-not-found,no-redef]  # found beside this file
    import programs  # type: ignore[import-not-found,no-redef]
    import views  # type: ignore[import-not-found,no-redef]

_FRESH = 1.0  # Seconds that a view which was built ahead may wait for its step.
_TAKEN = b"!"
_TERMINATION_LOG = "/dev/termination-log"  # As Kubernetes names it, and cuts it off.
_LONGEST_MESSAGE = 4096


def _run(spec: dict[str, Any], stdout: int, stderr: int) -> dict[str, Any]:
    """Run the step to its end in the view that is root now; says how it ended."""
    os.makedirs(spec["cwd"], exist_ok=True)
    os.chdir(spec["cwd"])
    try:
        program = programs.find_program(spec["argv"][0], spec["env"].get("PATH", ""))
    except LookupError as error:
        return {"code": 64, "refused": f"failed to find name in PATH: {error}"}
    try:
        code = again.repeat(
            lambda: _attempt(program, spec, stdout, stderr), spec["attempts"], spec["pause"]
        )
    except OSError as error:
        if programs.exhausted(error):
            raise
        return {"code": 64, "refused": programs.unstartable(program, error)}
    os.close(stdout)
    os.close(stderr)
    return {"code": code}


def _attempt(program: str, spec: dict[str, Any], stdout: int, stderr: int) -> tuple[int, bool]:
    """Run the program once, and end what it leaves running; see `again.repeat`."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    ]
    # As Argo's emissary does, the program is told the path that it was found at.
    main = os.posix_spawn(
        program, [program, *spec["argv"][1:]], spec["env"], file_actions=actions, setsid=True,
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )  # fmt: skip

    asked = False

    def forward(number: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(main, number)

    signal.signal(signal.SIGTERM, forward)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == main:
            break
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code, asked


def _message() -> str:
    """Read why the step failed, where it said so."""
    try:
        # Whatever the step has put there: a pipe must not hold this up, a link leads nowhere.
        log = os.open(_TERMINATION_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        return os.read(log, _LONGEST_MESSAGE).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(log)


class _Child:
    """What a child is told, and tells: the request it takes, and the answer to it."""

    def __init__(self, requests: socket.socket, world: dict[str, Any]) -> None:
        self._requests = requests
        self._world = world
        self._broken = ""

    def serve(self, taken: int, ids: tuple[int, int]) -> None:
        """Build a view, wait for a step, run it.

        `taken` is written to when there is one, and closed when it stands in its world.
        """
        # As the machine sees it: the /proc that is here still is the machine's.
        pid = int(os.readlink("/proc/self"))
        view = self._build(ids)
        if not select.select([self._requests], [], [], _FRESH)[0]:
            return
        received = receive(self._requests)
        if received is None:
            return
        self._requests.close()
        os.write(taken, _TAKEN)
        spec, (report, outputs, stdout, stderr) = received
        os.write(report, json.dumps({"pid": pid}).encode() + b"\n")
        answer: dict[str, Any] = {"broken": self._broken}
        if view is not None:
            try:
                for operation in spec["view"]:
                    view.apply(operation)
                view.enter()
                os.close(taken)
                answer = _run(spec, stdout, stderr)
                answer["message"] = _message() if answer["code"] else ""
                answer["outputs"] = copying.collect(spec["outputs"], outputs)
            except programs.MISPLACED as error:
                answer = programs.not_started(error, view.root)
            except OSError as error:
                answer = {"broken": _said(error)}
        os.write(report, json.dumps(answer).encode() + b"\n")

    def _build(self, ids: tuple[int, int]) -> "views.View | None":
        user = self._world["user"]
        try:
            if user:
                views.own_users(*ids)
            view = views.View(self._world["scratch"], ",userxattr" if user else "")
            for operation in self._world["view"]:
                view.apply(operation)
            views.limit_root()
        except OSError as error:
            self._broken = _said(error)
            return None
        return view


def _said(error: OSError) -> str:
    return f"{error.strerror}: {error.filename}"


def receive(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Take one message and its open files; None where the socket has closed."""
    head, fds, _, _ = socket.recv_fds(requests, 4, 4)
    if not head:
        return None
    (length,) = struct.unpack("!I", head)
    body = b""
    while len(body) < length:
        body += requests.recv(length - len(body))
    for fd in fds:
        os.set_inheritable(fd, False)
    return json.loads(body), list(fds)


def _wanted(requests: socket.socket) -> bool:
    """Wait until a step is asked for; False when none ever will be."""
    select.select([requests], [], [])
    return bool(requests.recv(1, socket.MSG_PEEK))


def _refuse(requests: socket.socket, error: OSError) -> bool:
    """Answer the next step that no child could be made for it; False when none is asked for."""
    received = receive(requests)
    if received is None:
        return False
    for fd in reversed(received[1]):
        if fd == received[1][0]:
            os.write(fd, json.dumps({"broken": str(error)}).encode() + b"\n")
        os.close(fd)
    return True


def _serve_one(requests: socket.socket, world: dict[str, Any], ids: tuple[int, int]) -> bool:
    """Make a child and wait until it has taken a step or gone; False when all is over."""
    reader, writer = os.pipe()
    try:
        pid = views.clone(user=world["user"])
    except OSError as error:
        os.close(reader)
        os.close(writer)
        return _refuse(requests, error)
    if pid == 0:
        os.close(reader)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _Child(requests, world).serve(writer, ids)
        os._exit(0)
    os.close(writer)
    taken = os.read(reader, 1)
    if taken:
        # To build beside a step that is entering its world would slow both: mounts wait for mounts.
        select.select([requests.fileno(), reader], [], [])
    os.close(reader)
    return bool(taken) or _wanted(requests)


def main() -> None:
    """Serve the socket given as file 0 until it closes."""
    requests = socket.socket(fileno=0)
    # Children are reaped by nobody: their end shows by the report pipe closing.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ids = os.getuid(), os.getgid()
    first = receive(requests)
    if first is not None:
        while _serve_one(requests, first[0], ids):
            pass


if __name__ == "__main__":
    main()
