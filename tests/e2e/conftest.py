"""A world for the whole loop: a remote, a person's checkout, gitwf as a process of its own.

The pipeline is small on purpose: two steps of a shell, a model whose error is written in a file, so
that a test can say what a better and a worse model is. Everything else is real.
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from gitwf import wiring
from gitwf.adapters import clock
from gitwf.adapters.viewer import control, settings
from gitwf.service import reconcile
from gitwf.testing import git_repository
from gitwf.values import Instant
from gitwf.wiring import settings as all_settings

PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {name: shop}
spec:
  store: file:store
  environments:
    production: {local: {}}
"""
PIPELINE = """\
apiVersion: gitwf.dev/v1
kind: Pipeline
metadata: {name: toy}
spec:
  workflow: workflow.yaml
  triggers: {paths: ["."]}
  parameters: {scale: "1"}
  model:
    artifact: model
    metrics: metrics
    gates:
    - metrics.mape < 0.5
    - current == nil || metrics.mape <= current.metrics.mape * 1.1
  deploy:
  - {environment: production, manifests: /manifests/viewer}
"""
WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: toy}
spec:
  entrypoint: main
  arguments: {parameters: [{name: scale, value: "1"}, {name: model, value: toy-v0}]}
  templates:
  - name: main
    inputs: {artifacts: [{name: source}]}
    steps:
    - - name: estimate
        template: estimate
        arguments: {artifacts: [{name: source, from: "{{inputs.artifacts.source}}"}]}
    - - name: upload-model
        template: upload-model
        arguments:
          artifacts: [{name: model, from: "{{steps.estimate.outputs.artifacts.model}}"}]
  - name: estimate
    inputs: {artifacts: [{name: source, path: /src}]}
    script:
      image: alpine
      command: [sh]
      source: |
        set -e
        mape=$(cat /src/pipelines/toy/mape.txt)
        mkdir -p /out
        sh /src/pipelines/toy/before.sh
        echo "{\\"name\\": \\"toy\\", \\"metrics\\": {\\"mape\\": $mape}, \\
          \\"parameters\\": {\\"scale\\": {{workflow.parameters.scale}}}}" > /out/model.json
        echo "{\\"mape\\": $mape}" > /out/metrics.json
    outputs:
      parameters: [{name: metrics, globalName: metrics, valueFrom: {path: /out/metrics.json}}]
      artifacts: [{name: model, path: /out/model.json, archive: {none: {}}}]
  - name: upload-model
    inputs: {artifacts: [{name: model, path: /in/model.json}]}
    container:
      image: alpine
      command: [sh, -c]
      args: ["cp /in/model.json /model.json"]
    outputs:
      artifacts: [{name: model, globalName: model, path: /model.json, archive: {none: {}}}]
"""
FILES = {
    "gitwf.yaml": PROJECT,
    "pipelines/toy/pipeline.yaml": PIPELINE,
    "pipelines/toy/workflow.yaml": WORKFLOW,
    "pipelines/toy/mape.txt": "0.2\n",
    "pipelines/toy/before.sh": "true\n",
    "pipelines/toy/README.md": "A toy.\n",
    "pipelines/toy/viewer/notes.txt": "the built-in page shows it\n",
    "manifests/viewer/deployment.yaml": "{}\n",
}
PATIENCE_SECONDS = 600


class _ClockAt(clock.SystemClock):
    """A clock that stands at one instant of the wall, while monotonic time goes on."""

    def __init__(self, at: Instant) -> None:
        super().__init__()
        self._at = at

    def now(self) -> Instant:
        return self._at


@dataclasses.dataclass
class World:
    """One remote with its store, and one machine's state folder."""

    folder: pathlib.Path
    url: str
    remote: git_repository.Repository
    state: pathlib.Path

    def environment(self, **more: str) -> dict[str, str]:
        """What gitwf finds in its environment: nothing of the test's but PATH."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        given = {
            "HOME": str(self.folder),
            "GITWF_REMOTE": self.url,
            "GITWF_BRANCH": "main",
            "GITWF_STATE": str(self.state),
            "GITWF_READY": "180",
            "GITWF_DRAIN": "5",
        }
        return {**kept, **given, **more}

    def gitwf(self, *arguments: str, code: int | None = 0, **more: str) -> str:
        """Run gitwf to its end; its output. `code`: what it must exit with."""
        done = self.start("-m", "gitwf", *arguments, **more)
        out, _ = done.communicate(timeout=PATIENCE_SECONDS)
        if code is not None:
            assert done.returncode == code, out
        return out

    def start(
        self, *arguments: str, folder: pathlib.Path | None = None, **more: str
    ) -> "subprocess.Popen[str]":
        """Start Python with these arguments, as the same machine."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder or self.folder,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def reconcile_at(self, at: Instant) -> reconcile.Outcome:
        """Reconcile in this process with the wall clock at `at`."""
        chosen = all_settings.Settings(remote=self.url, branch="main", state=str(self.state))
        around = wiring.edge(chosen, wiring.repository(chosen))
        return reconcile.Reconciler(dataclasses.replace(around, clock=_ClockAt(at))).run()

    def push(self, message: str, **files: str) -> str:
        """Commit files (`a__b` stands for `a/b`; see `write`) on the branch as a person."""
        return self.write({FLAT[name]: text for name, text in files.items()}, message)

    def write(self, files: dict[str, str | None], message: str = "Change") -> str:
        """Commit whole files on the branch as a person; None deletes."""
        edits = {path: None if text is None else text.encode() for path, text in files.items()}
        return self.remote.commit(edits, f"{message}\n")

    def revert(self, commit: str) -> str:
        """What `git revert COMMIT` gives, for a commit whose files nobody changed since."""
        changed = self.remote.git("diff", "--name-only", f"{commit}^", commit).splitlines()
        edits: dict[str, bytes | None] = {}
        for path in changed:
            try:
                edits[path] = self.remote.git("show", f"{commit}^:{path}").encode() + b"\n"
            except RuntimeError:
                edits[path] = None
        return self.remote.commit(edits, f"Revert {commit[:8]}\n")

    def releases(self) -> list[str]:
        """The commits that changed production's release file, newest first."""
        path = "models/toy/production.yaml"
        return self.remote.git("log", "--format=%H", "main", "--", path).split()

    def ledger(self) -> dict[str, dict[str, object]]:
        """Every entry of the ledger."""
        if not self.remote.git("for-each-ref", "refs/heads/gitwf/ledger"):
            return {}
        names = self.remote.git("ls-tree", "-r", "--name-only", "gitwf/ledger").splitlines()
        return {name: json.loads(self.remote.git("show", f"gitwf/ledger:{name}")) for name in names}

    def trained(self) -> list[str]:
        """The claims in the ledger: one for each training that was begun."""
        return [name for name in self.ledger() if re.search(r"/claim-\d+\.json$", name)]

    def fronts(self) -> list[settings.FrontSettings]:
        """The fronts of this machine."""
        return [
            settings.FrontSettings(home.parent.name, home)
            for home in self.state.glob("remotes/*/fronts/*/*")
        ]

    def answering(self) -> list[dict[str, object]]:
        """What every front of this machine answers at `/-/gitwf`."""
        return [
            state
            for one in self.fronts()
            for state in (control.find(one), *control.others(one))
            if state
        ]

    def front(self) -> dict[str, object]:
        """What production's front answers at `/-/gitwf`."""
        found = self.answering()
        assert len(found) == 1
        return found[0]

    def served(self) -> str:
        """The model that production's page names."""
        page = requests.get(str(self.front()["url"]), timeout=60)
        assert page.status_code == 200
        return page.text.partition('name="gitwf-model" content="')[2].partition('"')[0]

    def down(self) -> None:
        """Stop the fronts."""
        for one in self.fronts():
            control.down(one)


FLAT = {path.rpartition("/")[2].partition(".")[0]: path for path in FILES}


def make(folder: pathlib.Path, url: str = "") -> World:
    """Make a world in an empty folder, with the toy pipeline on its branch."""
    folder.mkdir(parents=True)
    remote = git_repository.Repository.create(folder / "shop.git")
    made = World(folder, url or str(remote.path), remote, folder / "state")
    made.write(dict(FILES), "Begin")
    return made


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[World]:
    """One world with the toy pipeline, nothing trained yet."""
    made = make(tmp_path / "world")
    yield made
    made.down()


@pytest.fixture
def two(world: World) -> World:
    """A world whose second version, a better one, is served."""
    world.gitwf("reconcile")
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    return world


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which one reconcile went undisturbed; only looked at."""
    made = make(tmp_path_factory.mktemp("calm") / "world")
    made.gitwf("reconcile")
    yield made
    made.down()
