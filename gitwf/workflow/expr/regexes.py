"""The syntax of regular expressions: RE2's, from text to a program for the matcher.

The parser is a recursive descent over alternatives, concatenations and repetitions; what comes out
is a list of instructions, not a tree, because that is what can be run in linear time. No construct
that needs backtracking exists in the syntax (back references, look-around). Errors carry RE2's
words. Read next: `patterns`, which runs the program.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from gitwf.workflow.expr import charsets, regex_characters

MAX_PROGRAM = 10_000
MAX_REPEAT = 1_000
MAX_NESTING = 60

Kind = Literal["one", "split", "jump", "assert", "save", "match"]

_TESTS = {"\\A": "start", "\\z": "end", "\\b": "edge", "\\B": "no edge"}
_COUNT = re.compile(r"\{([0-9]{1,9})(,([0-9]{0,9}))?\}", re.ASCII)
_NAMED = re.compile(r"\(\?P?<([^>]*)>")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")


@dataclass(slots=True)
class Step:
    """One instruction: what it does and where to go; `split` prefers `goto` over `other`."""

    kind: Kind
    goto: int = 0
    other: int = 0
    allowed: charsets.CharacterSet | None = None
    test: str = ""


@dataclass(slots=True)
class Compiled:
    """A program, how many groups it saves and what they are called."""

    steps: list[Step] = field(default_factory=list)
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)


def compile_program(source: str) -> Compiled:
    """Turn a regular expression into a program. Raises Fault for what is none."""
    parser = _Parser(source)
    parser.alternatives(0)
    if parser.at < len(source):
        raise regex_characters.fail("unexpected )", source)
    parser.emit("match")
    return parser.made


class _Parser(regex_characters.Reader):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.made = Compiled()

    @property
    def steps(self) -> list[Step]:
        return self.made.steps

    def emit(self, kind: Kind, **details: int) -> int:
        if len(self.steps) >= MAX_PROGRAM:
            raise regex_characters.fail("expression too large", self.source)
        place = len(self.steps)
        self.steps.append(Step(kind, details.get("goto", place + 1), details.get("other", 0)))
        return place

    def alternatives(self, depth: int) -> None:
        if depth > MAX_NESTING:
            raise regex_characters.fail("expression nests too deeply", self.source)
        start, ends = len(self.steps), list[int]()
        self.concatenation(depth)
        while self.peek() == "|":
            self.at += 1
            self.insert(start)
            self.steps[start] = Step("split", start + 1, len(self.steps) + 1)
            ends.append(self.emit("jump"))
            start = len(self.steps)
            self.concatenation(depth)
        for end in ends:
            self.steps[end].goto = len(self.steps)

    def insert(self, place: int) -> None:
        """Make room for one instruction, moving every target behind it."""
        for step in self.steps[place:]:
            step.goto += step.goto >= place
            step.other += step.other >= place
        self.steps.insert(place, Step("jump"))

    def concatenation(self, depth: int) -> None:
        repeated = ""
        start = len(self.steps)
        can_repeat = False
        while (character := self.peek()) not in ("", "|", ")"):
            operator = self.repetition()
            if operator is None:
                before, repeated = len(self.steps), ""
                if self.atom(character, depth):
                    start, can_repeat = before, True
                continue
            text, low, high = operator
            lazy = self.peek() == "?"
            if lazy:
                self.at += 1
                text += "?"
            if not can_repeat:
                raise regex_characters.fail("missing argument to repetition operator", text)
            if repeated:
                raise regex_characters.fail("invalid nested repetition operator", repeated + text)
            repeated = text
            self.repeat(start, low, high, greedy=lazy is ("U" in self.flags))

    def repetition(self) -> tuple[str, int, int | None] | None:
        """Read `*`, `+`, `?` or `{n,m}`; None when the text here repeats nothing."""
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        character = self.peek()
        if character in simple:
            self.at += 1
            return character, *simple[character]
        match = _COUNT.match(self.source, self.at)
        if match is None:
            return None
        low = int(match.group(1))
        high: int | None = low
        if match.group(2):
            high = int(match.group(3)) if match.group(3) else None
        if low > MAX_REPEAT or (high or 0) > MAX_REPEAT or (high is not None and high < low):
            raise regex_characters.fail("invalid repeat count", match.group())
        self.at = match.end()
        return match.group(), low, high

    def repeat(self, start: int, low: int, high: int | None, *, greedy: bool) -> None:
        """Lay out the instructions from `start` on as often as asked."""
        body = self.steps[start:]
        size = len(body)
        del self.steps[start:]
        copies = max(low, 1) if high is None else high
        if (size + 2) * max(copies, 1) + len(self.steps) > MAX_PROGRAM:
            raise regex_characters.fail("expression too large", self.source)
        for _ in range(low):
            self.copy(body, start)
        if high is None:
            loop = self.emit("split")
            self.copy(body, start)
            self.emit("jump", goto=loop)
            self.branch(loop, loop + 1, len(self.steps), greedy=greedy)
            return
        skips: list[int] = []
        for _ in range(high - low):
            skips.append(self.emit("split"))
            self.copy(body, start)
        for skip in skips:
            self.branch(skip, skip + 1, len(self.steps), greedy=greedy)

    def branch(self, place: int, inside: int, outside: int, *, greedy: bool) -> None:
        first, second = (inside, outside) if greedy else (outside, inside)
        self.steps[place].goto, self.steps[place].other = first, second

    def copy(self, body: list[Step], start: int) -> None:
        shift = len(self.steps) - start
        for step in body:
            moved = Step(step.kind, step.goto + shift, step.other + shift, step.allowed, step.test)
            self.steps.append(moved)

    def atom(self, character: str, depth: int) -> bool:
        """Read one thing that is no repetition; flags alone are nothing one could repeat."""
        if character == "(":
            return self.group(depth)
        if character == "\\" and self.source.startswith("\\Q", self.at):
            self.quotation()
            return True
        if character in "^$" or self.source[self.at : self.at + 2] in _TESTS:
            return self.assertion(character)
        self.one(self.single(character))
        return True

    def one(self, allowed: charsets.CharacterSet) -> None:
        self.steps[self.emit("one")].allowed = allowed

    def quotation(self) -> None:
        end = self.source.find("\\E", self.at)
        text = self.source[self.at + 2 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.source)
        for character in text:
            self.one(self.exactly(character))

    def assertion(self, character: str) -> bool:
        multiline = "m" in self.flags
        if character == "\\":
            test = _TESTS[self.source[self.at : self.at + 2]]
            self.at += 1
        else:
            test = {"^": "line start", "$": "line end"}[character]
            test = test if multiline else test.removeprefix("line ")
        self.at += 1
        self.steps[self.emit("assert")].test = test
        return True

    def group(self, depth: int) -> bool:
        start, before = self.at, self.flags
        named, flagged = _NAMED.match(self.source, start), _FLAGS.match(self.source, start)
        number = 0
        if named:
            number = self.name(named)
            self.at = named.end()
        elif flagged:
            self.flags = (before | set(flagged.group(1))) - set(flagged.group(2) or "")
            self.at = flagged.end()
            if flagged.group(3) == ")":
                return False
        elif self.source.startswith("(?", start):
            bad = "invalid or unsupported Perl syntax"
            raise regex_characters.fail(bad, self.source[start : start + 3])
        else:
            self.at += 1
            self.made.groups += 1
            number = self.made.groups
        if number:
            self.emit_save(2 * number)
        self.alternatives(depth + 1)
        if self.peek() != ")":
            raise regex_characters.fail("missing closing )", self.source)
        self.at += 1
        if number:
            self.emit_save(2 * number + 1)
        self.flags = before
        return True

    def emit_save(self, slot: int) -> None:
        self.steps[self.emit("save")].test = str(slot)

    def name(self, match: re.Match[str]) -> int:
        name = match.group(1)
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise regex_characters.fail("invalid named capture", match.group())
        if name in self.made.names:
            raise regex_characters.fail("duplicate capture group name", name)
        self.made.groups += 1
        self.made.names[name] = self.made.groups
        return self.made.groups
