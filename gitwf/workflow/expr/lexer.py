"""From text to tokens, by the lexical rules of expr-lang 1.17.

One pass, one token list, no state shared with the parser: the only word that looks ahead is `not`,
which the parser joins with the `in`, `contains` … that follows it. Numbers keep their text, because
their meaning (int or float, and whether they fit) is the parser's to decide. Offsets count
characters, not bytes. Read next: `parser`.
"""

from dataclasses import dataclass
from typing import Literal

from gitwf.workflow.expr import characters, errors

Kind = Literal["name", "number", "text", "bytes", "operator", "bracket", "end"]

MAX_SOURCE = 100_000
"""Characters; a longer source is refused before it costs anything."""

WORD_OPERATORS = frozenset(
    ("not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else")
)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_SHOWN = {
    "name": "Identifier",
    "number": "Number",
    "text": "String",
    "bytes": "Bytes",
    "operator": "Operator",
    "bracket": "Bracket",
}
_DOUBLED = "&=*"
_LAST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Token:
    """A lexical unit: its kind, its value (escapes resolved) and where it starts."""

    kind: Kind
    value: str
    at: int

    def __str__(self) -> str:
        if self.kind == "end":
            return "EOF"
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{_SHOWN[self.kind]}("{value}")'


def is_word(character: str) -> bool:
    """Say whether a character may stand inside a name."""
    return characters.is_letter(character) or character in "_$" or characters.is_digit(character)


def tokens(source: str) -> tuple[list[Token], errors.ExprSyntaxError | None]:
    """Split a source into tokens, the last one of kind `end`.

    Where a piece fits no token the list ends early and the error comes beside it, for the parser to
    raise if it gets that far: an earlier mistake in the grammar is the one to report.
    """
    if len(source) > MAX_SOURCE:
        message = f"expression is longer than {MAX_SOURCE} characters"
        return [Token("end", "", 0)], errors.ExprSyntaxError(message, source, MAX_SOURCE)
    lexer = _Lexer(source)
    broken: errors.ExprSyntaxError | None = None
    try:
        lexer.run()
    except errors.ExprSyntaxError as wrong:
        broken = wrong
    lexer.found.append(Token("end", "", max(0, len(source) - 1)))
    return lexer.found, broken


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.found: list[Token] = []

    def run(self) -> None:
        while self.at < len(self.source):
            if self.source[self.at] in characters.SPACES:
                self.at += 1
            else:
                self._token()

    def _peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.source[place] if place < len(self.source) else ""

    def _fail(self, message: str, at: int | None = None) -> errors.ExprSyntaxError:
        return errors.ExprSyntaxError(message, self.source, self.at if at is None else at)

    def _emit(self, kind: Kind, start: int, value: str | None = None) -> None:
        text = self.source[start : self.at] if value is None else value
        self.found.append(Token(kind, text, start))

    def _token(self) -> None:
        start, character = self.at, self._peek()
        if character in "\"'":
            self.at += 1
            self._emit("text", start, self._quoted(character, raw_bytes=False))
        elif character == "`":
            self._emit("text", start, self._backticks())
        elif character in "bB" and self._peek(1) in ("'", '"'):
            self.at += 2
            self._emit("bytes", start, self._quoted(self.source[start + 1], raw_bytes=True))
        elif character in "0123456789" or (character == "." and self._peek(1) in set("0123456789")):
            self._number(start)
        elif character == "/" and self._peek(1) in ("/", "*"):
            self._comment(start)
        elif is_word(character):
            self._word(start)
        else:
            self._symbol(start, character)

    def _symbol(self, start: int, character: str) -> None:
        if character in "([{)]}":
            self.at += 1
            self._emit("bracket", start)
            return
        followers = {"?": ".?", "|": "|", ":": ":", ".": ".", "#": "#"}
        if character in "&!=*<>":
            follower = _DOUBLED
        elif character in ",;%+-^/" or character in followers:
            follower = followers.get(character, "")
        else:
            raise self._fail(f"unrecognized character: U+{ord(character):04X} '{character}'")
        self.at += 1
        if self._peek() and self._peek() in follower:
            self.at += 1
        self._emit("operator", start)

    def _word(self, start: int) -> None:
        while self._peek() and is_word(self._peek()):
            self.at += 1
        word = self.source[start : self.at]
        self._emit("operator" if word in WORD_OPERATORS else "name", start)

    def _comment(self, start: int) -> None:
        closing = "\n" if self._peek(1) == "/" else "*/"
        end = self.source.find(closing, self.at + 2)
        if end < 0 and closing == "*/":
            raise self._fail("unclosed comment", start)
        self.at = len(self.source) if end < 0 else end + len(closing)

    def _accept_run(self, allowed: str) -> None:
        while self._peek() and self._peek() in allowed:
            self.at += 1

    def _number(self, start: int) -> None:
        digits = "0123456789_"
        if self._peek() == "0" and self._peek(1):
            digits = {
                "x": "0123456789abcdefABCDEF_",
                "o": "01234567_",
                "b": "01_",
            }.get(self._peek(1).lower(), digits)
            self.at += 1 if digits == "0123456789_" else 2
        self._accept_run(digits)
        if self._peek() == "." and self._peek(1) != ".":
            self.at += 1
            self._accept_run(digits)
        if not (self._peek() == "." and self._peek(1) == ".") and self._peek() in ("e", "E"):
            self.at += 1
            if self._peek() in ("+", "-"):
                self.at += 1
            self._accept_run(digits)
        if self._peek() and is_word(self._peek()):
            bad = self.source[start : self.at + 1]
            raise self._fail(f'bad number syntax: "{bad}"')
        self._emit("number", start)

    def _backticks(self) -> str:
        start = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            end = self.source.find("`", self.at)
            if end < 0:
                raise self._fail("literal not terminated", start)
            parts.append(self.source[self.at : end])
            self.at = end + 1
            if self._peek() != "`":
                return "`".join(parts)
            self.at += 1

    def _quoted(self, quote: str, *, raw_bytes: bool) -> str:
        parts: list[str] = []
        while True:
            character = self._peek()
            if character in ("", "\n"):
                raise self._fail("literal not terminated")
            self.at += 1
            if character == quote:
                return "".join(parts)
            if character == "\\":
                parts.append(self._escape(quote, raw_bytes=raw_bytes))
            elif character == "\r":
                parts.append("\n")
            elif raw_bytes:
                parts.append(character.encode("utf-8", "surrogatepass").decode("latin-1"))
            else:
                parts.append(character)

    def _escape(self, quote: str, *, raw_bytes: bool) -> str:
        character = self._peek()
        self.at += 1
        if character == quote:
            return quote
        if character in _ESCAPES and character:
            return _ESCAPES[character]
        if character == "u" and self._peek() == "{" and not raw_bytes:
            end = self.source.find("}", self.at)
            digits = self.source[self.at + 1 : end] if end > 0 else ""
            self.at = end + 1
            return self._code_point(digits, 16, 6, exact=False)
        width = {"x": 2, "u": 4, "U": 8}.get(character, 0)
        if raw_bytes and character in ("u", "U"):
            width = 0
        if width:
            digits = self.source[self.at : self.at + width]
            self.at += width
            return self._code_point(digits, 16, width, exact=True)
        if character and character in "01234567":
            digits = self.source[self.at - 1 : self.at + 2]
            self.at += 2
            return self._code_point(digits, 8, 3, exact=True, most=0xFF)
        raise self._fail("invalid char escape", self.at - 1)

    def _code_point(
        self, digits: str, base: int, width: int, *, exact: bool, most: int = _LAST_CODE_POINT
    ) -> str:
        allowed = "01234567" if base == 8 else "0123456789abcdefABCDEF"  # noqa: PLR2004
        fits = len(digits) == width if exact else 0 < len(digits) <= width
        if not fits or any(digit not in allowed for digit in digits):
            raise self._fail("invalid char escape", self.at - 1)
        code = int(digits, base)
        if code > most or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004
            raise self._fail("invalid char escape", self.at - 1)
        return chr(code)
