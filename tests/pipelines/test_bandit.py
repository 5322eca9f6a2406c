"""Weights of running experiments: listed from a real PostgreSQL, calculated, joined, saved."""

import json
import pathlib

import pytest

BANDIT = pathlib.Path(__file__).parents[2] / "pipelines" / "bandit"
SQL = BANDIT / "data" / "experiments.sql"
SAVE = f"psql db --no-psqlrc --no-password --set model=bandit-v3 --file {BANDIT}/save.sql < weights.csv"
ARMS = "experiment_id,item_id\n1,2\n1,9\n2,0\n2,16\n2,33\n4,11\n4,12\n4,13\n4,14\n5,0\n5,99\n"


@pytest.fixture
def arms(tmp_path):
    path = tmp_path / "arms.csv"
    path.write_text(ARMS, encoding="utf-8")
    return path


def weighed(call, tmp_path, experiment, *args):
    done = call("bandit", "calc_weights", f"--experiment={experiment}", *args)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))


def log(tmp_path, *rows):
    """A log of rows (item, click, propensity, times)."""
    lines = [f"{i},1,{click},{chance}" for i, click, chance, times in rows for _ in range(times)]
    path = tmp_path / "log.csv"
    text = "\n".join(["item_id,position,click,propensity_score", *lines])
    path.write_text(text + "\n", encoding="utf-8")
    return f"--log={path}"


@pytest.mark.parametrize(
    ("experiment", "weights", "impressions", "clicks"),
    [
        (1, {"2": 0.52669, "9": 0.47331}, 391, 1),
        (2, {"0": 0.38381, "16": 0.31011, "33": 0.30609}, 1362, 9),
        (4, {"11": 0.19999, "12": 0.26165, "13": 0.23481, "14": 0.30355}, 2363, 19),
    ],
)
def test_weights_follow_from_the_log(
    call, arms, tmp_path, experiment, weights, impressions, clicks
):
    expected = {
        "experimentId": experiment,
        "weights": weights,
        "impressions": impressions,
        "clicks": clicks,
    }

    assert expected == weighed(call, tmp_path, experiment)


def test_an_arm_that_was_never_shown_gets_the_rate_of_all(call, arms, tmp_path):
    found = weighed(call, tmp_path, 5, log(tmp_path, (0, 1, 0.5, 5), (0, 0, 0.5, 495)))

    assert found["weights"] == {"0": 0.5, "99": 0.5}


def test_a_click_against_the_odds_counts_more_than_a_likely_one(call, arms, tmp_path):
    shown = [(2, 1, 0.1, 10), (2, 0, 0.9, 490), (9, 1, 0.9, 10), (9, 0, 0.1, 490)]

    weights = weighed(call, tmp_path, 1, log(tmp_path, *shown))["weights"]

    assert weights["2"] > 3 * weights["9"]


def test_one_click_against_heavy_odds_does_not_drown_out_all_others(call, arms, tmp_path):
    shown = [(2, 1, 0.000001, 1), (2, 0, 0.5, 999), (9, 1, 0.5, 5), (9, 0, 0.5, 995)]

    weights = weighed(call, tmp_path, 1, log(tmp_path, *shown))["weights"]

    assert 0.25 < weights["9"] < weights["2"] < 0.75


def test_more_impressions_move_the_weights_further(call, arms, tmp_path):
    shares = [
        weighed(
            call,
            tmp_path,
            1,
            log(
                tmp_path,
                (2, 1, 0.5, 2 * n),
                (2, 0, 0.5, 98 * n),
                (9, 1, 0.5, n),
                (9, 0, 0.5, 99 * n),
            ),
        )["weights"]["2"]
        for n in (1, 10, 100)
    ]

    assert shares == sorted(shares)
    assert 0.5 < shares[0] < 0.55
    assert shares[-1] == pytest.approx(2 / 3, abs=0.02)


def test_nothing_beyond_the_standard_library_is_imported(script, arms):
    done = script("bandit", "calc_weights", "--experiment=1", PYTHONPROFILEIMPORTTIME="1")

    assert done.returncode == 0
    assert "argparse" in done.stderr
    assert "numpy" not in done.stderr


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(2, 0, 0.5, 3)], "log.csv: 3 impressions and no click: there is nothing to learn"),
        ([], "log.csv: 0 impressions and no click: there is nothing to learn"),
        ([(3, 1, 0.5, 1), (2, 2, 0.5, 1)], "log.csv:3: click is '2', expected 0 or 1"),
        (
            [(2, 1, 0.0, 1)],
            "log.csv:2: propensity_score is '0.0', expected above 0, at most 1",
        ),
        (
            [(2, 1, "high", 1)],
            "log.csv:2: propensity_score is 'high', expected above 0, at most 1",
        ),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_with_its_place(call, arms, tmp_path, rows, message):
    done = call("bandit", "calc_weights", "--experiment=1", log(tmp_path, *rows))

    assert done.returncode == 1
    assert f"calc_weights: {message}\n" == done.stderr.replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ARMS, "arms.csv: experiment 3 has no arms"),
        ("experiment,item\n3,1\n", "arms.csv:1: column experiment_id, item_id is missing"),
        ("experiment_id,item_id\n3\n", "arms.csv:2: fewer fields than columns"),
    ],
)
def test_arms_that_cannot_be_used_are_refused(call, arms, content, message):
    arms.write_text(content, encoding="utf-8")

    done = call("bandit", "calc_weights", "--experiment=3")

    assert (1, f"calc_weights: {message}\n") == (done.returncode, done.stderr)


def joined(call, tmp_path, found):
    (tmp_path / "all.json").write_text(json.dumps(found), encoding="utf-8")
    return call("bandit", "join_weights", "all.json")


def test_weights_of_all_experiments_become_one_model_and_rows(call, arms, tmp_path):
    found = [weighed(call, tmp_path, experiment) for experiment in (2, 1)]

    done = joined(call, tmp_path, found)

    assert (done.returncode, done.stderr) == (0, "")
    model = json.loads((tmp_path / "model.json").read_text("utf-8"))
    assert [found[1], found[0]] == model["experiments"]
    assert model["metrics"] == {"experiments": 2, "arms": 5, "least_clicks": 1}
    assert model["metrics"] == json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert ((tmp_path / "weights.csv").read_text("utf-8").splitlines()[:4]) == [
        "experiment_id,item_id,weight",
        "1,2,0.52669",
        "1,9,0.47331",
        "2,0,0.38381",
    ]


ONE = {"experimentId": 1, "weights": {"2": 0.5, "9": 0.5}, "impressions": 9, "clicks": 1}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "it is no list of weights"),
        ({}, "it is no list of weights"),
        ([ONE, ONE], "experiment 1 is there twice"),
        (
            [ONE | {"weights": {"2": 0.5, "9": 0.4}}],
            "experiment 1: the weights sum to 0.9000, not to 1",
        ),
        ([ONE, {"experimentId": 2}], 'an entry is not of calc_weights: {"experimentId": 2}'),
        (["1"], 'an entry is not of calc_weights: "1"'),
    ],
)
def test_a_list_that_is_not_one_of_weights_is_refused(call, tmp_path, found, message):
    done = joined(call, tmp_path, found)

    assert (1, f"join_weights: all.json: {message}\n") == (done.returncode, done.stderr)
    assert not (tmp_path / "model.json").exists()


def list_experiments(documents, tmp_path):
    """The source of the step, with its absolute folder turned into one of the test's."""
    _, workflow = documents("bandit")
    template = next(t for t in workflow["spec"]["templates"] if t["name"] == "list-experiments")
    return template["script"]["source"].replace("/output", str(tmp_path / "output"))


@pytest.mark.slow
def test_the_running_experiments_are_listed_with_their_arms(database, documents, tmp_path):
    database.shell(f"psql db -q -f {SQL}", tmp_path)

    done = database.shell(f"set -e\n{list_experiments(documents, tmp_path)}", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    listed = (tmp_path / "output" / "experiments.json").read_text("utf-8")
    assert listed == '[{"experimentId": 1}, {"experimentId": 2}, {"experimentId": 4}]\n'
    arms = (tmp_path / "output" / "arms.csv").read_text("utf-8").splitlines()
    assert arms[:3] == ["experiment_id,item_id", "1,2", "1,9"]


@pytest.mark.slow
def test_a_thousand_experiments_are_listed(database, documents, tmp_path):
    database.shell(f"psql db -q -f {SQL}", tmp_path)
    database.rows("INSERT INTO experiments SELECT n, 'test' FROM generate_series(5, 1001) AS n")

    database.shell(f"set -e\n{list_experiments(documents, tmp_path)}", tmp_path)

    listed = json.loads((tmp_path / "output" / "experiments.json").read_text("utf-8"))
    assert [n for n in range(1, 1002) if n != 3] == [item["experimentId"] for item in listed]


@pytest.mark.slow
def test_without_a_running_experiment_the_step_fails_and_says_so(database, documents, tmp_path):
    database.shell(f"psql db -q -f {SQL}", tmp_path)
    database.rows("UPDATE experiments SET running = false")

    done = database.shell(f"set -e\n{list_experiments(documents, tmp_path)}", tmp_path)

    assert (done.returncode, done.stderr) == (1, "no experiment is running\n")


@pytest.mark.slow
def test_weights_are_saved_and_saved_again(database, call, arms, tmp_path):
    database.shell(f"psql db -q -f {SQL}", tmp_path)
    joined(call, tmp_path, [weighed(call, tmp_path, experiment) for experiment in (1, 2)])

    for _ in range(2):
        done = database.shell(SAVE, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")

    found = database.rows(
        "SELECT experiment_id, item_id, weight::text, model FROM weights ORDER BY 1, 2"
    )
    assert found[0] == (1, 2, "0.52669", "bandit-v3")
    assert len(found) == 5


@pytest.mark.slow
def test_an_arm_that_was_taken_away_meanwhile_gets_no_weight(database, call, arms, tmp_path):
    database.shell(f"psql db -q -f {SQL}", tmp_path)
    joined(call, tmp_path, [weighed(call, tmp_path, 1)])
    database.rows("DELETE FROM arms WHERE experiment_id = 1 AND item_id = 9")

    done = database.shell(SAVE, tmp_path)

    assert done.returncode == 0
    assert database.rows("SELECT experiment_id, item_id FROM weights") == [(1, 2)]
