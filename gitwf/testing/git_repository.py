"""A bare repository as a person has it, moved by Git itself.

Tests of gitwf compare what gitwf did with what Git says, and let a person commit, revert and
force-push beside it. Nothing here goes through gitwf's own way to Git. `git fast-import` writes a
commit in one process and without a checkout.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitwf.testing.clock import NOON
from gitwf.values import CommitId, Instant


@dataclass(frozen=True)
class Link:
    """A symbolic link, where a file's content is expected."""

    target: str


@dataclass(frozen=True)
class Script:
    """An executable file, where a file's content is expected."""

    content: bytes


Content = bytes | Link | Script | None


class Repository:
    """The bare repository at `path`, which `create` makes with an unborn `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> "Repository":
        """Make an empty one that a Git server may be pushed to."""
        made = cls(path)
        path.mkdir(parents=True)
        made.git("-c", "init.defaultBranch=main", "init", "-q", "--bare")
        made.git("config", "http.receivepack", "true")
        return made

    def git(self, *arguments: str, text: bytes = b"") -> str:
        """Run Git in the repository and give what it prints."""
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def commit(
        self,
        edits: Mapping[str, Content],
        message: str = "Edit\n",
        *,
        branch: str = "main",
        author: str = "Ada <ada@example.org>",
        time: Instant = NOON,
    ) -> CommitId:
        """Commit on top of whatever is there."""
        when = f"{author} {int(time.seconds)} +0000"
        text = [f"commit refs/heads/{branch}\nauthor {when}\ncommitter {when}\n".encode()]
        text.append(_blob(message.encode()))
        parent = self.head(branch)
        if parent is not None:
            text.append(f"from {parent}\n".encode())
        text.extend(_edit(path, content) for path, content in edits.items())
        self.git("fast-import", "--quiet", "--force", text=b"".join(text))
        made = self.head(branch)
        if made is None:
            raise RuntimeError(f"git fast-import left {branch} unborn")
        return made

    def head(self, branch: str = "main") -> CommitId | None:
        """What a branch is at."""
        found = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return CommitId(found) if found else None

    def force(self, commit: CommitId | None, *, branch: str = "main") -> None:
        """Force-push a branch; None deletes it."""
        if commit is None:
            self.git("update-ref", "-d", f"refs/heads/{branch}")
        else:
            self.git("update-ref", f"refs/heads/{branch}", commit)

    def show(self, path: str, *, branch: str = "main") -> str:
        """The text of a file at the branch's head."""
        return self.git("show", f"refs/heads/{branch}:{path}")

    def names(self, *, branch: str = "main") -> list[str]:
        """The paths of all files at the branch's head."""
        return self.git("ls-tree", "-r", "--name-only", f"refs/heads/{branch}").splitlines()


def _blob(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _edit(path: str, content: Content) -> bytes:
    if content is None:
        return f"D {path}\n".encode()
    if isinstance(content, Link):
        return f"M 120000 inline {path}\n".encode() + _blob(content.target.encode())
    if isinstance(content, Script):
        return f"M 100755 inline {path}\n".encode() + _blob(content.content)
    return f"M 100644 inline {path}\n".encode() + _blob(content)
