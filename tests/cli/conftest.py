"""The command line called in this process, on a folder with the small pipeline of tests/e2e."""

import dataclasses
import errno
import os
import pathlib

import pytest
import yaml

from gitwf import cli
from tests.cli import running
from tests.e2e import conftest as e2e


@dataclasses.dataclass(frozen=True)
class Called:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def gitwf(capfd):
    """Call `gitwf ARGUMENTS…` here; colours and traces of a runner are the caller's to set."""

    def call(*arguments: str) -> Called:
        with pytest.raises(SystemExit) as end:
            cli.main(list(arguments))
        shown = capfd.readouterr()
        return Called(end.value.code or 0, shown.out, shown.err)

    return call


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    """No setting, no runner and no terminal of whoever runs the tests."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITWF_STATE", str(tmp_path / "state"))


def write(folder: pathlib.Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch) -> pathlib.Path:
    """A folder with the small pipeline, which is the current one."""
    folder = tmp_path / "shop"
    write(folder, e2e.FILES)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def closed(monkeypatch):
    """Make a file that cannot be read: root may read every file, so the reading itself fails."""
    files = set()
    read = pathlib.Path.read_bytes

    def refusing(path):
        if path in files:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    def close(file: pathlib.Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        files.add(file)

    monkeypatch.setattr(pathlib.Path, "read_bytes", refusing)
    return close


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One world whose first model is served; a test leaves the branch's files as it found them."""
    folder = tmp_path_factory.mktemp("served")
    remote = e2e.git_repository.Repository.create(folder / "shop.git")
    world = e2e.World(folder, str(remote.path), remote, folder / "state")
    world.write(dict(e2e.FILES), "Begin")
    world.gitwf("reconcile")
    yield world
    world.down()


@pytest.fixture
def remote(tmp_path, monkeypatch) -> e2e.git_repository.Repository:
    """A bare remote with the small pipeline on it, which settings name."""
    made = e2e.git_repository.Repository.create(tmp_path / "shop.git")
    made.commit({path: text.encode() for path, text in e2e.FILES.items()})
    monkeypatch.setenv("GITWF_REMOTE", str(made.path))
    return made


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with two workflows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITWF_ISOLATION", "none")
    running.write(tmp_path, "wf.yaml", running.WORKFLOW)
    running.write(tmp_path, "slow.yaml", running.SLOW.replace("LAST", "true"))
    running.write(tmp_path, "stuck.yaml", running.SLOW.replace("LAST", "sleep 100"))
    quick = {**yaml.safe_load(running.WORKFLOW)}
    quick["spec"]["templates"][0]["steps"].pop(1)
    quick["spec"]["templates"][0]["steps"][1][0]["arguments"]["parameters"][0]["value"] = "x"
    running.write(tmp_path, "quick.yaml", yaml.safe_dump(quick))
    return tmp_path


@pytest.fixture
def begun(place):
    """Begin gitwf in a process of its own, killed at the end if it is still there."""
    made = []

    def begin(*arguments):
        made.append(running.Process(place, *arguments))
        return made[-1]

    yield begin
    for one in made:
        one.popen.kill()
        one.end()
