"""The other end of `/-/gitwf`: find a front, ask it, start one, end it.

Every call is one short HTTP exchange on loopback; proxies named in the environment are not used.
Nothing is remembered between calls. A port that answers with something else than our front is not
ours: for a fixed port that is an error with the port in it, for a derived one the next is asked.
"""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gitwf.adapters.viewer import launch, settings
from gitwf.errors import Stalled, Transient

PATH = "/-/gitwf"
_ANSWER_SECONDS = 30.0
_START_SECONDS = 120.0
_DOWN_SECONDS = 120.0

State = dict[str, Any]


def find(own: settings.FrontSettings) -> State | None:
    """What the environment's front answers, or None when there is no front.

    The answer's keys are those of `GET /-/gitwf`, and `port`.
    """
    return next(_among(own, own.ports()), None)


def others(own: settings.FrontSettings) -> list[State]:
    """What fronts of the same environment answer at ports that its settings no longer name."""
    return list(_among(own, own.earlier_ports()))


def _among(own: settings.FrontSettings, ports: Iterable[int]) -> Iterator[State]:
    for port in ports:
        state = _ask(own, port, "GET", PATH)[1]
        if state.get("identity") == own.identity:
            yield {**state, "port": port}


def start(own: settings.FrontSettings) -> State:
    """Start a detached front and return what it answers. Stalled when it does not come up."""
    log = own.home / "front.log"
    command = [sys.executable, "-m", "gitwf.adapters.viewer.front", own.dump()]
    try:
        own.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as errors, contextlib.suppress(subprocess.TimeoutExpired):
            # Standard output closes when the front listens, or when it has ended.
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                env=launch.front_environment(), check=False, timeout=_START_SECONDS,
            )  # fmt: skip
    except OSError as error:
        raise Stalled(f"the front of {own.environment} cannot start: {error}") from error
    state = find(own)
    if state is None:
        raise Stalled(f"the front of {own.environment} did not start: {_written(log, before)}")
    return state


def _written(log: Path, before: int) -> str:
    """What a front wrote since its log had `before` bytes, the end of it."""
    try:
        said = log.read_bytes()[before:].decode("utf-8", "replace")
    except OSError:
        said = ""
    return said.strip()[-2000:] or "it gave no reason"


def post(own: settings.FrontSettings, state: State, what: str, body: object) -> tuple[int, State]:
    """Ask the front to `apply`, `retire` or go `down`. Transient when it does not answer."""
    try:
        token = own.token_file(state["port"]).read_text("ascii").strip()
    except OSError as error:
        raise Stalled(
            f"the token of the front of {own.environment} cannot be read: {error.strerror}",
            hint="the front belongs to another user; act as that user",
        ) from error
    status, answer = _ask(own, state["port"], "POST", f"{PATH}/{what}", body, token)
    if status in {0, 503}:
        raise Transient(f"the front of {own.environment} is ending")
    return status, answer


def down(own: settings.FrontSettings) -> bool:
    """Stop the front at whatever port, and its viewers; remove its folder; say if there was one."""
    found = list(_among(own, (*own.ports(), *own.earlier_ports())))
    for state in found:
        status, answer = post(own, state, "down", {})
        if status != http.client.OK:
            raise Stalled(f"the front of {own.environment} did not stop: {answer.get('error')}")
        _await_end(own, state["port"])
    shutil.rmtree(own.home, ignore_errors=True)
    return bool(found)


def url(own: settings.FrontSettings) -> str | None:
    """Where people open the viewer, be it at an earlier port; None when there is no front."""
    state = find(own) or next(iter(others(own)), None)
    return state["url"] if state else None


def _await_end(own: settings.FrontSettings, port: int) -> None:
    deadline = time.monotonic() + _DOWN_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((own.reached_at(), port)) != 0:
                return
        time.sleep(0.05)
    raise Stalled(f"the front of {own.environment} has not ended after {_DOWN_SECONDS:g} s")


def _ask(
    own: settings.FrontSettings,
    port: int,
    method: str,
    path: str,
    body: object = None,
    token: str = "",
) -> tuple[int, State]:
    """One exchange: status and JSON object; (0, {}) when nobody, or a stranger, answers."""
    connection = http.client.HTTPConnection(own.reached_at(), port, timeout=_ANSWER_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = None if body is None else json.dumps(body)
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        answer = json.loads(response.read(4 * 1024 * 1024))
    except TimeoutError as error:
        # Never taken for absent: a second front beside one that is slow would serve another model.
        raise Transient(
            f"port {port} of the front of {own.environment} takes connections and does not answer",
            hint="the machine is very busy, or another program has the port",
        ) from error
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()
    return (response.status, answer) if isinstance(answer, dict) else (0, {})
