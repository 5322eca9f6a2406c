"""Train a model of call-back rates by industry and job, from résumés that were answered or not.

A logistic regression with a ridge penalty: an industry or job with few résumés is drawn towards the
mean, so that a job answered twice by chance does not lead the ranking. Quality and experience of a
résumé are in it so that a job is not praised for the good résumés it was sent.

Every fifth advertisement is held out. Whole advertisements, because the four résumés sent to one
share its fate and would tell on each other.
"""

import argparse
import collections
import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

COLUMNS = ("call", "industry", "job", "quality", "experience")
ADVERT = 4  # résumés sent to one advertisement
FOLD = 5  # every fifth advertisement is held out
LEAST = 200  # résumés; with fewer, the held-out part has next to no call-back
STEPS = 50
HERE = Path(__file__).resolve().parent


class Unusable(Exception):
    """The résumés cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Resumes:
    """Résumés as columns: called back (0 or 1), industry, job, quality (0 or 1), experience."""

    call: Array
    industry: list[str]
    job: list[str]
    quality: Array
    experience: Array


def read_resumes(path: Path) -> Resumes:
    """Read the résumés in the file's order; Unusable says which line is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise Unusable(f"{path}:1: column {', '.join(missing)} is missing")
    rows = []
    for row in reader:
        place = f"{path}:{reader.line_num}"
        for name, allowed in (("call", ("yes", "no")), ("quality", ("high", "low"))):
            if row[name] not in allowed:
                raise Unusable(f"{place}: {name} is {row[name]!r}, expected {' or '.join(allowed)}")
        years = row["experience"] or ""
        if not years.isdecimal() or len(years) > 2:  # noqa: PLR2004  nobody worked for 100 years
            raise Unusable(f"{place}: experience is {years!r}, not a number of years")
        rows.append(row)
    if len(rows) < LEAST:
        raise Unusable(f"{path}: {len(rows)} résumés, at least {LEAST} are needed")
    return Resumes(
        call=np.array([row["call"] == "yes" for row in rows], dtype=float),
        industry=[row["industry"] for row in rows],
        job=[row["job"] for row in rows],
        quality=np.array([row["quality"] == "high" for row in rows], dtype=float),
        experience=np.array([row["experience"] for row in rows], dtype=float),
    )


def fit(columns: Array, call: Array, ridge: float) -> Array:
    """Fit a logistic regression by Newton's method; the first column, the level, is not drawn in.

    Raises Unusable when it does not settle, as it does not on data that is all yes or all no.
    """
    penalty = np.full(columns.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        rate = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (call - rate) - penalty * weights
        bend = (columns * (rate * (1 - rate))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004  far below what is written out
            return weights
    raise Unusable("the regression does not settle: are there call-backs and refusals in the data?")


def log_loss(call: Array, rate: Array) -> float:
    """Return the mean negative log likelihood: smaller is better."""
    return float(-np.mean(call * np.log(rate) + (1 - call) * np.log(1 - rate)))


def chance_to_rank(call: Array, rate: Array) -> float:
    """Return the chance that a résumé with a call-back got a higher rate than one without (AUC)."""
    higher = rate[call == 1][:, None] - rate[call == 0][None, :]
    return float(np.mean((higher > 0) + 0.5 * (higher == 0)))


def train(resumes: Resumes, ridge: float) -> dict[str, object]:
    """Measure on the held-out advertisements, then train on all; return what model.json holds."""
    industries, jobs = sorted(set(resumes.industry)), sorted(set(resumes.job))
    experience = resumes.experience - resumes.experience.mean()
    columns = np.column_stack(
        [
            np.ones(len(resumes.call)),
            *[np.array(resumes.industry) == name for name in industries],
            *[np.array(resumes.job) == name for name in jobs],
            resumes.quality - resumes.quality.mean(),
            experience / max(float(experience.std()), 1e-9),
        ]
    )
    held = np.arange(len(resumes.call)) // ADVERT % FOLD == FOLD - 1
    known, asked = resumes.call[~held], resumes.call[held]
    if not (0 < known.sum() < len(known) and 0 < asked.sum() < len(asked)):
        raise Unusable("both parts, kept and held out, need call-backs and refusals")
    rate = 1 / (1 + np.exp(-columns[held] @ fit(columns[~held], known, ridge)))
    base = log_loss(asked, np.full(len(asked), known.mean()))
    weights = [round(float(weight), 6) for weight in fit(columns, resumes.call, ridge)]
    after = 1 + len(industries)
    seen = collections.Counter(zip(resumes.industry, resumes.job, strict=True))
    return {
        "name": "job-ranking",
        "level": weights[0],
        "industry": dict(zip(industries, weights[1:after], strict=True)),
        "job": dict(zip(jobs, weights[after:-2], strict=True)),
        "quality": weights[-2],
        "experience": weights[-1],
        "pairs": [[industry, job, count] for (industry, job), count in sorted(seen.items())],
        "parameters": {"ridge": ridge},
        "trained_rows": len(resumes.call),
        "metrics": {
            "auc": round(chance_to_rank(asked, rate), 4),
            "gain": round(base - log_loss(asked, rate), 5),
            "rate": round(float(resumes.call.mean()), 4),
        },
    }


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the résumés cannot be used."""
    parser = argparse.ArgumentParser(description="Train the call-back model; write it as JSON.")
    parser.add_argument("--resumes", type=Path, default=HERE / "data" / "resumes.csv")
    parser.add_argument("--ridge", type=float, default=20.0, help="how strongly to draw in (20.0)")
    parser.add_argument("--model", type=Path, default=Path("model.json"))
    parser.add_argument("--metrics", type=Path, default=Path("metrics.json"))
    chosen = parser.parse_args(given)
    if not chosen.ridge > 0:
        parser.error("--ridge is a number above 0")
    try:
        model = train(read_resumes(chosen.resumes), chosen.ridge)
    except Unusable as error:
        print(f"train_model: {error}", file=sys.stderr)
        return 1
    for path, content in ((chosen.model, model), (chosen.metrics, model["metrics"])):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{model['trained_rows']} résumés, {json.dumps(model['metrics'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
