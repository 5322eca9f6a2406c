"""When, the small language of a step's `when`, on text whose tags are already replaced.

It is govaluate's dialect as Argo uses it (workflow/controller/steps.go, shouldExecute): a word
without quotes is a string, every number a float64, a quoted date an instant. It is not `expr`: the
two share no operator table and no types. Nothing here knows templates; the caller replaces tags
first, which is why a value with a quote in it changes the expression, here as on a cluster.
The messages are Argo's to the letter, its spelling included, because they are what a run shows.
Read next: `tokens`, `planner`, `evaluator`.
"""

from gitwf.workflow.expr import errors
from gitwf.workflow.when import evaluator, planner, tokens

MAX_TEXT = 100_000
"""Characters; a longer text is refused before it costs anything."""


class WhenError(Exception):
    """A `when` that has no truth value; `message` is what Argo shows on the node."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def evaluate(text: str) -> bool:
    """Say whether a step runs; an empty `when` is true.

    Raises WhenError for a text that is no expression, fails or is not a bool.
    """
    if text == "":
        return True
    if len(text) > MAX_TEXT:
        raise WhenError(f"Invalid 'when' expression: it is longer than {MAX_TEXT} characters")
    try:
        value = _value(text)
    except RecursionError:
        message = f"Invalid 'when' expression '{text}': it is nested too deeply"
        raise WhenError(message) from None
    if not isinstance(value, bool):
        shown = evaluator.shown(value)
        raise WhenError(f"Expected boolean evaluation for '{text}'. Got {shown}")
    return value


def _value(text: str) -> evaluator.Value:
    """Read the text twice, as Argo does: the second time bare words count as strings."""
    try:
        first = tokens.read(text)
        tokens.check(first)
        first = tokens.with_patterns(first)
        planner.plan(first)
    except errors.Fault as fault:
        hint = ""
        if "Invalid token" in fault.message:
            hint = ' (hint: try wrapping the affected expression in quotes ("))'
        message = f"Invalid 'when' expression '{text}': {fault.message}{hint}"
        raise WhenError(message) from None
    try:
        second = tokens.with_strings(first)
        tokens.check(second)
        tree = planner.plan(tokens.with_patterns(second))
    except errors.Fault as fault:
        message = f"Failed to parse 'when' expression '{text}': {fault.message}"
        raise WhenError(message) from None
    try:
        return evaluator.evaluate(tree)
    except errors.Fault as fault:
        message = f"Failed to evaluate 'when' expresion '{text}': {fault.message}"
        raise WhenError(message) from None
