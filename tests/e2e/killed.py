"""Run gitwf and kill it, with SIGKILL, at one of the places where it touches the world.

    killed.py list ARGUMENTS…        run to the end, print each touch in order to the file $TOUCHES
    killed.py before:3 ARGUMENTS…    die just before the third touch
    killed.py after:3 ARGUMENTS…     die just after it

A touch is a call that changes something outside this process: a ledger entry, a commit, an upload,
a run begun, a rollout begun. With TOUCHED=cluster only what changes an object there is one; with
TOUCHED=argo a run begun is one on Argo.
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


def in_cluster() -> list[tuple[type, str]]:
    """What changes objects of a cluster; a dry apply is none of it."""
    from gitwf.adapters.kubernetes import connection

    patched = connection.Connection

    def apply(self: Any, manifest: Any, *, force: bool = False, dry_run: bool = False) -> Any:
        if dry_run:
            return dry(self, manifest, force=force, dry_run=True)
        return self.really(manifest, force=force)

    dry = patched.apply
    patched.really = lambda self, manifest, *, force: dry(self, manifest, force=force)  # type: ignore[attr-defined]
    patched.apply = apply  # type: ignore[method-assign]
    return [(patched, name) for name in ("really", "create", "merge", "delete")]


def on_argo() -> list[tuple[type, str]]:
    """The touches of a run on Argo, which is submitted by one create."""
    from gitwf.adapters.kubernetes import argo, connection

    others = [one for one in TOUCHES if one[0] not in {engine.LocalEngine, target.LocalTarget}]
    return [*others, (connection.Connection, "create"), (argo.ArgoEngine, "artifact")]


TOUCHED = {"": lambda: TOUCHES, "cluster": in_cluster, "argo": on_argo}


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
            # One that lost a race is done again, and that one counts.
            if when == "after" and count >= int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    for owner, name in TOUCHED[os.environ.get("TOUCHED", "")]():
        setattr(owner, name, touching(f"{owner.__name__}.{name}", getattr(owner, name)))
    cli.main(sys.argv[2:])


if __name__ == "__main__":
    main()
