"""A GitHub runner as far as a composite action sees one: its files, its variables, its bash."""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from tests.e2e import conftest as e2e

ROOT = pathlib.Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
TOKEN = "ghs_not-to-be-seen"
# Stands in for the Python of the runner: makes the virtual environment that it is asked for out of
# the one that runs the tests, and writes down what pip was to install.
PYTHON = """\
#!/bin/sh
set -eu
[ "$1" = -m ] && [ "$2" = venv ]
mkdir -p "$3/bin"
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@" > "{asked}"\\n' > "$3/bin/python"
printf '#!/bin/sh\\nexec "{python}" -m gitwf "$@"\\n' > "$3/bin/gitwf"
chmod +x "$3/bin/python" "$3/bin/gitwf"
"""


@dataclasses.dataclass
class Ended:
    """How the action ended: its log, its exit code, the outputs it declares, the summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    def annotations(self) -> list[str]:
        """The workflow commands in the log."""
        return [line for line in self.log.splitlines() if line.startswith("::")]


class Runner:
    """Runs the action's shell steps in order, as GitHub does; `folder` is the runner's own."""

    def __init__(self, folder: pathlib.Path, workspace: pathlib.Path) -> None:
        self.folder = folder
        self.workspace = workspace
        self.asked = folder / "pip.txt"
        self.python = folder / "python3"
        self.python.write_text(PYTHON.format(asked=self.asked, python=sys.executable))
        self.python.chmod(0o755)

    def run(self, inputs: dict[str, str], **environment: str) -> Ended:
        """Run every step until one fails."""
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        given |= {"python": str(self.python)} | inputs
        output, summary = self.folder / "output", self.folder / "summary"
        output.write_text("")
        summary.write_text("")
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(self.folder / "temp"),
        }
        log, code, written = "", 0, {}
        for step in ACTION["runs"]["steps"]:
            own = {name: self._filled(text, given) for name, text in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace / self._filled(step.get("working-directory", "."), given),
                env={**environment, **runner, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            log, code = log + done.stdout, done.returncode
            written[step.get("id", "")] = read_outputs(output.read_text("utf-8"))
            if code:
                break
        outputs = {
            name: written.get("gitwf", {}).get(one["value"].rpartition(".")[2].split()[0], "")
            for name, one in ACTION["outputs"].items()
        }
        return Ended(code, log, outputs, summary.read_text("utf-8"))

    def _filled(self, text: str, given: dict[str, str]) -> str:
        def fill(found: re.Match[str]) -> str:
            scope, _, name = found[1].partition(".")
            if scope == "inputs":
                return self._filled(given[name], given)
            return {"action_path": str(ROOT), "token": TOKEN}[name]

        return re.sub(r"\$\{\{ *(\S+) *\}\}", fill, text)


def read_outputs(text: str) -> dict[str, str]:
    """Read a file of outputs: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        else:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


@pytest.fixture
def world(tmp_path):
    """A remote with the small pipeline of tests/e2e, nothing trained yet."""
    remote = e2e.git_repository.Repository.create(tmp_path / "shop.git")
    made = e2e.World(tmp_path, str(remote.path), remote, tmp_path / "state")
    made.write(dict(e2e.FILES), "Begin")
    yield made
    made.down()


@pytest.fixture
def act(world, tmp_path):
    """Run the action on a fresh checkout of the world: `act(command=…, arguments=…)`."""

    def run(commit: dict[str, str] | None = None, event: str = "push", **inputs: str) -> Ended:
        workspace = tmp_path / "workspace"
        if not workspace.exists():
            world.remote.git("clone", "-q", str(world.remote.path), str(workspace))
        for path, text in (commit or {}).items():
            (workspace / path).write_text(text, encoding="utf-8")
        if commit:
            who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
            subprocess.run(["git", *who, "commit", "-qam", "Propose"], cwd=workspace, check=True)
        runner = tmp_path / "runner"
        runner.mkdir(exist_ok=True)
        settings = world.environment(GITHUB_EVENT_NAME=event, HOME=os.environ.get("HOME", "/"))
        del settings["GITWF_REMOTE"]
        return Runner(runner, workspace).run(inputs, **settings)

    return run


def rows(text: str) -> list[dict[str, object]]:
    """An output that holds a JSON list."""
    found = json.loads(text)
    assert isinstance(found, list)
    return found
