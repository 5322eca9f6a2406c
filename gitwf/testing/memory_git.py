"""A remote in memory, with the branch and the ledger on it: the same laws, no Git and no disk.

Object ids are the ones that Git itself would give, so that a run key computed here equals the one
computed on a real repository. What a test needs of a world that misbehaves is on `MemoryRemote`:
a person who commits or force-pushes, somebody who wins a race just before a swap, a connection
that is cut after the push was applied. A remote can be copied, which is what exploring
many interleavings takes.
"""

import dataclasses
import hashlib
import json
import posixpath
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gitwf import ports
from gitwf.delivery import entry
from gitwf.delivery.facts import Facts
from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.testing.clock import NOON
from gitwf.values import CommitId, Instant, ObjectId, inside

LEDGER = "gitwf/ledger"
Files = Mapping[str, bytes]


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One commit and the files that it holds."""

    commit: ports.Commit
    files: Files


class MemoryRemote:
    """Branches and commits. `before_swap` is called with a branch's name just before it moves.

    The next `cut_after` swaps are applied and raise Transient all the same, as when the connection
    is cut and stays so. `declined` holds the words with which every push is declined.
    """

    def __init__(self) -> None:
        self.snapshots: dict[CommitId, Snapshot] = {}
        self.branches: dict[str, CommitId] = {}
        self.beats: dict[str, str] = {}
        self.before_swap: Callable[[str], None] = lambda _: None
        self.cut_after = 0
        self.declined: str | None = None
        self._guard = threading.RLock()

    def __str__(self) -> str:
        return "the remote in memory"

    def copy(self) -> "MemoryRemote":
        """A remote in the same state that goes its own way from here."""
        twin = MemoryRemote()
        twin.snapshots = dict(self.snapshots)
        twin.branches = dict(self.branches)
        twin.beats = dict(self.beats)
        return twin

    def commit(
        self,
        edits: Mapping[str, bytes | None],
        message: str = "Edit\n",
        *,
        branch: str = "main",
        author: str = "Ada <ada@example.org>",
        time: Instant = NOON,
    ) -> CommitId:
        """Commit as a person does, on top of whatever is there."""
        with self._guard:
            parent = self.branches.get(branch)
            made = self.make(parent, edits, message, author=author, time=time)
            self.branches[branch] = made
            return made

    def force(self, commit: CommitId | None, *, branch: str = "main") -> None:
        """Force-push a branch; None deletes it."""
        with self._guard:
            self.branches.pop(branch, None)
            if commit is not None:
                self.branches[branch] = commit

    def make(
        self,
        parent: CommitId | None,
        edits: Mapping[str, bytes | None],
        message: str,
        *,
        author: str,
        time: Instant,
    ) -> CommitId:
        """Make a commit; no branch moves."""
        files = dict(self.snapshot(parent).files) if parent is not None else {}
        for path, content in edits.items():
            _edit(files, inside(path), content)
        tree = _tree_id(files, "")
        parents = (parent,) if parent is not None else ()
        seconds = int(time.seconds)
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        lines += [f"author {author} {seconds} +0000", f"committer {author} {seconds} +0000"]
        made = CommitId(_object_id("commit", ("\n".join(lines) + f"\n\n{message}").encode()))
        at = Instant.of_seconds(seconds)
        commit = ports.Commit(made, parents, tree, author, at, message)
        self.snapshots[made] = Snapshot(commit, files)
        return made

    def snapshot(self, commit: CommitId) -> Snapshot:
        """Look a commit up. Stalled when there is none."""
        try:
            return self.snapshots[commit]
        except KeyError:
            raise Stalled(f"the remote does not hold the commit {commit}") from None

    def swap(self, branch: str, expected: CommitId | None, new: CommitId) -> None:
        """Move a branch from `expected` to `new`. RaceLost; Stalled when it is declined."""
        self.before_swap(branch)
        with self._guard:
            now = self.branches.get(branch)
            if now != expected:
                raise RaceLost(f"{branch} is at {now}, no longer at {expected}")
            if self.declined is not None:
                raise Stalled(f"the remote declined the push: {self.declined}")
            self.branches[branch] = new
            if self.cut_after:
                self.cut_after -= 1
                raise Transient("the connection was cut before the remote answered")

    def contains(self, tip: CommitId | None, commit: CommitId) -> bool:
        """Whether `commit` is in the history of `tip`."""
        while tip is not None and tip != commit:
            parents = self.snapshot(tip).commit.parents
            tip = parents[0] if parents else None
        return tip is not None


class MemoryRepo:
    """A branch of a MemoryRemote: implements `gitwf.ports.Repo`."""

    def __init__(self, remote: MemoryRemote, branch: str, clock: ports.Clock) -> None:
        self.remote = remote
        self.branch = branch
        self._clock = clock

    def __str__(self) -> str:
        return f"the branch {self.branch}"

    def branches(self) -> list[str]:
        """The names of the remote's branches."""
        return sorted(self.remote.branches)

    def head(self) -> CommitId | None:
        """What the branch is at."""
        return self.remote.branches.get(self.branch)

    def object_id(self, commit: CommitId, path: str) -> ObjectId | None:
        """The id that Git gives the file or folder at `path`."""
        files = self.remote.snapshot(commit).files
        path = inside(path)
        if path in files:
            return ObjectId(_object_id("blob", files[path]))
        under = "" if path == "." else f"{path}/"
        below = any(name.startswith(under) for name in files)
        return _tree_id(files, under) if below or path == "." else None

    def read(self, commit: CommitId, path: str) -> bytes | None:
        """The content of the file at `path`."""
        return self.remote.snapshot(commit).files.get(inside(path))

    def files(self, commit: CommitId, under: str = ".") -> Iterator[tuple[str, ObjectId]]:
        """Every file at or below `under`, in path order."""
        found = self._below(commit, under)
        return iter([(path, ObjectId(_object_id("blob", content))) for path, content in found])

    def history(self, tip: CommitId) -> Iterator[ports.Commit]:
        """First parents from `tip` back."""
        following: CommitId | None = tip
        while following is not None:
            commit = self.remote.snapshot(following).commit
            yield commit
            following = commit.parents[0] if commit.parents else None

    def export(self, commit: CommitId, paths: Iterable[str], to: Path) -> None:
        """Write the files at or below `paths` into the folder `to`."""
        for under in paths:
            for path, content in self._below(commit, under):
                (to / path).parent.mkdir(parents=True, exist_ok=True)
                (to / path).write_bytes(content)

    def publish(
        self,
        expected: CommitId | None,
        edits: Mapping[str, bytes | None],
        message: str,
        *,
        branch: str | None = None,
    ) -> CommitId:
        """Commit on top of `expected` and compare-and-swap the branch."""
        new = self.remote.make(expected, edits, message, author=_GITWF, time=self._clock.now())
        self.remote.swap(branch or self.branch, expected, new)
        return new

    def _below(self, commit: CommitId, under: str) -> list[tuple[str, bytes]]:
        files = self.remote.snapshot(commit).files
        under = inside(under)
        return [
            (path, files[path])
            for path in sorted(files)
            if under in (".", path) or path.startswith(f"{under}/")
        ]


class MemoryLedger:
    """The ledger of a MemoryRemote: implements `gitwf.ports.Ledger`."""

    def __init__(self, remote: MemoryRemote, clock: ports.Clock) -> None:
        self._remote = remote
        self._clock = clock
        self._seen = Facts(None, {})

    def facts(self) -> Facts:
        """The facts at the tip; Stalled when it lacks what was seen before."""
        tip, seen = self._remote.branches.get(LEDGER), self._seen
        if seen.commit is not None and not self._remote.contains(tip, seen.commit):
            raise Stalled(f"the ledger on {LEDGER} no longer contains {seen.commit}")
        found = self._at(tip)
        for path, body in seen.entries.items():
            if found.entries.get(path) != body:
                raise Stalled(f"{path} on {LEDGER} was changed or deleted")
        self._seen = found
        return found.checked()

    def append(self, decide: ports.Decide, message: str) -> Facts:
        """Add what `decide` returns for the facts at the tip; see `ports.Ledger`."""
        while True:
            now = self.facts()
            additions = decide(now)
            if not additions:
                return now
            taken = sorted(path for path in additions if path in now.entries)
            if taken:
                raise RaceLost(f"the ledger already holds {', '.join(taken)}")
            new = self._commit(now, additions, message)
            try:
                self._remote.swap(LEDGER, now.commit, new)
            except RaceLost:
                self._clock.wait(0)
                continue
            return self.facts()

    def contains(self, commit: CommitId) -> bool:
        """Whether the ledger's history holds this ledger commit."""
        return self._remote.contains(self.facts().commit, commit)

    def beat(self, key: str) -> None:
        """Move the heartbeat ref."""
        self._remote.beats[key] = uuid.uuid4().hex

    def heartbeat(self, key: str) -> str | None:
        """The value of the heartbeat ref now."""
        return self._remote.beats.get(key)

    def end_beat(self, key: str) -> None:
        """Delete the heartbeat ref."""
        self._remote.beats.pop(key, None)

    def _commit(self, now: Facts, additions: Mapping[str, object], message: str) -> CommitId:
        edits = {
            path: json.dumps(body, sort_keys=True).encode() for path, body in additions.items()
        }
        if now.commit is None:
            edits.setdefault(entry.FORMAT_PATH, json.dumps({"format": entry.FORMAT}).encode())
        time = self._clock.now()
        return self._remote.make(now.commit, edits, message, author=_GITWF, time=time)

    def _at(self, tip: CommitId | None) -> Facts:
        if tip is None:
            return Facts(None, {})
        files = self._remote.snapshot(tip).files
        return Facts(tip, {path: _parsed(path, files[path]) for path in files if _is_entry(path)})


_GITWF = "gitwf <gitwf@localhost>"


def _is_entry(path: str) -> bool:
    return path.endswith(".json")


def _parsed(path: str, content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Stalled(f"{path} on {LEDGER} is not a JSON object")
    return body


def _edit(files: dict[str, bytes], path: str, content: bytes | None) -> None:
    if content is None:
        files.pop(path, None)
        return
    if any(name.startswith(f"{path}/") for name in files):
        raise Stalled(f"{path} is a folder where gitwf would write a file")
    folder = posixpath.dirname(path)
    while folder:
        if folder in files:
            raise Stalled(f"{folder} is a file where gitwf needs a folder")
        folder = posixpath.dirname(folder)
    files[path] = content


def _object_id(kind: str, content: bytes) -> str:
    # Git names objects by this digest; it protects nothing here.
    head = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _tree_id(files: Files, under: str) -> ObjectId:
    """The id of the tree of the files whose paths begin with `under`."""
    here: dict[str, str] = {}
    folders: set[str] = set()
    for path, content in files.items():
        if path.startswith(under):
            name, slash, _ = path[len(under) :].partition("/")
            if slash:
                folders.add(name)
            else:
                here[name] = _object_id("blob", content)
    entries = [(name.encode(), b"100644", bytes.fromhex(blob)) for name, blob in here.items()]
    for name in folders:
        below = bytes.fromhex(_tree_id(files, f"{under}{name}/"))
        # Git sorts a folder as if its name ended in a slash.
        entries.append((f"{name}/".encode(), b"40000", below))
    content = b"".join(
        mode + b" " + name.rstrip(b"/") + b"\0" + id_ for name, mode, id_ in sorted(entries)
    )
    return ObjectId(_object_id("tree", content))
