"""Run gitwf and kill it, with SIGKILL, at one of the places where it touches the world.

    killed.py list ARGUMENTS…        run to the end, print each touch in order to the file $TOUCHES
    killed.py before:3 ARGUMENTS…    die just before the third touch
    killed.py after:3 ARGUMENTS…     die just after it

A touch is a call that changes something outside this process: a ledger entry, a commit, an upload,
a run begun, a rollout begun.
"""

import functools
import os
import pathlib
import signal
import sys
from collections.abc import Callable
from typing import Any

from gitwf import cli
from gitwf.adapters import store
from gitwf.adapters.git import ledger, repo
from gitwf.adapters.local import engine
from gitwf.adapters.viewer import target

TOUCHES: list[tuple[type, str]] = [
    (ledger.GitLedger, "append"),
    (repo.GitRepo, "publish"),
    (store.ObjectStore, "put"),
    (engine.LocalEngine, "start"),
    (engine.LocalEngine, "artifact"),
    (target.LocalTarget, "apply"),
]


def main() -> None:
    """Patch every touch, then be gitwf."""
    when, _, number = sys.argv[1].partition(":")
    count = 0

    def touching(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            mine = str(count) == number
            if when == "list":
                with pathlib.Path(os.environ["TOUCHES"]).open("a", encoding="utf-8") as file:
                    file.write(name + "\n")
            if mine and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **named)
            if mine and when == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    for owner, name in TOUCHES:
        setattr(owner, name, touching(f"{owner.__name__}.{name}", getattr(owner, name)))
    cli.main(sys.argv[2:])


if __name__ == "__main__":
    main()
