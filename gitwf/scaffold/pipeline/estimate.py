"""Estimate what advertising does to sales: a straight line, with the error of its forecast.

Reads a table with the columns `spend` and `sales`, fits all months but the last few, measures the
mean absolute percentage error (mape) on those, and writes the model and its metrics as JSON.
"""

import argparse
import csv
import json
import pathlib

POINTS = 20


def line(spend: list[float], sales: list[float]) -> tuple[float, float]:
    """Fit sales = base + slope * spend by least squares."""
    middle = sum(spend) / len(spend)
    average = sum(sales) / len(sales)
    spread = sum((x - middle) ** 2 for x in spend)
    slope = sum((x - middle) * (y - average) for x, y in zip(spend, sales, strict=True)) / spread
    return average - slope * middle, slope


def main() -> None:
    """Read, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("data", "name", "model", "metrics"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--holdout", type=int, default=6, help="months to measure the forecast on")
    chosen = parser.parse_args()

    with pathlib.Path(chosen.data).open(encoding="utf-8", newline="") as file:
        rows = [(float(row["spend"]), float(row["sales"])) for row in csv.DictReader(file)]
    spend, sales = [x for x, _ in rows], [y for _, y in rows]
    base, slope = line(spend[: -chosen.holdout], sales[: -chosen.holdout])
    missed = [abs(base + slope * x - y) / y for x, y in rows[-chosen.holdout :]]
    metrics = {"mape": round(sum(missed) / len(missed), 4)}

    grid = [max(spend) * point / POINTS for point in range(POINTS + 1)]
    model = {
        "name": chosen.name,
        "channels": {"advertising": {"spend": grid, "effect": [slope * x for x in grid]}},
        "units": {"effect": "sales", "spend": "spend"},
        "metrics": metrics,
        "parameters": {"holdout": chosen.holdout, "base": base, "slope": slope},
    }
    for where, content in ((chosen.model, model), (chosen.metrics, metrics)):
        pathlib.Path(where).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(where).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
