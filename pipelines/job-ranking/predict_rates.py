"""Predict the call-back rate of each industry and job, and write the ranking as CSV.

The rate is that of the mean résumé, so that jobs are compared and not the people who were sent to
them. Pairs that the model never saw are left out: nobody asked there. Standard library only, and
no database: whoever holds the password imports the file.
"""

import argparse
import csv
import json
import math
import sys
from pathlib import Path
from typing import Any


def rates(model: Any) -> list[tuple[str, str, float]]:
    """Return (industry, job, rate) by falling rate, ties by name.

    Raises KeyError, TypeError or ValueError when this is no model of train_model.py.
    """
    level, industry, job = float(model["level"]), model["industry"], model["job"]
    found = [
        (i, j, round(1 / (1 + math.exp(-(level + industry[i] + job[j]))), 6))
        for i, j, _ in model["pairs"]
    ]
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the model cannot be read."""
    parser = argparse.ArgumentParser(description="Write the ranking of industries and jobs as CSV.")
    parser.add_argument("--model", type=Path, default=Path("model.json"))
    parser.add_argument("--rates", type=Path, default=Path("rates.csv"))
    chosen = parser.parse_args(given)
    try:
        ranking = rates(json.loads(chosen.model.read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError) as error:
        print(f"predict_rates: {chosen.model} is no model of train_model: {error}", file=sys.stderr)
        return 1
    chosen.rates.parent.mkdir(parents=True, exist_ok=True)
    with chosen.rates.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["industry", "job", "rate", "rank"])
        writer.writerows([*pair, rank] for rank, pair in enumerate(ranking, start=1))
    print(f"{len(ranking)} pairs, highest: {', '.join(str(value) for value in ranking[0])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
