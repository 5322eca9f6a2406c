"""Join the weights of all experiments into one model file and a CSV for the database.

It reads the JSON list that the workflow engine makes of the outputs of all `calc-weights` steps,
and checks it before anyone imports it: every experiment once, and shares that sum to one.
"""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

SLACK = 1e-3  # each of a few arms is rounded to five decimals


def check(found: Any) -> None:
    """Raise ValueError or TypeError that says which experiment is wrong, and how."""
    if not isinstance(found, list) or not found:
        raise ValueError("it is no list of weights")
    seen = set()
    for entry in found:
        try:
            number, _ = int(entry["experimentId"]), int(entry["clicks"])
            total = sum(entry["weights"].values())
        except (AttributeError, KeyError, TypeError) as error:
            raise TypeError(f"an entry is not of calc_weights: {json.dumps(entry)[:80]}") from error
        if number in seen:
            raise ValueError(f"experiment {number} is there twice")
        seen.add(number)
        if abs(total - 1) > SLACK:
            raise ValueError(f"experiment {number}: the weights sum to {total:.4f}, not to 1")


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the list is not one of weights."""
    parser = argparse.ArgumentParser(description="Join weights into a model and a CSV file.")
    parser.add_argument("weights", type=Path, help="a JSON list of what calc_weights.py writes")
    parser.add_argument("--model", type=Path, default=Path("model.json"))
    parser.add_argument("--metrics", type=Path, default=Path("metrics.json"))
    parser.add_argument("--rows", type=Path, default=Path("weights.csv"))
    chosen = parser.parse_args(given)
    try:
        found = json.loads(chosen.weights.read_text(encoding="utf-8"))
        check(found)
    except (OSError, TypeError, ValueError) as error:
        print(f"join_weights: {chosen.weights}: {error}", file=sys.stderr)
        return 1
    found.sort(key=lambda entry: entry["experimentId"])
    metrics = {
        "experiments": len(found),
        "arms": sum(len(entry["weights"]) for entry in found),
        "least_clicks": min(entry["clicks"] for entry in found),
    }
    for path in (chosen.model, chosen.metrics, chosen.rows):
        path.parent.mkdir(parents=True, exist_ok=True)
    model = {"name": "bandit", "experiments": found, "metrics": metrics}
    chosen.model.write_text(json.dumps(model) + "\n", encoding="utf-8")
    chosen.metrics.write_text(json.dumps(metrics) + "\n", encoding="utf-8")
    with chosen.rows.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["experiment_id", "item_id", "weight"])
        for entry in found:
            writer.writerows([entry["experimentId"], *arm] for arm in entry["weights"].items())
    print(json.dumps(metrics))
    return 0


if __name__ == "__main__":
    sys.exit(main())
