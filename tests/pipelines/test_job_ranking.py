"""Call-back rates by industry and job: trained, predicted, and imported into a real PostgreSQL."""

import csv
import json
import pathlib

import pytest

JOB_RANKING = pathlib.Path(__file__).parents[2] / "pipelines" / "job-ranking"
RESUMES = JOB_RANKING / "data" / "resumes.csv"
IMPORT = f"psql db --no-psqlrc --no-password --set model=job-ranking-v7 --file {JOB_RANKING}/import.sql < rates.csv"


@pytest.fixture
def model(call, tmp_path):
    done = call("job-ranking", "train_model")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))


@pytest.fixture
def ranking(call, model, tmp_path):
    done = call("job-ranking", "predict_rates")
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "rates.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_model_ranks_better_than_a_coin_on_advertisements_held_out(model, tmp_path):
    assert model["metrics"] == {"auc": 0.5565, "gain": 0.00183, "rate": 0.0805}
    assert model["metrics"] == json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert model["trained_rows"] == 4870


def test_no_trait_by_which_people_are_discriminated_is_in_the_data_or_the_model(model):
    header = RESUMES.read_text(encoding="utf-8").splitlines()[0]

    assert header == "call,industry,job,quality,experience"
    assert {"industry", "job", "quality", "experience"} <= set(model)
    assert not {"name", "gender", "ethnicity"} & set(header.split(","))


def test_every_pair_that_was_seen_is_ranked_once_by_falling_rate(ranking, model):
    rates = [float(row["rate"]) for row in ranking]

    assert 42 == len(ranking) == len({(row["industry"], row["job"]) for row in ranking})
    assert rates == sorted(rates, reverse=True)
    assert [str(rank) for rank in range(1, 43)] == [row["rank"] for row in ranking]
    assert 0.05 < rates[-1] < model["metrics"]["rate"] < rates[0] < 0.13


def test_rates_predicted_agree_with_those_counted_where_many_were_sent(ranking):
    counted = {}
    with RESUMES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counted.setdefault((row["industry"], row["job"]), []).append(row["call"] == "yes")

    predicted = {(row["industry"], row["job"]): float(row["rate"]) for row in ranking}
    many = {pair: calls for pair, calls in counted.items() if len(calls) >= 300}
    assert len(many) > 1
    assert {pair: predicted[pair] for pair in many} == pytest.approx(
        {pair: sum(calls) / len(calls) for pair, calls in many.items()}, abs=0.025
    )


def test_the_same_rows_give_the_same_bytes_in_another_process(script, model, tmp_path):
    first = (tmp_path / "model.json").read_bytes()

    script("job-ranking", "train_model")

    assert first == (tmp_path / "model.json").read_bytes()


def test_a_stronger_ridge_draws_the_rates_together(call, tmp_path):
    spread = []
    for ridge in (1, 20, 400):
        call("job-ranking", "train_model", "--ridge", ridge)
        weights = json.loads((tmp_path / "model.json").read_text("utf-8"))["industry"].values()
        spread.append(max(weights) - min(weights))

    assert spread == sorted(spread, reverse=True)
    assert spread[0] > 3 * spread[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda lines: [line.rsplit(",", 1)[0] for line in lines],
            "resumes.csv:1: column experience is missing",
        ),
        (
            lambda lines: [*lines, "maybe,trade,manager,low,3"],
            "resumes.csv:4872: call is 'maybe', expected yes or no",
        ),
        (
            lambda lines: [*lines, "no,trade,manager,fair,3"],
            "resumes.csv:4872: quality is 'fair', expected high or low",
        ),
        (
            lambda lines: [*lines, "no,trade,manager,low,some"],
            "resumes.csv:4872: experience is 'some', not a number of years",
        ),
        (
            lambda lines: [*lines, "no,trade,manager,low"],
            "resumes.csv:4872: experience is '', not a number of years",
        ),
        (lambda lines: lines[:100], "resumes.csv: 99 résumés, at least 200 are needed"),
        (
            lambda lines: [line.replace("yes,", "no,") for line in lines],
            "both parts, kept and held out, need call-backs and refusals",
        ),
    ],
)
def test_resumes_that_cannot_be_used_are_refused_with_their_place(call, tmp_path, change, message):
    lines = change(RESUMES.read_text(encoding="utf-8").splitlines())
    (tmp_path / "resumes.csv").write_text("\n".join(lines), encoding="utf-8")

    done = call("job-ranking", "train_model", "--resumes", "resumes.csv")

    assert (1, f"train_model: {message}\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"level": 1.0, "industry": {}, "job": {}}'])
def test_a_file_that_is_no_model_predicts_nothing(call, tmp_path, content):
    (tmp_path / "model.json").write_text(content, encoding="utf-8")

    done = call("job-ranking", "predict_rates")

    assert done.returncode == 1
    assert done.stderr.startswith("predict_rates: model.json is no model of train_model: ")
    assert not (tmp_path / "rates.csv").exists()


@pytest.mark.slow
def test_the_import_replaces_the_whole_ranking(database, ranking, tmp_path):
    for _ in range(2):
        done = database.shell(IMPORT, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")

    found = database.rows(
        "SELECT industry, job, rate::text, rank::text FROM job_ranking AS r ORDER BY r.rank"
    )

    assert [tuple(row.values()) for row in ranking] == found
    assert database.rows("SELECT DISTINCT model FROM job_ranking") == [("job-ranking-v7",)]


@pytest.mark.slow
def test_a_file_that_is_broken_half_way_leaves_the_old_ranking(database, ranking, tmp_path):
    database.shell(IMPORT, tmp_path)
    with (tmp_path / "rates.csv").open("a", encoding="utf-8") as file:
        file.write("trade,astronaut,1.5,43\n")

    done = database.shell(IMPORT, tmp_path)

    assert done.returncode != 0
    assert "violates check constraint" in done.stderr
    assert database.rows("SELECT count(*) FROM job_ranking") == [(42,)]


@pytest.mark.slow
def test_nothing_is_imported_without_the_password(database, ranking, tmp_path):
    done = database.shell(IMPORT, tmp_path, PGPASSWORD="")

    assert done.returncode != 0
    assert "no password supplied" in done.stderr


def test_no_step_waits_for_a_password_or_takes_a_row_of_the_file_for_one(documents):
    _, workflow = documents("job-ranking")
    template = next(t for t in workflow["spec"]["templates"] if t["name"] == "import-to-db")

    assert "--no-password" in template["container"]["args"][0]
