"""A local engine on every rung of the isolation ladder that works here, and ways to use it."""

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from gitwf import ports
from gitwf.adapters.local import engine, ladder
from gitwf.workflow import record
from gitwf.workflow.document import load, resolve
from tests.local import drivers

works = ladder.works
HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
"""


@dataclass(frozen=True)
class Ran:
    """A run that is over: its record, and what each step wrote, by node name."""

    record: record.RunRecord
    log: Mapping[str, str]

    def __getitem__(self, name: str) -> record.NodeRecord:
        """A node by the end of its name."""
        return next(node for node in self.record.nodes.values() if node.name.endswith(name))

    @property
    def text(self) -> str:
        """What all steps wrote."""
        return "".join(self.log.values())


def order(text: str, run: str = "run", **more) -> ports.Order:
    """Make an order for a workflow, written from `spec.templates` on or whole."""
    if "apiVersion" not in text:
        text = HEAD + text
    loaded = load.load({"wf.yaml": text.encode()})
    workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
    return ports.Order(id=run, name="wf", workflow=workflow, **({"parameters": {}} | more))


def container(command: str, more: str = "") -> str:
    """One container template `main` that runs a shell command, as the whole workflow."""
    script = "\n".join(f"          {line}" for line in command.splitlines())
    return f"""
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c]
      args:
      - |
{script}
{more}
"""


class Local:
    """An engine with its state folder."""

    def __init__(self, rung: str, folder: pathlib.Path, **settings) -> None:
        self.rung = rung
        self.folder = folder
        self.state = folder / "state"
        self.settings = engine.Settings(self.state, rung, **({"grace": 0.3} | settings))
        self.engine = engine.LocalEngine(self.settings)

    def start(self, text: str, run: str = "run", **more) -> str:
        self.engine.start(order(text, run, **more))
        return run

    def wait(self, run: str = "run") -> Ran:
        *_, last = self.engine.watch(run)
        log: dict[str, str] = {}
        for line in self.engine.logs(run):
            log[line.node] = f"{log.get(line.node, '')}{line.text}\n"
        return Ran(last, log)

    def run(self, text: str, run: str = "run", **more) -> Ran:
        return self.wait(self.start(text, run, **more))


RUNGS = ["none", "user", "root", pytest.param("container", marks=pytest.mark.slow)]


@pytest.fixture(params=RUNGS)
def rung(request):
    if request.param == "container":
        return request.getfixturevalue("contained_by")
    if request.param != "none" and not works(request.param):
        pytest.skip(f"isolation {request.param} does not work on this machine")
    return request.param


@pytest.fixture(params=RUNGS[:3])
def hosted(request, make):
    """An engine whose steps use this machine's programs, on every rung but containers."""
    if request.param != "none" and not works(request.param):
        pytest.skip(f"isolation {request.param} does not work on this machine")
    return make(request.param)


@pytest.fixture
def contained(contained_by, make):
    """An engine whose steps run in containers."""
    return make(contained_by)


@pytest.fixture
def contained_by(container_engine):
    """The rung of the container engine that answers here."""
    return pathlib.Path(container_engine.program).name


@pytest.fixture
def make(tmp_path):
    """Make engines that are closed at the end."""
    made = []

    def build(rung, **settings):
        made.append(Local(rung, tmp_path, **settings))
        return made[-1]

    yield build
    for one in made:
        one.engine.close()


@pytest.fixture
def local(rung, make):
    return make(rung)


@pytest.fixture
def walled(make):
    """An engine whose steps have a view of their own."""
    rung = next((name for name in ("root", "user") if works(name)), None)
    if rung is None:
        pytest.skip("no isolation works on this machine")
    return make(rung)


@pytest.fixture
def bare(make):
    return make("none")


@pytest.fixture
def place(tmp_path):
    """A folder that steps may name on every rung; it is not there yet."""
    return tmp_path / "place"


@pytest.fixture
def written():
    """The two ways to write a workflow down, as the tests call them."""
    return container


@pytest.fixture
def drive():
    """Start a process that drives a run; see `drivers`."""
    with drivers.starting() as start:
        yield start
