"""Each broken document gets its message with line and column, and stops all before it starts.

A case is a folder of files that are laid over the small pipeline of tests/e2e, and expected.txt:
what `gitwf lint` prints. `gitwf reconcile` of a pushed repository says the same.
"""

import pathlib

import pytest

from tests.cli import conftest
from tests.e2e import conftest as e2e

CASES = sorted((pathlib.Path(__file__).parent / "broken").iterdir())


def laid_over(case: pathlib.Path) -> dict[str, str]:
    return {
        path.relative_to(case).as_posix(): path.read_text("utf-8")
        for path in case.rglob("*")
        if path.is_file() and path.name != "expected.txt"
    }


def expected(case: pathlib.Path) -> list[str]:
    return (case / "expected.txt").read_text("utf-8").splitlines()


def test_there_are_enough_cases_and_each_names_a_line_and_a_column():
    assert len(CASES) >= 25
    for case in CASES:
        file, line, column, _ = expected(case)[0].split(":", 3)
        assert file in {*laid_over(case), *e2e.FILES}
        assert (int(line), int(column)) >= (1, 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lint_says_what_is_wrong_and_where(project, gitwf, case):
    conftest.write(project, laid_over(case))

    done = gitwf("lint")

    assert done.out.splitlines()[:-1] == expected(case)
    assert done.code == 2


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reconcile_says_the_same_and_touches_nothing(served, case):
    files = laid_over(case)
    there = served.remote.names()
    restored = {path: served.remote.show(path) + "\n" if path in there else None for path in files}
    served.write(files, "Break it")
    before = state(served)

    out = served.gitwf("reconcile", code=2)

    after = state(served)
    served.write(restored, "Mend it")
    assert [line for line in expected(case) if line not in out] == []
    assert "Traceback" not in out
    assert after == before


@pytest.mark.slow
def test_once_it_is_mended_nothing_is_left_of_it(served):
    """Runs last: the branch has every case and its mending behind it."""
    out = served.gitwf("reconcile")

    assert "reconcile: in-sync" in out
    assert served.served() == "toy-v1"
    assert len(served.trained()) == 1


def state(world: e2e.World) -> object:
    """Every ref of the remote, every file of the store, and what the front says."""
    store = sorted(str(path) for path in (world.folder / "store").rglob("*"))
    return world.remote.git("for-each-ref"), store, world.front()
