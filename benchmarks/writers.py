"""Many writers at once on one remote: how long an entry of the ledger takes, and that none is lost.

Each writer is a thread with a cache of its own, as a reconciler on a machine of its own has one.
The remote is a folder, or with `--http` Git's own server behind HTTP, all on this machine. Goal: of
50 writers none is lost, and 99 of 100 entries are in within 10 seconds.

    python benchmarks/writers.py [--writers 50] [--each 1] [--http] [--json]
"""

import argparse
import concurrent.futures
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gitwf.adapters import clock
from gitwf.adapters.git import ledger, remote
from gitwf.testing import git_repository, git_server

GOAL_SECONDS = 10.0


@contextlib.contextmanager
def served(root: Path, *, http: bool) -> Iterator[tuple[str, git_repository.Repository]]:
    """Give the address of an empty remote, and the repository behind it."""
    if not http:
        made = git_repository.Repository.create(root / "remote.git")
        yield str(made.path), made
        return
    with git_server.GitServer(root) as server:
        made = server.create()
        yield server.url("remote.git"), made


def written(
    address: str, cache: Path, name: str, each: int, begin: threading.Barrier
) -> list[float]:
    """Append so many entries, one after the other; the seconds that each took."""
    book = ledger.GitLedger(remote.Remote(address, cache), clock.SystemClock())
    begin.wait()
    taken = []
    for number in range(each):
        path = f"versions/{name}/{number}.json"
        began = time.perf_counter()
        book.append(lambda _, path=path: {path: {"key": "0" * 64}}, f"Add {path}")
        taken.append(time.perf_counter() - began)
    return taken


def measured(writers: int, each: int, *, http: bool) -> dict[str, float]:
    """Have them all write; seconds, and how many entries are not there afterwards."""
    with tempfile.TemporaryDirectory() as place, served(Path(place), http=http) as (address, there):
        begin = threading.Barrier(writers)
        with concurrent.futures.ThreadPoolExecutor(writers) as pool:
            asked = [
                pool.submit(written, address, Path(place, f"cache-{one}"), f"m{one}", each, begin)
                for one in range(writers)
            ]
            taken = sorted(second for done in asked for second in done.result())
        kept = [name for name in there.names(branch=ledger.BRANCH) if name.startswith("versions/")]
    return {
        "entries": len(taken),
        "lost": len(taken) - len(kept),
        "median": statistics.median(taken),
        "p99": taken[min(len(taken) - 1, round(0.99 * len(taken)))],
        "longest": taken[-1],
    }


def main() -> None:
    """Measure and print; exit 1 where one was lost or the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.writers, given.each, http=given.http)
    if given.json:
        print(json.dumps(found))
    else:
        print(", ".join(f"{name} {value:g}" for name, value in found.items()))
    sys.exit(bool(found["lost"]) or found["p99"] > GOAL_SECONDS)


if __name__ == "__main__":
    main()
