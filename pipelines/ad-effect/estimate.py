"""Estimate what television and radio advertising does to retail sales.

Sales of a month are a trend, a season, and for each channel a saturating effect of advertising that
lingers: spend is smoothed over past months (adstock) and bent by `x / (x + half)`. How long it
lingers and where it saturates is not known, so every pair on a small grid is fitted by ridge
regression and all fits are averaged, each weighted by how well it explains the data (its marginal
likelihood). The band round a curve therefore holds both kinds of doubt: the coefficient's and the
grid's. There is no random number in it, so the same rows give the same file.

The last months are held out to measure the forecast; the curves are then fitted on all months.
history.py reads the rows; README.md says what model.json holds.
"""

import argparse
import datetime as dt
import itertools
import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from history import CHANNELS, Array, History, Unusable, join

DECAYS = (0.0, 0.3, 0.6, 0.8)
HALVES = (0.5, 1.0, 2.0)  # in units of the mean monthly spend of the channel
GRID = 41
BAND = 1.2816  # standard deviations on either side that hold 80% of a normal distribution
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Settings:
    """What a person may choose: months of history, months held out, and the ridge penalty."""

    window: int
    holdout: int
    ridge: float


@dataclass(frozen=True)
class Fit:
    """A fit: its log evidence, coefficients (channels first), their covariance, decay and half."""

    evidence: float
    coefficients: Array
    covariance: Array
    decay: Array
    half: Array


def adstock(spend: Array, decay: Array) -> Array:
    """Smooth each channel over time; a constant spend stays what it is."""
    carried = np.empty_like(spend)
    carried[0] = spend[0]
    for i in range(1, len(spend)):
        carried[i] = decay * carried[i - 1] + (1 - decay) * spend[i]
    return carried


def baseline_design(months: list[dt.date]) -> Array:
    """Columns for level, trend (in years) and eleven seasons that sum to zero over a year."""
    number_of = np.array([m.month for m in months])
    seasons = [(number_of == k) - 1.0 * (number_of == 12) for k in range(1, 12)]  # noqa: PLR2004
    return np.column_stack([np.ones(len(months)), np.arange(len(months)) / 12, *seasons])


def design(history: History, decay: Array, half: Array) -> Array:
    """Return the regression's columns: the channels' bent adstock, then the baseline."""
    carried = adstock(history.spend, decay)
    return np.column_stack([carried / (carried + half), baseline_design(history.months)])


def fit_one(history: History, rows: int, decay: Array, half: Array, ridge: float) -> Fit:
    """Fit the first `rows` months for one decay and half of each channel.

    Bayesian linear regression with a normal prior on the channels' coefficients whose precision is
    `ridge` (in units of the noise) and next to none on the baseline: the posterior mean is the
    ridge estimate and the evidence has a closed form.
    """
    columns, sales = design(history, decay, half)[:rows], history.sales[:rows]
    prior = np.full(columns.shape[1], 1e-6)
    prior[: len(CHANNELS)] = ridge
    precision = columns.T @ columns + np.diag(prior)
    coefficients = np.linalg.solve(precision, columns.T @ sales)
    misfit = float(sales @ sales - coefficients @ precision @ coefficients)
    evidence = -0.5 * float(np.linalg.slogdet(precision)[1]) - 0.5 * rows * math.log(misfit)
    covariance = np.linalg.inv(precision) * misfit / rows
    return Fit(evidence, coefficients, covariance, decay, half)


def fit_all(history: History, rows: int, ridge: float) -> tuple[Array, list[Fit]]:
    """Fit the whole grid on the first `rows` months: the weights (they sum to 1) and the fits."""
    usual = history.spend[:rows].mean(axis=0)
    pairs = list(itertools.product(DECAYS, HALVES))
    fits = [
        fit_one(
            history,
            rows,
            np.array([decay for decay, _ in chosen]),
            np.array([half for _, half in chosen]) * usual,
            ridge,
        )
        for chosen in itertools.product(pairs, repeat=len(CHANNELS))
    ]
    evidence = np.array([fit.evidence for fit in fits])
    weights = np.exp(evidence - evidence.max())
    return weights / weights.sum(), fits


def measure(history: History, settings: Settings) -> dict[str, float]:
    """Fit on all but the last months, forecast those, and say how far off the forecast was."""
    rows = len(history.months) - settings.holdout
    weights, fits = fit_all(history, rows, settings.ridge)
    forecast = sum(
        weight * (design(history, fit.decay, fit.half)[rows:] @ fit.coefficients)
        for weight, fit in zip(weights, fits, strict=True)
    )
    actual = history.sales[rows:]
    error = forecast - actual
    spread = float(np.sum((actual - actual.mean()) ** 2))
    return {
        "mape": round(float(np.mean(np.abs(error) / actual)), 4),
        "r2": round(1 - float(error @ error) / spread, 4) if spread else 0.0,
        "bias": round(float(np.mean(error / actual)), 4),
    }


def curve(
    channel: int, top: float, weights: Array, fits: list[Fit]
) -> dict[str, list[float] | float]:
    """Return one channel's response curve with its 80% band, averaged over all fits."""
    spend = np.linspace(0, top, GRID)
    bent = np.array([spend / (spend + fit.half[channel]) for fit in fits])
    mean = np.array([fit.coefficients[channel] for fit in fits])[:, None] * bent
    variance = np.array([fit.covariance[channel, channel] for fit in fits])[:, None] * bent**2
    effect = weights @ mean
    # The variance of a mixture is the mean of the variances plus the variance of the means.
    spread = BAND * np.sqrt(np.maximum(weights @ (variance + mean**2) - effect**2, 0))
    return {
        "spend": [round(float(x), 1) for x in spend],
        "effect": [round(float(x), 3) for x in effect],
        "low": [round(float(x), 3) for x in effect - spread],
        "high": [round(float(x), 3) for x in effect + spread],
        "decay": round(float(weights @ [fit.decay[channel] for fit in fits]), 3),
        "half": round(float(weights @ [fit.half[channel] for fit in fits]), 1),
    }


def estimate(history: History, settings: Settings) -> dict[str, object]:
    """Return the model: what model.json holds."""
    rows = len(history.months)
    weights, fits = fit_all(history, rows, settings.ridge)
    tops = history.spend.max(axis=0)
    recent = history.spend[-12:].mean(axis=0)
    shares = recent / recent.sum()
    ahead = (rows + 5.5) / 12  # the middle of the year after the last month; its seasons sum to 0
    level = sum(
        weight * (fit.coefficients[len(CHANNELS)] + ahead * fit.coefficients[len(CHANNELS) + 1])
        for weight, fit in zip(weights, fits, strict=True)
    )
    reach = [top / share for top, share in zip(tops, shares, strict=True) if share]
    return {
        "name": "ad-effect",
        "channels": {
            name: curve(i, float(tops[i]), weights, fits) | {"share": round(float(shares[i]), 4)}
            for i, name in enumerate(CHANNELS)
        },
        "baseline": round(float(level), 3),
        "units": {
            "spend": "advertising spend a month, in real terms",
            "effect": "points of the retail sales index",
            "period": "month",
        },
        "budget": {
            "min": 0,
            "max": round(float(min(reach)), -2),
            "default": round(float(recent.sum()), -2),
        },
        "metrics": measure(history, settings),
        "parameters": asdict(settings),
        "trained_rows": rows,
        "period": {"from": f"{history.months[0]:%Y-%m}", "to": f"{history.months[-1]:%Y-%m}"},
    }


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Estimate the effect of advertising on sales; write model and metrics as JSON."
    )
    parser.add_argument("--adverts", type=Path, default=HERE / "data" / "adverts.csv")
    parser.add_argument("--sales", type=Path, default=HERE / "data" / "sales.csv")
    parser.add_argument(
        "--window", type=int, default=168, help="months of history to use at most (168)"
    )
    parser.add_argument("--holdout", type=int, default=12, help="months to measure on (12)")
    parser.add_argument(
        "--ridge", type=float, default=1.0, help="how strongly effects are held to 0 (1.0)"
    )
    parser.add_argument("--model", type=Path, default=Path("model.json"))
    parser.add_argument("--metrics", type=Path, default=Path("metrics.json"))
    chosen = parser.parse_args(given)
    if chosen.window < 1 or chosen.holdout < 1:
        parser.error("--window and --holdout are whole months, 1 or more")
    if not (math.isfinite(chosen.ridge) and chosen.ridge > 0):
        parser.error("--ridge is a number above 0")
    return chosen


def main(given: list[str] | None = None) -> int:
    """Run it: 0, or 1 with a message when the input cannot be used."""
    chosen = arguments(given)
    settings = Settings(chosen.window, chosen.holdout, chosen.ridge)
    try:
        history = join(chosen.adverts, chosen.sales, chosen.window, chosen.holdout)
        model = estimate(history, settings)
    except Unusable as error:
        print(f"estimate: {error}", file=sys.stderr)
        return 1
    for path, content in ((chosen.model, model), (chosen.metrics, model["metrics"])):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")
    print(f"{model['trained_rows']} months, {json.dumps(model['metrics'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
