"""Calculate how often each arm of one experiment should be shown from now on.

The site's bandit showed the items it liked more often than others, so plain click rates compare
unlike with unlike. Each impression therefore counts by the inverse of the probability with which it
was shown (inverse propensity weighting), and the rates are divided by the sum of those weights. An
item shown against heavy odds would drown out all others, so a weight is cut at MOST. A rate
from few impressions is drawn towards the rate of all items, and the weights are the rates' shares.

It runs once for each experiment, up to a thousand times in one workflow, so it imports nothing
beyond the standard library and reads the log once.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

MOST = 34.0  # the most one impression weighs: as in an even choice among the log's 34 items
PRIOR = 500.0  # impressions' worth of belief in the rate of all items
HERE = Path(__file__).resolve().parent


class Unusable(Exception):
    """The input cannot be used; the message says which file and line, and why."""


class Tally:
    """What was seen of an item: impressions, clicks, and sums of weights, their squares, clicks."""

    # No dataclass: importing that module would take a fifth of this program's time.
    def __init__(self) -> None:
        self.impressions = self.clicks = 0
        self.weight = self.squares = self.clicked = 0.0

    def add(self, click: int, propensity: float) -> None:
        """Count one impression."""
        weight = min(1 / propensity, MOST)
        self.impressions += 1
        self.clicks += click
        self.weight += weight
        self.squares += weight * weight
        self.clicked += weight * click

    def rate(self, base: float) -> float:
        """Return the click rate, drawn towards `base` as far as the impressions are few.

        Weighted impressions tell as much as `weight ** 2 / squares` equal ones would.
        """
        if not self.impressions:
            return base
        worth = self.weight**2 / self.squares
        return (self.clicked / self.weight * worth + base * PRIOR) / (worth + PRIOR)


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's line number and the fields of `columns`, in their order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    reader = csv.reader(lines)
    header = next(reader, [])
    missing = [name for name in columns if name not in header]
    if missing:
        raise Unusable(f"{path}:1: column {', '.join(missing)} is missing")
    places = [header.index(name) for name in columns]
    for row in reader:
        try:
            yield reader.line_num, [row[place] for place in places]
        except IndexError:
            raise Unusable(f"{path}:{reader.line_num}: fewer fields than columns") from None


def read_arms(path: Path, experiment: str) -> list[str]:
    """Return the items of one experiment, in the file's order."""
    rows = read_rows(path, ("experiment_id", "item_id"))
    arms = [item for _, (owner, item) in rows if owner == experiment]
    if not arms:
        raise Unusable(f"{path}: experiment {experiment} has no arms")
    return arms


def read_log(path: Path, arms: list[str]) -> tuple[dict[str, Tally], float]:
    """Count the impressions of each arm; also return the click rate of all items."""
    tallies = {arm: Tally() for arm in arms}
    total = clicks = 0
    for line, fields in read_rows(path, ("item_id", "click", "propensity_score")):
        item, click, propensity = fields
        if click not in {"0", "1"}:
            raise Unusable(f"{path}:{line}: click is {click!r}, expected 0 or 1")
        total += 1
        clicks += click == "1"
        if item not in tallies:
            continue
        try:
            chance = float(propensity)
        except ValueError:
            chance = 0.0
        if not 0 < chance <= 1:
            raise Unusable(
                f"{path}:{line}: propensity_score is {propensity!r}, expected above 0, at most 1"
            )
        tallies[item].add(int(click), chance)
    if not clicks:
        raise Unusable(f"{path}: {total} impressions and no click: there is nothing to learn")
    return tallies, clicks / total


def weigh(experiment: str, tallies: dict[str, Tally], base: float) -> dict[str, object]:
    """Return what weights.json holds: the share of each arm, and what it was made from."""
    rates = {arm: tally.rate(base) for arm, tally in tallies.items()}
    total = sum(rates.values())
    return {
        "experimentId": int(experiment),
        "weights": {arm: round(rate / total, 5) for arm, rate in rates.items()},
        "impressions": sum(tally.impressions for tally in tallies.values()),
        "clicks": sum(tally.clicks for tally in tallies.values()),
    }


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the input cannot be used."""
    parser = argparse.ArgumentParser(description="Calculate the weights of one experiment's arms.")
    parser.add_argument("--experiment", required=True, help="the experiment's number")
    parser.add_argument("--arms", type=Path, default=Path("arms.csv"))
    parser.add_argument("--log", type=Path, default=HERE / "data" / "men.csv")
    parser.add_argument("--output", type=Path, default=Path("weights.json"))
    chosen = parser.parse_args(given)
    if not chosen.experiment.isdigit():
        parser.error(f"--experiment is a number, not {chosen.experiment!r}")
    try:
        tallies, base = read_log(chosen.log, read_arms(chosen.arms, chosen.experiment))
    except Unusable as error:
        print(f"calc_weights: {error}", file=sys.stderr)
        return 1
    weights = weigh(chosen.experiment, tallies, base)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(weights) + "\n", encoding="utf-8")
    print(json.dumps(weights))
    return 0


if __name__ == "__main__":
    sys.exit(main())
