"""Two models of one table: loaded by psql from a real PostgreSQL, trained, and chosen from."""

import json
import pathlib

import pytest

ML_WORKFLOW = pathlib.Path(__file__).parents[2] / "pipelines" / "ml-workflow"
SQL = ML_WORKFLOW / "data" / "dataset.sql"
LOAD = "psql db -c 'SELECT * FROM dataset' -A -F, > dataset.csv"


@pytest.fixture
def dataset(tmp_path):
    """What LOAD writes, made without a database."""
    rows = [line for line in SQL.read_text(encoding="utf-8").splitlines() if line[:2] == "19"]
    path = tmp_path / "dataset.csv"
    text = "\n".join(["month,television,radio,sales", *rows, f"({len(rows)} rows)"])
    path.write_text(text + "\n", encoding="utf-8")
    return path


def trained(call, tmp_path, name, *args):
    done = call("ml-workflow", "train_model", f"--model={name}", f"--output={name}.json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_psql_writes_the_file_that_both_models_are_trained_on(database, dataset, script, tmp_path):
    made = dataset.read_text(encoding="utf-8")
    dataset.unlink()
    assert database.shell(f"psql db -q -f {SQL}", tmp_path).returncode == 0

    loaded = database.shell(LOAD, tmp_path)

    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert made == dataset.read_text(encoding="utf-8")
    done = script("ml-workflow", "train_model", "--model=model1", DATASET="dataset.csv")
    assert (done.returncode, done.stdout) == (0, 'model1: {"mape": 0.0323}\n')


@pytest.mark.slow
def test_nothing_is_loaded_without_the_password(database, tmp_path):
    refused = database.shell(LOAD, tmp_path, PGPASSWORD="a guess")

    assert refused.returncode != 0
    assert "password authentication failed" in refused.stderr
    assert (tmp_path / "dataset.csv").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    ("name", "kind", "mape"), [("model1", "regression", 0.0323), ("model2", "seasonal", 0.0185)]
)
def test_each_model_is_measured_on_the_year_it_has_not_seen(
    call, dataset, tmp_path, name, kind, mape
):
    model = trained(call, tmp_path, name)

    assert (name, kind, 192, {"mape": mape}) == (
        model["name"],
        model["kind"],
        model["trained_rows"],
        model["metrics"],
    )
    assert [f"1994-{month:02}-01" for month in range(1, 13)] == list(model["forecast"])


@pytest.mark.parametrize("name", ["model1", "model2"])
def test_held_out_sales_have_no_part_in_the_forecast(call, dataset, tmp_path, name):
    before = trained(call, tmp_path, name)["forecast"]
    lines = dataset.read_text(encoding="utf-8").splitlines()
    changed = [f"{line.rsplit(',', 1)[0]},1" if line[:4] == "1994" else line for line in lines]
    dataset.write_text("\n".join(changed), encoding="utf-8")

    assert before == trained(call, tmp_path, name)["forecast"]


def test_the_order_of_rows_does_not_matter(call, dataset, tmp_path):
    before = trained(call, tmp_path, "model1")
    header, *rows, count = dataset.read_text(encoding="utf-8").splitlines()
    dataset.write_text("\n".join([header, *reversed(rows), count]), encoding="utf-8")

    assert before == trained(call, tmp_path, "model1")


def test_dataset_and_output_can_come_from_the_environment(script, dataset, tmp_path):
    dataset.rename(tmp_path / "elsewhere.csv")

    done = script(
        "ml-workflow",
        "train_model",
        "--model=model2",
        DATASET="elsewhere.csv",
        OUTPUT="output/m.json",
    )

    assert done.returncode == 0
    assert json.loads((tmp_path / "output" / "m.json").read_text("utf-8"))["name"] == "model2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda lines: lines[:-1],
            "dataset.csv:205: psql's count of rows is missing: the query broke off",
        ),
        (lambda _: [], "dataset.csv:0: psql's count of rows is missing: the query broke off"),
        (
            lambda lines: lines[:100] + lines[101:],
            "dataset.csv: 203 rows, but psql counted 204",
        ),
        (
            lambda lines: [*lines[:100], *lines[101:-1], "(203 rows)"],
            "dataset.csv: the months do not follow one another",
        ),
        (
            lambda lines: [*lines[:25], *lines[37:-1], "(192 rows)"],
            "dataset.csv: the months do not follow one another",
        ),
        (
            lambda lines: [*lines[:5], "(4 rows)"],
            "dataset.csv: 4 months, at least 36 are needed",
        ),
        (
            lambda lines: ["month,television,radio,income", *lines[1:]],
            "dataset.csv:1: column sales is missing",
        ),
        (
            lambda lines: [*lines[:-2], "1994-12-01,0,1,131", lines[-1]],
            "dataset.csv: every value must be a number above 0",
        ),
        (
            lambda lines: [*lines[:-2], "1994-12-01,1,1,high", lines[-1]],
            "dataset.csv: could not convert string to float: 'high'",
        ),
    ],
)
def test_a_dataset_that_is_not_whole_is_refused(call, dataset, change, message):
    lines = change(dataset.read_text(encoding="utf-8").splitlines())
    dataset.write_text("\n".join(lines), encoding="utf-8")

    done = call("ml-workflow", "train_model", "--model=model1")

    assert (1, f"train_model: {message}\n") == (done.returncode, done.stderr)


def test_a_model_that_nobody_knows_is_refused(call, dataset):
    done = call("ml-workflow", "train_model", "--model=model3")

    assert done.returncode == 2
    assert "argument --model: invalid choice: 'model3'" in done.stderr


def test_the_model_with_the_smaller_error_is_handed_on_as_it_is(call, dataset, tmp_path):
    for name in ("model1", "model2"):
        trained(call, tmp_path, name)

    done = call("ml-workflow", "choose_model", "model1.json", "model2.json")

    assert (done.returncode, done.stdout) == (0, "model2.json: mape 0.0185, of 2 models\n")
    assert (tmp_path / "model2.json").read_bytes() == (tmp_path / "model.json").read_bytes()
    assert json.loads((tmp_path / "metrics.json").read_text("utf-8")) == {"mape": 0.0185}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "it has no metrics.mape"),
        ("[1]", "it has no metrics.mape"),
        ('{"metrics": {"mape": NaN}}', "its metrics.mape is nan"),
        ("", "Expecting value"),
    ],
)
def test_a_file_that_is_no_model_is_not_chosen(call, tmp_path, content, message):
    (tmp_path / "broken.json").write_text(content, encoding="utf-8")

    done = call("ml-workflow", "choose_model", "broken.json")

    assert done.returncode == 1
    assert done.stderr.startswith(f"choose_model: broken.json: {message}")
