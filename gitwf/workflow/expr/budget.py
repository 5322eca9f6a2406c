"""What one evaluation may cost, counted, so that no expression can hang or fill the memory.

Two meters: *steps*, one per node evaluated and per element looked at, and *cells*, one per element
of a collection produced and one per sixteen characters of a text. Cells are expr-lang's memory
budget, in its unit and with its message; steps are ours, because a controller may spend seconds on
an expression and a plan may not. Time is never measured: the same expression stops at the same
place on every machine.
"""

from gitwf.workflow.expr import errors

MAX_STEPS = 200_000
MAX_CELLS = 1_000_000
TEXT_PER_CELL = 16


class Budget:
    """The two meters of one evaluation."""

    def __init__(self, steps: int = MAX_STEPS, cells: int = MAX_CELLS) -> None:
        self.steps = steps
        self.cells = cells

    def step(self, count: int = 1) -> None:
        """Pay for looking at `count` things. Raises Fault when the evaluation is too long."""
        self.steps -= count
        if self.steps < 0:
            raise errors.Fault(f"evaluation takes more than {MAX_STEPS} steps")

    def collect(self, count: int) -> None:
        """Pay for a collection of `count` elements. Raises Fault when memory is used up."""
        self.cells -= count
        if self.cells <= 0:
            raise errors.Fault("memory budget exceeded")
        self.step(count)

    def write(self, length: int) -> None:
        """Pay for a text of `length` characters. Raises Fault when memory is used up."""
        self.collect(length // TEXT_PER_CELL)
