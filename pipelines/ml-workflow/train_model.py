"""Train one of two models that forecast monthly sales from a dataset that psql wrote.

Both answer the same question in the same shape, so that whoever chooses needs to know neither:
`model1` is a regression on trend, season and advertising, `model2` repeats last year's season at
this year's level. Each is measured on the last months, which it has not seen.

The dataset is psql's unaligned output: a header, the rows in any order, and a last line that counts
them. The count is checked, for a connection that broke half-way leaves a shorter file behind.
"""

import argparse
import csv
import itertools
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

COLUMNS = ("month", "television", "radio", "sales")
YEAR = 12
LEAST = 3 * YEAR  # two years to fit on and one to measure on


class Unusable(Exception):
    """The dataset cannot be used; the message says where and why."""


def read_dataset(path: Path) -> tuple[list[str], Array]:
    """Return the months in order and a matrix: months x (television, radio, sales)."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    count = re.fullmatch(r"\((\d+) rows?\)", lines[-1]) if lines else None
    if count is None:
        raise Unusable(f"{path}:{len(lines)}: psql's count of rows is missing: the query broke off")
    reader = csv.DictReader(lines[:-1])
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise Unusable(f"{path}:1: column {', '.join(missing)} is missing")
    rows = sorted(reader, key=lambda row: row["month"] or "")
    if len(rows) != int(count[1]):
        raise Unusable(f"{path}: {len(rows)} rows, but psql counted {count[1]}")
    if len(rows) < LEAST:
        raise Unusable(f"{path}: {len(rows)} months, at least {LEAST} are needed")
    try:
        values = np.array([[float(row[name]) for name in COLUMNS[1:]] for row in rows])
        months = [int(row["month"][:4]) * YEAR + int(row["month"][5:7]) for row in rows]
    except (TypeError, ValueError) as error:
        raise Unusable(f"{path}: {error}") from None
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise Unusable(f"{path}: every value must be a number above 0")
    if any(after != before + 1 for before, after in itertools.pairwise(months)):
        raise Unusable(f"{path}: the months do not follow one another")
    return [row["month"] for row in rows], values


def regression(months: list[str], values: Array, known: int) -> Array:
    """Regress log sales on trend, season and log advertising; return sales for every month."""
    season = np.array([int(month[5:7]) for month in months])
    columns = np.column_stack(
        [
            *[season == k for k in range(1, YEAR + 1)],
            np.arange(len(months)) / YEAR,
            np.log(values[:, :2]),
        ]
    )
    target = np.log(values[:known, 2])
    coefficients, *_ = np.linalg.lstsq(columns[:known], target, rcond=None)
    forecast: Array = np.exp(columns @ coefficients)
    return forecast


def seasonal(_: list[str], values: Array, known: int) -> Array:
    """Repeat last year's sales, moved by the growth between the last two years that are known."""
    sales = values[:known, 2]
    growth = sales[-YEAR:].mean() / sales[-2 * YEAR : -YEAR].mean()
    forecast = list(sales[:YEAR])
    for i in range(YEAR, len(values)):
        before = sales[i - YEAR] if i - YEAR < known else forecast[i - YEAR]
        forecast.append(before * growth)
    return np.array(forecast)


MODELS: dict[str, Callable[[list[str], Array, int], Array]] = {
    "model1": regression,
    "model2": seasonal,
}


def train(name: str, months: list[str], values: Array, holdout: int) -> dict[str, object]:
    """Train a model by name and measure it on the last `holdout` months."""
    known = len(months) - holdout
    forecast = MODELS[name](months, values, known)
    error = forecast[known:] / values[known:, 2] - 1
    return {
        "name": name,
        "kind": MODELS[name].__name__,
        "trained_rows": known,
        "metrics": {"mape": round(float(np.abs(error).mean()), 4)},
        "forecast": {
            month: round(float(sales), 2)
            for month, sales in zip(months[known:], forecast[known:], strict=True)
        },
    }


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the dataset cannot be used."""
    parser = argparse.ArgumentParser(description="Train one model; write it as JSON.")
    parser.add_argument("--model", required=True, choices=sorted(MODELS))
    parser.add_argument("--holdout", type=int, default=YEAR, help="months to measure on (12)")
    parser.add_argument(
        "--dataset",
        type=Path,
        default=Path(os.environ.get("DATASET", "dataset.csv")),
        help="what psql wrote ($DATASET, else dataset.csv)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(os.environ.get("OUTPUT", "model.json")),
        help="where the model goes ($OUTPUT, else model.json)",
    )
    chosen = parser.parse_args(given)
    if not 1 <= chosen.holdout <= YEAR:
        parser.error("--holdout is a number of months from 1 to 12")
    try:
        model = train(chosen.model, *read_dataset(chosen.dataset), chosen.holdout)
    except Unusable as error:
        print(f"train_model: {error}", file=sys.stderr)
        return 1
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(model) + "\n", encoding="utf-8")
    print(f"{chosen.model}: {json.dumps(model['metrics'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
