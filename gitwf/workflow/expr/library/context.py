"""What a library function may know besides its arguments, and how functions are declared.

A function is a plain Python function of a `Context` and its arguments. `Function` adds its name and
how many arguments it takes, `Reflected` what reflection makes of them. The context holds the
environment (for `now`, which is a value there, never a clock) and the budget every function pays
from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitwf.workflow.expr import budget, errors


@dataclass(frozen=True, slots=True)
class Context:
    """The environment of the evaluation, what it may still cost, and the language itself."""

    environment: Mapping[str, object]
    cost: budget.Budget
    compute: Callable[[str, Mapping[str, object]], object]
    """Evaluate another expression on the same budget; raises Fault."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the language calls: `least` to `most` arguments, None for any number."""

    name: str
    body: Callable[..., object]
    least: int
    most: int | None

    def check(self, count: int) -> None:
        """Raise Fault when the function does not take that many arguments."""
        if count < self.least:
            raise errors.Fault(f"not enough arguments to call {self.name}")
        if self.most is not None and count > self.most:
            raise errors.Fault(f"too many arguments to call {self.name}")

    def call(self, context: Context, *arguments: object) -> object:
        """Run the function. Raises Fault for arguments it cannot take."""
        self.check(len(arguments))
        return self.body(context, *arguments)


@dataclass(frozen=True, slots=True)
class Reflected:
    """A function that is called by reflection: `take` gives the arguments that the body gets."""

    body: Callable[..., object]
    take: Callable[[Sequence[object]], Sequence[object]]

    def call(self, context: Context, *arguments: object) -> object:
        """Run the function. Raises Fault for arguments it cannot take."""
        return self.body(context, *self.take(arguments))


Bodies = Mapping[str, Callable[..., object]]
"""Plain functions by the name that expressions call them by."""


def table(
    *rows: tuple[str, Callable[..., object], int, int | None],
) -> dict[str, Function]:
    """Make functions of (name, body, least, most) rows, by name."""
    return {row[0]: Function(*row) for row in rows}
