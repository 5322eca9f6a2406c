"""The estimate of what advertising does to sales, on the data that ships with it."""

import itertools
import json
import pathlib
import subprocess
import sys

import pytest

AD_EFFECT = pathlib.Path(__file__).parents[2] / "pipelines" / "ad-effect"
ADVERTS = AD_EFFECT / "data" / "adverts.csv"
SALES = AD_EFFECT / "data" / "sales.csv"


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def written(folder, name, lines):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Run it once on the data that ships with it; its model and metrics are in this folder."""
    folder = tmp_path_factory.mktemp("estimate")
    subprocess.run(
        [sys.executable, AD_EFFECT / "estimate.py"], cwd=folder, check=True, capture_output=True
    )
    return folder


@pytest.fixture
def model(files):
    return json.loads((files / "model.json").read_text(encoding="utf-8"))


@pytest.fixture
def mape(load):
    """Measure without the model itself, which takes half of the time."""
    estimate = load("ad-effect", "estimate")

    def measured(adverts=ADVERTS, window=168):
        history = estimate.join(adverts, SALES, window, 12)
        return estimate.measure(history, estimate.Settings(window, 12, 1.0))["mape"]

    return measured


def first_rows(tmp_path, count):
    return written(tmp_path, "part.csv", lines_of(ADVERTS)[: count + 1])


def at(curve, spend):
    """Read a curve between its points, as the viewer does."""
    pairs = list(zip(curve["spend"], curve["effect"], strict=True))
    for (x0, y0), (x1, y1) in itertools.pairwise(pairs):
        if spend <= x1:
            return y0 + (y1 - y0) * (spend - x0) / (x1 - x0)
    return pairs[-1][1]


def test_the_model_holds_what_the_viewer_reads(model):
    assert {key: model[key] for key in ("name", "trained_rows", "parameters", "period")} == {
        "name": "ad-effect",
        "trained_rows": 168,
        "parameters": {"window": 168, "holdout": 12, "ridge": 1.0},
        "period": {"from": "1981-01", "to": "1994-12"},
    }
    assert list(model["channels"]) == ["television", "radio"]
    for curve in model["channels"].values():
        assert {41} == {len(curve[key]) for key in ("spend", "effect", "low", "high")}
        assert curve["spend"] == sorted(curve["spend"])
        assert (curve["spend"][0], curve["effect"][0]) == (0, 0)
        band = zip(curve["low"], curve["effect"], curve["high"], strict=True)
        assert all(low <= effect <= high for low, effect, high in band)
    assert sum(c["share"] for c in model["channels"].values()) == pytest.approx(1, abs=1e-3)
    assert 0 == model["budget"]["min"] < model["budget"]["default"] < model["budget"]["max"]
    assert {"spend", "effect", "period"} == set(model["units"])


def test_metrics_are_measured_on_months_that_the_model_has_not_seen(model, files):
    assert model["metrics"] == {"mape": 0.0285, "r2": 0.8449, "bias": 0.0046}
    assert model["metrics"] == json.loads((files / "metrics.json").read_text("utf-8"))


def test_held_out_sales_have_no_part_in_the_forecast(load):
    estimate = load("ad-effect", "estimate")
    history = estimate.join(ADVERTS, SALES, 168, 12)
    settings = estimate.Settings(168, 12, 1.0)

    before, _ = estimate.fit_all(history, 156, settings.ridge)
    history.sales[156:] = 1000.0
    after, _ = estimate.fit_all(history, 156, settings.ridge)

    assert before.tolist() == after.tolist()


def test_both_channels_go_with_more_sales_and_television_with_the_most(model):
    channels = model["channels"]
    television, radio = channels["television"], channels["radio"]
    assert 6 < television["effect"][-1] < 13
    assert 1 < radio["effect"][-1] < television["effect"][-1]
    assert television["low"][-1] > 0  # zero is outside the band: it is not by chance alone
    for curve in channels.values():
        assert curve["effect"] == sorted(curve["effect"])


def test_the_curves_bend_so_that_each_further_spend_brings_less(model):
    for curve in model["channels"].values():
        gains = [
            after - before
            for before, after in zip(curve["effect"], curve["effect"][1:], strict=False)
        ]

        assert all(later <= earlier + 0.002 for earlier, later in itertools.pairwise(gains))


def test_sales_expected_at_the_usual_budget_are_those_of_the_last_year(model):
    last_year = [float(line.split(",")[1]) for line in lines_of(SALES)[-12:]]

    expected = model["baseline"] + sum(
        at(curve, model["budget"]["default"] * curve["share"])
        for curve in model["channels"].values()
    )

    assert expected == pytest.approx(sum(last_year) / 12, rel=0.05)


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes_in_another_process(call, tmp_path, files):
    done = call("ad-effect", "estimate")

    assert done.stdout == '168 months, {"mape": 0.0285, "r2": 0.8449, "bias": 0.0046}\n'
    assert (files / "model.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "4"])
def test_the_number_of_threads_does_not_change_the_model(script, tmp_path, files, threads):
    script("ad-effect", "estimate", OPENBLAS_NUM_THREADS=threads)

    assert (files / "model.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.slow
def test_each_further_year_of_data_gives_a_better_model(mape, tmp_path):
    found = [mape(first_rows(tmp_path, rows)) for rows in (182, 189, 195, 202, 208, 215, 221)]

    assert found == [0.0707, 0.0638, 0.0551, 0.045, 0.0344, 0.0324, 0.0285]


@pytest.mark.parametrize(("window", "expected"), [(84, 0.05), (90, 0.0477), (72, 0.0431)])
def test_a_window_that_is_too_short_gives_a_model_that_the_gate_holds_back(mape, window, expected):
    worse = mape(window=window)

    assert expected == worse
    assert worse > 0.0285 * 1.1


def test_a_window_of_twelve_years_is_within_a_tenth(call, tmp_path):
    call("ad-effect", "estimate", "--window", 144)

    found = json.loads((tmp_path / "metrics.json").read_text("utf-8"))["mape"]
    assert found == 0.0307 <= 0.0285 * 1.1


def test_spend_entered_in_thousands_gives_a_model_that_the_gate_holds_back(mape, tmp_path):
    rows = [line.split(",") for line in lines_of(ADVERTS)]
    broken = [
        [year, period, f"{float(tv) / 1000}", radio] for year, period, tv, radio in rows[-13:]
    ]
    path = written(tmp_path, "broken.csv", [",".join(row) for row in rows[:-13] + broken])

    assert mape(path) == 0.0604


def test_a_month_covered_in_part_is_left_out(load, tmp_path):
    history = load("ad-effect", "history")

    spend = history.read_spend(first_rows(tmp_path, 2))

    assert [f"{month:%Y-%m}" for month in spend] == ["1978-01"]


def test_no_spend_is_lost_between_periods_and_months(load):
    history = load("ad-effect", "history")

    months = history.read_spend(ADVERTS).values()
    periods = [line.split(",") for line in lines_of(ADVERTS)[1:]]

    assert sum(m[0] for m in months) == pytest.approx(sum(float(p[2]) for p in periods))
    assert sum(m[1] for m in months) == pytest.approx(sum(float(p[3]) for p in periods))


def test_steady_spend_is_smoothed_to_itself(load):
    estimate = load("ad-effect", "estimate")
    steady = estimate.np.full((24, 2), 7.0)

    assert estimate.adstock(steady, estimate.np.array([0.0, 0.8])) == pytest.approx(steady)


def broken_adverts(tmp_path, change):
    return ["--adverts", written(tmp_path, "adverts.csv", change(lines_of(ADVERTS)))]


def broken_sales(tmp_path, change):
    return ["--sales", written(tmp_path, "sales.csv", change(lines_of(SALES)))]


def without_radio(lines):
    return [line.rsplit(",", 1)[0] for line in lines]


@pytest.mark.parametrize(
    ("which", "change", "message"),
    [
        (
            broken_adverts,
            without_radio,
            "adverts.csv:1: column radio is missing; there is: year, period, television",
        ),
        (
            broken_adverts,
            lambda lines: lines[:4] + lines[5:],
            "adverts.csv:5: year,period 1978,4 expected, found 1978,5",
        ),
        (
            broken_adverts,
            lambda lines: [line.replace(",1954.000", ",n.a.") for line in lines],
            "adverts.csv:2: radio is 'n.a.', not a number",
        ),
        (
            broken_adverts,
            lambda lines: [line.replace(",1954.000", ",nan") for line in lines],
            "adverts.csv:2: radio is nan, expected a number from 0 to 1e+12",
        ),
        (
            broken_adverts,
            lambda lines: [line.replace(",1954.000", ",-1") for line in lines],
            "adverts.csv:2: radio is -1, expected a number from 0 to 1e+12",
        ),
        (
            broken_adverts,
            lambda lines: [line.replace(",1954.000", "") for line in lines],
            "adverts.csv:2: fewer fields than columns",
        ),
        (
            broken_adverts,
            lambda lines: [lines[0], *(f"1{line}" for line in lines[1:])],
            "adverts.csv:2: year,period YYYY,1 to 13 expected, found 11978,1",
        ),
        (
            broken_adverts,
            lambda lines: [line.replace("1978,2,", "1978,2.5,") for line in lines],
            "adverts.csv:3: year,period 1978,2 expected, found 1978,2.5",
        ),
        (broken_adverts, lambda lines: lines[:1], "adverts.csv: no rows"),
        (
            broken_adverts,
            lambda lines: lines[:20],
            "too few months: 17 in both files and in the window of 168, less 12 held out; at least 24 are needed to fit on. Give more rows or a longer window.",
        ),
        (
            broken_adverts,
            lambda lines: [
                lines[0],
                *(f"{a},{b},0,{d}" for a, b, _, d in (line.split(",") for line in lines[1:])),
            ],
            "adverts.csv: television is 0 in all 168 months used",
        ),
        (
            broken_sales,
            lambda lines: [line for line in lines if not line.startswith("1990-05")],
            "sales.csv: month 1990-05 is missing",
        ),
        (
            broken_sales,
            lambda lines: [*lines, lines[-1]],
            "sales.csv:206: month 1994-12 is there twice",
        ),
        (
            broken_sales,
            lambda lines: [*lines, "May 1995,3"],
            "sales.csv:206: month is 'May 1995', expected YYYY-MM",
        ),
        (
            broken_sales,
            lambda lines: [*lines, "1995-01,0"],
            "sales.csv:206: index is 0, so no error can be a share of it",
        ),
    ],
)
def test_input_that_cannot_be_used_is_refused_with_its_place(
    call, tmp_path, which, change, message
):
    done = call("ad-effect", "estimate", *which(tmp_path, change))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.replace(f"{tmp_path}/", "") == f"estimate: {message}\n"
    assert not (tmp_path / "model.json").exists()


def test_a_file_that_is_not_there_is_named(call):
    done = call("ad-effect", "estimate", "--adverts", "nowhere.csv")

    assert done.returncode == 1
    assert done.stderr.startswith("estimate: nowhere.csv: cannot be read:")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--window", "long"], "argument --window: invalid int value: 'long'"),
        (["--window", "0"], "--window and --holdout are whole months, 1 or more"),
        (["--ridge", "nan"], "--ridge is a number above 0"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(call, args, message):
    done = call("ad-effect", "estimate", *args)

    assert done.returncode == 2
    assert done.stderr.endswith(f"error: {message}\n")
