"""Sprig's versions: `semver`, whose value has methods, and `semverCompare`.

A version is a value of its own, so that `sprig.semver(tag).Major()` reads as it does in Go; its
methods stand with those of instants. Read next: `expr.versions`, which knows what versions are.
"""

from gitwf.workflow.expr import versions
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context


def _semver(_given: context.Context, text: object) -> object:
    return versions.read(args.text(text, "semver"))


def _compare(given: context.Context, constraint: object, text: object) -> object:
    wanted = args.text(constraint, "semverCompare")
    given.cost.step(len(wanted))
    return versions.satisfies(versions.read(args.text(text, "semverCompare")), wanted)


FUNCTIONS: context.Bodies = {
    "semver": _semver,
    "semverCompare": _compare,
}
"""The functions of versions by name."""
