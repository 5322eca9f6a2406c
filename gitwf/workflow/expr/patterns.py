"""Running regular expressions in linear time, so that no pattern can hang a run.

Python's `re` backtracks: `(a+)+$` on thirty letters takes minutes, and patterns come from workflow
files and from values. Here all ways through the program advance together, one character at a time,
the preferred way first, so that the match found is the one RE2 and Go find. Every move is paid for.
Read next: `regexes` for the syntax.
"""

from collections.abc import Iterator
from functools import lru_cache

from gitwf.workflow.expr import budget, regexes

MOVES_PER_STEP = 2
Slots = tuple[int, ...]


class Pattern:
    """A compiled regular expression; prints as its source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._program = regexes.compile_program(source)
        self.groups = self._program.groups
        self.names = self._program.names

    def __str__(self) -> str:
        return self.source

    def search(self, text: str, cost: budget.Budget, start: int = 0) -> Slots | None:
        """Find the leftmost match from `start` on.

        Gives start and stop of the match, then of each group, -1 for a group that took no part.
        """
        return _Search(self._program, text, cost).run(start)

    def matches(self, text: str, cost: budget.Budget, limit: int = -1) -> Iterator[Slots]:
        """Yield up to `limit` matches that do not overlap, as Go's FindAll counts them."""
        at, previous, count = 0, -1, 0
        while at <= len(text) and count != limit:
            found = self.search(text, cost, at)
            if found is None:
                return
            empty_again = found[1] == found[0] == previous
            if not empty_again:
                count += 1
                yield found
            previous = found[1]
            at = found[1] + 1 if found[1] == found[0] else found[1]


@lru_cache(maxsize=64)
def compiled(source: str) -> Pattern:
    """Compile a pattern. Raises Fault for what is none."""
    return Pattern(source)


class _Search:
    def __init__(self, program: regexes.Compiled, text: str, cost: budget.Budget) -> None:
        self.steps = program.steps
        self.text = text
        self.cost = cost
        self.blank: Slots = (-1,) * (2 * program.groups + 2)

    def run(self, start: int) -> Slots | None:
        best: Slots | None = None
        threads: list[tuple[int, Slots]] = []
        for at in range(start, len(self.text) + 1):
            seen: set[int] = set()
            current: list[tuple[int, Slots]] = []
            for place, slots in threads:
                self.follow(place, slots, at, seen, current)
            if best is None:
                begun = (at, *self.blank[1:])
                self.follow(0, begun, at, seen, current)
            if not current:
                if best is not None:
                    break
                self.cost.step()
                threads = []
                continue
            self.cost.step(1 + len(seen) // MOVES_PER_STEP)
            threads = []
            character = self.text[at : at + 1]
            for place, slots in current:
                step = self.steps[place]
                if step.kind == "match":
                    best = (slots[0], at, *slots[2:])
                    break  # The ways behind this one are less preferred.
                if character and step.allowed is not None and step.allowed.has(character):
                    threads.append((step.goto, slots))
        return best

    def follow(
        self,
        place: int,
        slots: Slots,
        at: int,
        seen: set[int],
        found: list[tuple[int, Slots]],
    ) -> None:
        """Go on from an instruction to every one that needs a character, preferred ones first."""
        waiting = [(place, slots)]
        while waiting:
            place, slots = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            step = self.steps[place]
            if step.kind in ("one", "match"):
                found.append((place, slots))
            elif step.kind == "split":
                waiting.append((step.other, slots))
                waiting.append((step.goto, slots))
            elif step.kind == "save":
                slot = int(step.test)
                waiting.append((step.goto, (*slots[:slot], at, *slots[slot + 1 :])))
            elif step.kind == "jump" or self.holds(step.test, at):
                waiting.append((step.goto, slots))

    def holds(self, test: str, at: int) -> bool:
        """Say whether an assertion about a place in the text holds."""
        before, after = self.text[at - 1 : at] if at else "", self.text[at : at + 1]
        if test == "start":
            return at == 0
        if test == "end":
            return at == len(self.text)
        if test == "line start":
            return before in ("", "\n")
        if test == "line end":
            return after in ("", "\n")
        edge = _is_word(before) is not _is_word(after)
        return edge is (test == "edge")


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
