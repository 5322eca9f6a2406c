"""Choose the trained model with the smallest error on the months that no model has seen.

It reads what train_model.py wrote, looks at `metrics` alone, and hands the file on as it is. Of two
equally good models it takes the one named first.
"""

import argparse
import json
import math
import shutil
import sys
from pathlib import Path


def error_of(path: Path) -> float:
    """Return the model's hold-out error; ValueError when the file does not hold one."""
    model = json.loads(path.read_text(encoding="utf-8"))
    try:
        mape = float(model["metrics"]["mape"])
    except (KeyError, TypeError) as error:
        raise ValueError("it has no metrics.mape") from error
    if not math.isfinite(mape):
        raise ValueError(f"its metrics.mape is {mape}")
    return mape


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when a file is no trained model."""
    parser = argparse.ArgumentParser(description="Choose the model with the smallest error.")
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, default=Path("model.json"))
    parser.add_argument("--metrics", type=Path, default=Path("metrics.json"))
    chosen = parser.parse_args(given)
    errors = {}
    for path in chosen.models:
        try:
            errors[path] = error_of(path)
        except (OSError, ValueError) as error:
            print(f"choose_model: {path}: {error}", file=sys.stderr)
            return 1
    best = min(errors, key=lambda path: errors[path])
    for path in (chosen.model, chosen.metrics):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(best, chosen.model)
    chosen.metrics.write_text(json.dumps({"mape": errors[best]}) + "\n", encoding="utf-8")
    print(f"{best}: mape {errors[best]}, of {len(errors)} models")
    return 0


if __name__ == "__main__":
    sys.exit(main())
