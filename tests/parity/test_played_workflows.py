"""Random workflows come out of gitwf's machine as out of Argo's controller code.

The README of `played` says how they are drawn and how their recordings are made.
"""

import os
import subprocess
import sys

import pytest

from gitwf import errors
from gitwf.workflow import record
from tests.parity import comparing
from tests.parity.played import generating, playing

PLAYED = comparing.HERE / "played"
CASES = comparing.cases(PLAYED / "cases", PLAYED / "recordings")
SEEDS = range(50)


def case_name(case):
    return case.path.stem


def test_there_are_many_played_workflows():
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_machine_makes_what_argos_code_made(case):
    verdict = playing.compare(case)

    assert verdict.differences == []
    assert verdict.nodes == len(case.nodes) > 0


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The workflows that are drawn for some seeds, without those that gitwf refuses."""
    folder = tmp_path_factory.mktemp("drawn")
    generating.write(SEEDS, folder)
    return [whole for path in sorted(folder.iterdir()) if (whole := checked(path))]


def checked(path):
    try:
        return comparing.Case(path, {}).checked()
    except errors.Rejected:
        return None


def test_many_of_those_drawn_are_valid_and_some_are_not(valid):
    assert len(SEEDS) / 3 < len(valid) < len(SEEDS)


@pytest.mark.parametrize("pods", [playing.as_they_say, playing.all_well])
def test_whatever_is_valid_runs_to_an_end(valid, pods):
    phases = {playing.play(whole, pods=pods).phase for whole in valid}

    assert {record.Phase.SUCCEEDED, record.Phase.FAILED} <= phases


def test_a_seed_draws_the_same_in_every_process():
    drawing = "from tests.parity.played import generating as g; print(*map(g.text, range(9)))"
    elsewhere = subprocess.run(
        [sys.executable, "-c", drawing],
        cwd=PLAYED.parents[2],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout

    here = [generating.text(seed) for seed in range(9)]
    assert elsewhere == " ".join(here) + "\n"
    assert len(set(here)) == 9
