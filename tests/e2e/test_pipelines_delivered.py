"""The three pipelines that work on a database, delivered whole beside a real PostgreSQL.

The password is a file under GITWF_SECRETS_DIR, granted by gitwf.yaml to the steps that may write.
That nobody else gets it is shown by a spy among the steps, and by searching all that is left over.
"""

import dataclasses
import json
import pathlib
import re

import pytest

from gitwf.testing import git_repository
from tests.e2e import conftest
from tests.pipelines import conftest as databases

pytestmark = pytest.mark.slow

postgres, database = databases.postgres, databases.database

MODELS = ("bandit", "job-ranking", "ml-workflow")
GRANTED = {
    "bandit": ("list-experiments", "save-weights"),
    "job-ranking": ("import-to-db",),
    "ml-workflow": ("load-dataset",),
}
PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {name: site}
spec:
  store: file:store
"""
SPY = """
  - name: spy
    container:
      image: alpine
      command: [sh, -c]
      args:
      - >-
        for turn in 1 2 3 4 5 6 7 8 9 10; do env; cat @SECRET@;
        cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; sleep 0.1; done 2>&1 | tr '\\0' '\\n';
        echo the spy is done
"""


def policy(granted):
    """gitwf.yaml with these grants of the secret `db`."""
    lines = [
        f"      pipelines/{model}/workflow.yaml#{template}: [db]\n"
        for model, templates in granted.items()
        for template in templates
    ]
    return PROJECT + "  policy:\n    secrets:\n" + "".join(lines)


def pipeline(name, parameters):
    """A pipeline's files as they are delivered; the parameters lead its steps to the database."""
    folder = databases.PIPELINES / name
    files = {
        f"pipelines/{name}/{path.relative_to(folder).as_posix()}": path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    place = f"pipelines/{name}/pipeline.yaml"
    # Its schedule would train once more where a test runs over the hour.
    once = re.sub(r"\n    schedule: .*", "", files[place])
    given = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in parameters.items())
    files[place] = once.replace("spec:\n", f"spec:\n  parameters:\n{given}", 1)
    return files


@dataclasses.dataclass
class Site(conftest.World):
    """A world whose steps reach a database, if they have the password."""

    secrets: pathlib.Path

    def reconcile(self, code=0):
        return self.gitwf("reconcile", code=code, GITWF_SECRETS_DIR=str(self.secrets))

    def result(self, model):
        """What the ledger says of a model's first version."""
        entries = self.ledger()
        key = entries[f"versions/{model}/1.json"]["key"]
        return entries[f"runs/{model}/{key}/result.json"]

    def left_over(self):
        """Everything that is on the disk, or in Git, but the secrets themselves."""
        kept = [self.remote.path, self.secrets]
        for path in self.folder.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(one) for one in kept):
                yield path.relative_to(self.folder).as_posix(), path.read_bytes()
        objects = self.remote.git("cat-file", "--batch", "--batch-all-objects")
        yield self.remote.path.name, objects.encode("utf-8", "replace")


@pytest.fixture
def site(database, tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    remote = git_repository.Repository.create(folder / "site.git")
    secrets = database.secrets(folder / "secrets")
    return Site(folder, str(remote.path), remote, folder / "state", secrets)


@pytest.fixture
def filled(database, tmp_path):
    """The database with the tables that the pipelines read."""
    for name, sql in [("ml-workflow", "dataset.sql"), ("bandit", "experiments.sql")]:
        script = databases.PIPELINES / name / "data" / sql
        assert database.shell(f"psql db -q -f {script}", tmp_path).returncode == 0
    return database


def test_three_pipelines_are_delivered_and_their_results_are_in_the_database(site, filled):
    files = {"gitwf.yaml": policy(GRANTED)}
    for name in MODELS:
        files |= pipeline(name, filled.parameters())
    site.write(files, "Begin")

    out = site.reconcile()

    assert site.result("ml-workflow")["metrics"] == {"mape": 0.0185}
    assert site.result("job-ranking")["metrics"] == {"auc": 0.5565, "gain": 0.00183, "rate": 0.0805}
    assert site.result("bandit")["metrics"]["experiments"] == 3
    ranked = filled.rows("SELECT count(*), model FROM job_ranking GROUP BY model")
    assert ranked == [(42, "job-ranking-v1")]
    weighed = filled.rows("SELECT DISTINCT experiment_id, model FROM weights ORDER BY 1")
    assert weighed == [(number, "bandit-v1") for number in (1, 2, 4)]
    assert filled.password not in out
    secret = filled.password.encode()
    assert [name for name, content in site.left_over() if secret in content] == []

    head = site.remote.head("gitwf/ledger")
    site.reconcile()
    assert site.remote.head("gitwf/ledger") == head


@pytest.mark.parametrize("model", MODELS)
def test_a_step_that_asks_without_a_grant_is_refused_before_anything_runs(site, filled, model):
    others = {name: templates for name, templates in GRANTED.items() if name != model}
    others[model] = GRANTED[model][1:]
    site.write({"gitwf.yaml": policy(others), **pipeline(model, filled.parameters())}, "Begin")

    out = site.reconcile(code=None)

    what = f"template '{GRANTED[model][0]}': the policy does not grant it the secret 'db'"
    assert re.search(rf"pipelines/{model}/workflow.yaml:\d+:\d+: {what}", out), out
    assert "in-sync" not in out
    assert filled.password not in out
    assert list(site.state.glob("remotes/*/engine/runs/*")) == []
    assert filled.rows("SELECT to_regclass('job_ranking'), to_regclass('weights')")[0][0] is None


def spied(files, secret):
    """Put a spy beside the step that has the password, and make that step last."""
    place = "pipelines/job-ranking/workflow.yaml"
    text = files[place]
    for old, new in [
        ("psql db --no-psqlrc", "sleep 0.7; psql db --no-psqlrc"),
        (
            "    - - name: import-to-db\n",
            "    - - name: spy\n        template: spy\n      - name: import-to-db\n",
        ),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {**files, place: text.rstrip("\n") + SPY.replace("@SECRET@", str(secret))}


def test_a_spy_beside_the_granted_step_finds_no_password(site, filled):
    files = pipeline("job-ranking", filled.parameters())
    secret = site.secrets / "db" / "password"
    site.write({"gitwf.yaml": policy(GRANTED), **spied(files, secret)}, "Begin")

    site.reconcile()

    assert filled.rows("SELECT count(*) FROM job_ranking") == [(42,)]
    left = dict(site.left_over())
    (report,) = (
        content
        for name, content in left.items()
        if name.startswith("state/") and content.endswith(b"the spy is done\n")
    )
    assert b"PATH=" in report
    assert [name for name, content in left.items() if filled.password.encode() in content] == []
