"""A throw-away repository with the ad-effect pipeline in it: what the demo plays on.

Pipeline, data and viewer come with gitwf, so that the demo runs from an installed wheel too. The
repository is a bare remote and a checkout of it, driven by the `git` that people use; its commits
have authors and dates of their own and read nobody's Git configuration.
"""

import os
import shutil
import subprocess
from pathlib import Path

from gitwf import errors

PACKAGED = Path(__file__).parent.parent / "showcase" / "ad-effect"
IN_TREE = Path(__file__).parent.parent.parent / "pipelines" / "ad-effect"
PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {name: demo}
spec:
  store: file:store
  environments:
    production: {local: {}}
"""


def pipeline() -> Path:
    """The folder of the ad-effect pipeline: in the wheel, or in the source tree."""
    return PACKAGED if PACKAGED.is_dir() else IN_TREE


class Showcase:
    """The remote and the checkout, in `folder`; `folder` is the caller's to remove."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("git") is None:
            raise errors.Stalled("the demo plays on a Git repository, and git is not installed")
        self.remote = folder / "shop.git"
        self.checkout = folder / "shop"
        self.remote.mkdir(parents=True)
        self._git(self.remote, "init", "--quiet", "--bare", "--initial-branch=main", ".")
        self._git(folder, "clone", "--quiet", str(self.remote), str(self.checkout))
        self.git("checkout", "--quiet", "-B", "main")
        self.home = self.checkout / "pipelines" / "ad-effect"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(pipeline(), self.home, ignore=ignored)
        (self.checkout / "gitwf.yaml").write_text(PROJECT, "utf-8")

    def git(self, *arguments: str) -> str:
        """Run git in the checkout and give what it prints. Stalled when it fails."""
        return self._git(self.checkout, *arguments)

    def _git(self, folder: Path, *arguments: str) -> str:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-c", "advice.detachedHead=false", *arguments],
            cwd=folder,
            env={**kept, **quiet, **who},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise errors.Stalled(f"git {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def data(self, rows: int | None = None) -> None:
        """Have the first `rows` rows of advertising data, or all of them, in the checkout."""
        lines = (pipeline() / "data" / "adverts.csv").read_text("utf-8").splitlines(keepends=True)
        kept = lines if rows is None else lines[: rows + 1]
        (self.home / "data" / "adverts.csv").write_text("".join(kept), "utf-8")

    def window(self, months: int) -> None:
        """Train on this many months of history from now on."""
        file = self.home / "pipeline.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace('window: "168"', f'window: "{months}"'), "utf-8")

    def push(self, message: str) -> str:
        """Commit all of the checkout and push it; the commit's short id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "--short=8", "HEAD")

    def pull(self) -> None:
        """Bring the checkout to the remote's head."""
        self.git("pull", "--quiet", "--ff-only", "origin", "main")
