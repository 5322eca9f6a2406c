"""From text to tokens, and which token may follow which.

Facts from govaluate (parsing.go, lexerState.go): letters start a word, digits and `.` a number,
either quote opens a string that either quote closes, a backslash takes the next character as it is,
and everything else up to a blank, letter, digit, bracket or quote is one operator. So `a!=-1` holds
the unknown operator `!=-`, and `1.2.3` is a number that cannot be read. The grammar is a table of
neighbours rather than rules; what it lets through, the planner makes of it what it can. Read next:
`planner`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gitwf.workflow.expr import characters, errors, layouts, numbers, patterns, times


class Kind(Enum):
    """What a token is; the names are printed in messages."""

    UNKNOWN = "UNKNOWN"
    PREFIX = "PREFIX"
    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    PATTERN = "PATTERN"
    TIME = "TIME"
    VARIABLE = "VARIABLE"
    SEPARATOR = "SEPARATOR"
    ACCESSOR = "ACCESSOR"
    COMPARATOR = "COMPARATOR"
    LOGICALOP = "LOGICALOP"
    MODIFIER = "MODIFIER"
    CLAUSE = "CLAUSE"
    CLAUSE_CLOSE = "CLAUSE_CLOSE"
    TERNARY = "TERNARY"


@dataclass(frozen=True, slots=True)
class Token:
    """A unit of the text: its kind and its value."""

    kind: Kind
    value: str | float | bool | times.Moment | tuple[str, ...] | patterns.Pattern

    def __str__(self) -> str:
        return f"{self.kind.value} [{self._shown()}]"

    def _shown(self) -> str:
        if self.kind in (Kind.CLAUSE, Kind.CLAUSE_CLOSE):
            return str(ord(str(self.value)))
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, float):
            return numbers.go_float(self.value)
        if isinstance(self.value, tuple):
            return f"[{' '.join(self.value)}]"
        return str(self.value)


PREFIXES = frozenset(("-", "!", "~"))
_SYMBOLS = {
    Kind.MODIFIER: frozenset(("+", "-", "*", "/", "%", "**", "&", "|", "^", ">>", "<<")),
    Kind.LOGICALOP: frozenset(("&&", "||")),
    Kind.COMPARATOR: frozenset(("==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in")),
    Kind.TERNARY: frozenset(("?", ":", "??")),
}

_VALUES = frozenset((Kind.NUMERIC, Kind.BOOLEAN, Kind.VARIABLE, Kind.STRING, Kind.TIME))
_STARTS = _VALUES | {Kind.PREFIX, Kind.ACCESSOR, Kind.CLAUSE}
_INFIX = frozenset((Kind.MODIFIER, Kind.COMPARATOR, Kind.LOGICALOP))
_AFTER_VALUE = _INFIX | {Kind.CLAUSE_CLOSE, Kind.TERNARY, Kind.SEPARATOR}

_FOLLOWERS: dict[Kind, frozenset[Kind]] = {
    Kind.UNKNOWN: _STARTS | {Kind.PATTERN},
    Kind.CLAUSE: _STARTS | {Kind.PATTERN, Kind.CLAUSE_CLOSE},
    Kind.CLAUSE_CLOSE: _AFTER_VALUE | _VALUES | {Kind.PATTERN, Kind.CLAUSE},
    Kind.NUMERIC: _AFTER_VALUE,
    Kind.BOOLEAN: _AFTER_VALUE,
    Kind.STRING: _AFTER_VALUE,
    Kind.TIME: _AFTER_VALUE - {Kind.TERNARY},
    Kind.PATTERN: _AFTER_VALUE - {Kind.TERNARY},
    Kind.VARIABLE: _AFTER_VALUE,
    Kind.MODIFIER: (_STARTS | {Kind.CLAUSE_CLOSE}) - {Kind.TIME},
    Kind.COMPARATOR: _STARTS | {Kind.CLAUSE_CLOSE, Kind.PATTERN},
    Kind.LOGICALOP: _STARTS | {Kind.CLAUSE_CLOSE},
    Kind.PREFIX: (_STARTS | {Kind.CLAUSE_CLOSE}) - {Kind.STRING, Kind.TIME, Kind.PREFIX},
    Kind.TERNARY: _STARTS | {Kind.SEPARATOR},
    Kind.ACCESSOR: _AFTER_VALUE | {Kind.CLAUSE},
    Kind.SEPARATOR: _STARTS,
}
_LAST = _VALUES | {Kind.CLAUSE_CLOSE, Kind.PATTERN, Kind.ACCESSOR}

_DATES = (
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "3:04PM",
    layouts.RFC3339,
    "2006-01-02",
    "2006-01-02 15:04",
    "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00",
    "2006-01-02T15Z0700",
    "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700",
)
_MAX_DATE = 64


def read(text: str) -> list[Token]:
    """Split a text into tokens. Raises Fault at the first piece that is none."""
    reader = _Reader(text)
    found: list[Token] = []
    while (token := reader.token(found[-1].kind if found else Kind.UNKNOWN)) is not None:
        found.append(token)
    kinds = [token.kind for token in found]
    if kinds.count(Kind.CLAUSE) != kinds.count(Kind.CLAUSE_CLOSE):
        raise errors.Fault("Unbalanced parenthesis")
    return found


def check(found: Sequence[Token]) -> None:
    """Raise Fault where a token may not follow the one before it."""
    last: Token | None = None
    for token in found:
        before = last.kind if last else Kind.UNKNOWN
        if token.kind not in _FOLLOWERS[before]:
            if last and before is Kind.VARIABLE and token.kind is Kind.CLAUSE:
                raise errors.Fault(f"Undefined function {last.value}")
            shown = str(last) if last else "UNKNOWN [<nil>]"
            raise errors.Fault(f"Cannot transition token types from {shown} to {token}")
        last = token
    if last is None or last.kind not in _LAST:
        raise errors.Fault("Unexpected end of expression")


def with_strings(found: Sequence[Token]) -> list[Token]:
    """Turn words into strings, which is what makes `foo == bar` need no quotes in Argo."""
    return [
        replace(token, kind=Kind.STRING) if token.kind is Kind.VARIABLE else token
        for token in found
    ]


def with_patterns(found: Sequence[Token]) -> list[Token]:
    """Compile the strings that follow `=~` and `!~`. Raises Fault for a bad pattern."""
    made = list(found)
    for index in range(1, len(made)):
        before, token = made[index - 1], made[index]
        matching = before.kind is Kind.COMPARATOR and before.value in ("=~", "!~")
        if matching and token.kind is Kind.STRING:
            made[index] = Token(Kind.PATTERN, patterns.compiled(str(token.value)))
    return made


def _is_numeric(character: str) -> bool:
    return characters.is_digit(character) or character == "."


def _is_hex(character: str) -> bool:
    return characters.is_digit(character) or character.lower() in set("abcdef")


def _is_name(character: str) -> bool:
    return characters.is_letter(character) or _is_numeric(character) or character == "_"


def _is_symbol(character: str) -> bool:
    ends = characters.is_digit(character) or characters.is_letter(character)
    return not (ends or character in "()[]'\"")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def token(self, before: Kind) -> Token | None:
        while self.at < len(self.text) and self.text[self.at] in characters.SPACES:
            self.at += 1
        if self.at >= len(self.text):
            return None
        character = self.text[self.at]
        if _is_numeric(character):
            return Token(Kind.NUMERIC, self._number())
        if character == ",":
            self.at += 1
            return Token(Kind.SEPARATOR, ",")
        if character in "()":
            self.at += 1
            return Token(Kind.CLAUSE if character == "(" else Kind.CLAUSE_CLOSE, character)
        if character == "[":
            name = self._enclosed(lambda each: each != "]", "Unclosed parameter bracket")
            return Token(Kind.VARIABLE, name)
        if characters.is_letter(character):
            return _word(self._run(_is_name))
        if character in "'\"":
            return _quoted(
                self._enclosed(lambda each: each not in "'\"", "Unclosed string literal")
            )
        return _symbol(self._run(_is_symbol), before)

    def _enclosed(self, inside: Callable[[str], bool], unclosed: str) -> str:
        self.at += 1
        text = self._run(inside, blanks=True)
        if self.at >= len(self.text):
            raise errors.Fault(unclosed)
        self.at += 1
        return text

    def _run(self, inside: Callable[[str], bool], *, blanks: bool = False) -> str:
        """Read while `inside` holds; a blank ends the run unless it may hold blanks."""
        found: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character == "\\":
                found.append(self._escaped())
            elif character in characters.SPACES and not blanks:
                if found:
                    break
            elif inside(character):
                found.append(character)
            else:
                self.at -= 1
                break
        return "".join(found)

    def _escaped(self) -> str:
        if self.at >= len(self.text):
            raise errors.Fault("nothing follows the backslash at the end")
        self.at += 1
        return self.text[self.at - 1]

    def _number(self) -> float:
        if self.text[self.at : self.at + 2] == "0x" and self.at + 2 < len(self.text):
            self.at += 2
            digits = self._run(_is_hex)
            try:
                whole = int(digits, 16) if len(digits) <= numbers.MAX_DIGITS else 2**64
            except ValueError:
                whole = 2**64
            if whole >= 2**64 or not digits.isascii():
                raise errors.Fault(f"Unable to parse hex value '{digits}' to uint64\n")
            return float(whole)
        text = self._run(_is_numeric)
        number = numbers.parse_float(text)
        if number is None:
            raise errors.Fault(f"Unable to parse numeric value '{text}' to float64\n")
        return number


def _word(word: str) -> Token:
    if word in ("true", "false"):
        return Token(Kind.BOOLEAN, word == "true")
    if word in ("in", "IN"):
        return Token(Kind.COMPARATOR, "in")
    if "." not in word[1:]:
        return Token(Kind.VARIABLE, word)
    if word.endswith("."):
        raise errors.Fault(f"Hanging accessor on token '{word}'")
    names = tuple(word.split("."))
    for name in names[1:]:
        if name[:1].upper() != name[:1]:
            message = f"Unable to access unexported field '{name}' in token '{word}'"
            raise errors.Fault(message)
    return Token(Kind.ACCESSOR, names)


def _quoted(text: str) -> Token:
    if len(text) <= _MAX_DATE and any(map(characters.is_digit, text)):
        for layout in _DATES:
            try:
                return Token(Kind.TIME, layouts.parse(layout, text, times.Zone()))
            except errors.Fault:
                continue
    return Token(Kind.STRING, text)


def _symbol(symbol: str, before: Kind) -> Token:
    if Kind.PREFIX in _FOLLOWERS[before] and symbol in PREFIXES:
        return Token(Kind.PREFIX, symbol)
    for kind, symbols in _SYMBOLS.items():
        if symbol in symbols:
            return Token(kind, symbol)
    raise errors.Fault(f"Invalid token: '{symbol}'")
