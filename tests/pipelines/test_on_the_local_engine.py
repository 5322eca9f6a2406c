"""The four workflow files, run whole by the local engine: real data, a real PostgreSQL."""

import hashlib
import json
import pathlib
import shutil
from dataclasses import dataclass

import pytest

from gitwf import ports
from gitwf.adapters.local import engine as local
from gitwf.errors import Rejected
from gitwf.workflow import record
from gitwf.workflow.document import load, resolve

PIPELINES = pathlib.Path(__file__).parents[2] / "pipelines"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Ran:
    """A run that is over: its record, its model's bytes, what its steps wrote."""

    record: record.RunRecord
    model: bytes
    log: dict[str, str]

    @property
    def phases(self) -> dict[str, str]:
        pods = (n for n in self.record.nodes.values() if n.type is record.NodeType.POD)
        return {node.display_name: str(node.phase) for node in pods}


class Machine:
    """Runs pipelines of a checkout; `start` refuses as the engine does, `run` must succeed."""

    def __init__(self, engine: local.LocalEngine, folder: pathlib.Path) -> None:
        self.engine = engine
        self.folder = folder
        self.source = folder / "source"

    def copy(self, name: str) -> pathlib.Path:
        """Put a pipeline's folder into the checkout, once; return its place."""
        place = self.source / "pipelines" / name
        if not place.exists():
            shutil.copytree(PIPELINES / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        return place

    def start(self, name, parameters=(), granted=()):
        """Start a pipeline's workflow as it stands in the checkout; return the run's id."""
        file = f"pipelines/{name}/workflow.yaml"
        wanted = self.copy(name) / "requirements.txt"
        catalogue = load.load({file: (self.source / file).read_bytes()}, asked=[file])
        order = ports.Order(
            id=f"{self.folder.name}-{name}",
            name=name,
            workflow=resolve.resolve(catalogue.runnable(file), catalogue),
            parameters=dict(parameters),
            source=self.source,
            requirements=wanted.read_text(encoding="utf-8") if wanted.exists() else "",
            granted={f"{file}#{template}": frozenset({"db"}) for template in granted},
        )
        self.engine.start(order)
        return order.id

    def run(self, name, parameters=(), granted=()) -> Ran:
        """Run it to its end; it must succeed."""
        run = self.start(name, parameters, granted)
        *_, last = self.engine.watch(run)
        log = {}
        for line in self.engine.logs(run):
            log[line.node] = f"{log.get(line.node, '')}{line.text}\n"
        said = {name: node.message for name, node in last.nodes.items() if node.message}
        assert (last.phase, last.message) == (record.Phase.SUCCEEDED, ""), (said, log)
        model = self.folder / "model.json"
        digest = self.engine.artifact(run, "model", model)
        content = model.read_bytes()
        assert str(digest) == f"sha256:{hashlib.sha256(content).hexdigest()}"
        return Ran(last, content, log)


@pytest.fixture(scope="module")
def secrets(postgres, tmp_path_factory):
    return postgres.secrets(tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
def engine(secrets, tmp_path_factory):
    """One engine for all tests, so that the environment with numpy is built once."""
    state = tmp_path_factory.mktemp("state")
    made = local.LocalEngine(local.Settings(state=state, secrets=secrets))
    yield made
    made.close()


@pytest.fixture
def machine(engine, tmp_path):
    return Machine(engine, tmp_path)


def prepare(database, name, sql, tmp_path):
    done = database.shell(f"psql db -q -f {PIPELINES}/{name}/data/{sql}", tmp_path)
    assert done.returncode == 0


def metrics(ran):
    return json.loads(ran.record.outputs.parameters["metrics"])


def test_ad_effect_ends_at_its_model_and_leaves_the_rollout_to_others(machine, script, tmp_path):
    ran = machine.run("ad-effect", {"model": "ad-effect-v42"})

    assert ran.phases == {"estimate": "Succeeded", "upload-model": "Succeeded"}
    assert metrics(ran) == {"mape": 0.0285, "r2": 0.8449, "bias": 0.0046}
    script("ad-effect", "estimate", "--model", "by-hand.json")
    assert (tmp_path / "by-hand.json").read_bytes() == ran.model


def test_ad_effect_takes_its_window_from_a_parameter(machine):
    ran = machine.run("ad-effect", {"window": "84"})

    assert metrics(ran) == {"mape": 0.05, "r2": 0.5868, "bias": 0.05}
    assert json.loads(ran.model)["parameters"]["window"] == 84


def test_ml_workflow_trains_two_models_of_one_table_and_keeps_the_better(
    machine, database, tmp_path
):
    prepare(database, "ml-workflow", "dataset.sql", tmp_path)

    ran = machine.run("ml-workflow", database.parameters(), ["load-dataset"])

    assert list(ran.phases) == ["load-dataset", "train-model1", "train-model2", "choose-model"]
    assert {"Succeeded"} == set(ran.phases.values())
    assert json.loads(ran.model)["name"] == "model2"
    assert metrics(ran) == {"mape": 0.0185}


def test_job_ranking_passes_its_files_over_the_shared_volume(machine, database):
    ran = machine.run(
        "job-ranking", {**database.parameters(), "model": "job-ranking-v7"}, ["import-to-db"]
    )

    assert metrics(ran) == {"auc": 0.5565, "gain": 0.00183, "rate": 0.0805}
    assert database.rows("SELECT count(*), model FROM job_ranking GROUP BY model") == [
        (42, "job-ranking-v7")
    ]


def rewritten(machine, name, old, new):
    file = machine.copy(name) / "workflow.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_model_step_of_job_ranking_finds_no_password(machine, database, secrets):
    secret = secrets / "db" / "password"
    rewritten(
        machine,
        "job-ranking",
        "command: [python, /src/pipelines/job-ranking/predict_rates.py]\n"
        "      args: [--model=/work/model.json, --rates=/work/rates.csv]",
        "command: [sh, -c]\n      args:\n      - >-\n"
        f"        env; cat {secret} 2>&1; cat /proc/[0-9]*/environ 2>&1 | tr '\\0' '\\n';"
        " python /src/pipelines/job-ranking/predict_rates.py"
        " --model=/work/model.json --rates=/work/rates.csv",
    )

    ran = machine.run("job-ranking", database.parameters(), ["import-to-db"])

    log = next(text for node, text in ran.log.items() if "predict-rates" in node)
    assert "42 pairs" in log
    assert "PATH=" in log
    assert "PGPASSWORD" not in log
    assert database.password not in log


def test_a_model_step_that_asks_for_the_password_is_refused_before_anything_runs(machine, database):
    rewritten(
        machine,
        "job-ranking",
        "args: [--model=/work/model.json, --rates=/work/rates.csv]",
        "args: [--model=/work/model.json, --rates=/work/rates.csv]\n"
        "      env:\n"
        "      - {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}",
    )

    with pytest.raises(Rejected) as refused:
        machine.start("job-ranking", database.parameters(), ["import-to-db"])

    assert "predict-rates" in str(refused.value)
    assert database.password not in str(refused.value)
    assert machine.engine.observe(f"{machine.folder.name}-job-ranking") is None


@pytest.mark.parametrize("count", [1, 1000])
def test_the_bandit_weighs_as_many_experiments_as_are_running(machine, database, tmp_path, count):
    prepare(database, "bandit", "experiments.sql", tmp_path)
    database.rows("DELETE FROM experiments")
    database.rows(f"INSERT INTO experiments SELECT n, 'test' FROM generate_series(1, {count}) AS n")
    database.rows(
        "INSERT INTO arms SELECT id, (id * k) % 34 FROM experiments, (VALUES (1), (2)) AS t(k) "
        "ON CONFLICT DO NOTHING"
    )

    ran = machine.run("bandit", database.parameters(), ["list-experiments", "save-weights"])

    steps = [name for name in ran.phases if name.startswith("calc-weights")]
    assert [f"calc-weights({n}:experimentId:{n + 1})" for n in range(count)] == steps
    assert count == metrics(ran)["experiments"]
    assert [(count,)] == database.rows("SELECT count(DISTINCT experiment_id) FROM weights")
    assert list(range(1, count + 1)) == [
        entry["experimentId"] for entry in json.loads(ran.model)["experiments"]
    ]
