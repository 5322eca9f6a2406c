"""Run recorded workflows on the local engine and show where gitwf differs from Argo.

Prints one row for each group of cases: how many there are, how many came out equal, how many are
refused on both sides, how many nodes were compared; then each difference. Exits with 1 if there is
one. Any folder of cases and recordings will do:

    python scripts/parity.py [--cases FOLDER --recordings FOLDER] [--only WORD] [--at-once 4]
"""

import argparse
import concurrent.futures
import itertools
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gitwf.adapters.local import engine  # noqa: E402 - the tests' code is not installed
from tests.parity import comparing  # noqa: E402

ROW = "{:16} {:>6} {:>6} {:>8} {:>10} {:>8}"


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=pathlib.Path, default=comparing.HERE / "cases")
    parser.add_argument("--recordings", type=pathlib.Path, default=comparing.HERE / "recordings")
    parser.add_argument("--only", default="", help="only cases whose name holds this word")
    parser.add_argument("--at-once", type=int, default=4, help="cases that run side by side")
    chosen = parser.parse_args()
    cases = [
        case
        for case in comparing.cases(chosen.cases.resolve(), chosen.recordings.resolve())
        if chosen.only in case.name
    ]
    if not cases:
        sys.exit(f"no case with a recording below {chosen.cases}")
    verdicts = run(cases, chosen.at_once)
    print(table(verdicts))
    sys.exit(1 if any(one.differences for one in verdicts) else 0)


def run(cases: list[comparing.Case], at_once: int) -> list[comparing.Verdict]:
    """Run every case on one engine with a state folder that is thrown away."""
    with tempfile.TemporaryDirectory() as state:
        local = engine.LocalEngine(engine.Settings(pathlib.Path(state)))
        try:
            with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
                return list(pool.map(lambda case: comparing.try_out(case, local), cases))
        finally:
            local.close()


def table(verdicts: list[comparing.Verdict]) -> str:
    """One row for each group, a sum, then each difference."""
    lines = [ROW.format("group", "cases", "equal", "refused", "different", "nodes")]
    groups = itertools.groupby(verdicts, key=lambda one: one.case.path.parent.name)
    lines += [row(group, list(members)) for group, members in groups]
    lines.append(row("all", verdicts))
    for one in verdicts:
        lines += [f"{one.case.name}: {difference}" for difference in one.differences]
    return "\n".join(lines)


def row(name: str, members: list[comparing.Verdict]) -> str:
    """Sum a group up; what is refused on both sides is not counted as equal."""
    different = sum(bool(one.differences) for one in members)
    refused = sum(one.refused and not one.differences for one in members)
    equal = len(members) - different - refused
    nodes = sum(one.nodes for one in members)
    return ROW.format(name, len(members), equal, refused, different, nodes)


if __name__ == "__main__":
    main()
