"""`--local`: the whole loop on this checkout's commit, in a world that is thrown away.

The checkout's commit is put into a bare repository in a temporary folder, which then is the remote:
the ledger, release commits and a folder store live there and nothing is pushed anywhere. Only the
viewer's front stays up afterwards, since looking at it is what this is for.
"""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gitwf import errors
from gitwf.adapters.git import checkout
from gitwf.wiring import settings as all_settings


@contextlib.contextmanager
def settings(chosen: all_settings.Settings) -> Iterator[all_settings.Settings]:
    """Settings that name a throw-away remote holding the checkout's commit."""
    found = checkout.find(Path.cwd())
    if found is None or found.commit is None:
        raise errors.Stalled(
            "--local works on a checkout with a commit", hint="run it inside one; commit first"
        )
    with tempfile.TemporaryDirectory(prefix="gitwf-local-") as folder:
        remote = Path(folder) / "remote.git"
        checkout.copy(found, remote, branch="main")
        yield dataclasses.replace(
            chosen,
            remote=str(remote),
            branch="main",
            state=chosen.state or str(Path(folder) / "state"),
        )
