"""How sprig writes a text in snake, kebab or camel case.

A text is cut into words where letters begin with a capital, where digits, blanks, dashes,
underscores and punctuation begin. Digits belong to the letters before them unless small letters
follow: `http2xx` is `http_2xx`, `bld4Floor` is `bld4_floor`. Punctuation stays and parts nothing
(huandu/xstrings: ToSnakeCase, ToKebabCase, ToPascalCase).
"""

import re
import unicodedata
from dataclasses import dataclass, field

_WORD = re.compile(
    r"(?P<gap>[- ]+)|(?P<mark>p[p-]*)|(?P<capitals>U+(?=Ua)|Ua+|U+)|(?P<small>a+)|(?P<digits>9+)"
    r"|(?P<other>o+)"
)
_APART = frozenset({"gap", "mark", ""})
_GLUED = frozenset({"small", "digits"})
_IDEOGRAPHS = re.compile("[\u3400-\u4d85\u4e00-\u9fcc\U00020000-\U0002b81d]")


def joined(text: str, gap: str) -> str:
    """Write a text in small letters, its words parted by `gap`."""
    writing = _Writing(_words(text), gap)
    while writing.at < len(writing.words) - 1:
        writing.step()
    writing.put()
    return "".join(writing.made)


@dataclass
class _Writing:
    """Words on their way into one text: those before `at` are written."""

    words: list[tuple[str, str]]
    gap: str
    made: list[str] = field(default_factory=list)
    at: int = 0

    def step(self) -> None:
        """Write a word, what belongs to it, and a gap if a word is to come."""
        kind = self.kind
        self.put()
        if kind == "digits":
            self.glue()
        elif kind in _APART:
            return
        elif self.kind != "digits":
            self.part()
        elif self.at < len(self.words) - 1:
            self.number()

    def number(self) -> None:
        """Write digits that follow letters: with what follows, if that is small letters."""
        if self.words[self.at + 1][0] == "small":
            self.made.append(self.gap)
            self.glue()
        else:
            self.put()
            self.part()

    def glue(self) -> None:
        """Write all small letters and digits that come next, without gaps between them."""
        while self.kind in _GLUED:
            self.put()
        self.part()

    def put(self) -> None:
        """Write the word at hand, if there is one."""
        if self.at < len(self.words):
            kind, word = self.words[self.at]
            self.made.append(self.gap * len(word) if kind == "gap" else word)
            self.at += 1

    def part(self) -> None:
        """Write a gap, unless what comes next parts words itself."""
        if self.kind not in _APART:
            self.made.append(self.gap)

    @property
    def kind(self) -> str:
        """The kind of the word at hand; "" at the end."""
        return self.words[self.at][0] if self.at < len(self.words) else ""


def camel(text: str) -> str:
    """Write a text as one word, each of its words with a capital; gaps at its start stay."""
    start = next((n for n, each in enumerate(text) if not _is_gap(each)), len(text))
    if start == len(text):
        return text + text[-1:]
    made, capital = [text[:start]], text[start].isupper()
    before = text[start].upper()
    for each in text[start + 1 :]:
        now = each
        if _is_gap(before) and not _is_gap(each):
            now, capital = each.upper(), each.isupper()
        else:
            made.append(before)
            if capital and not _is_gap(before):
                capital = each.isupper()
                now = each.lower() if capital else each
        before = now
    return "".join([*made, before])


def _words(text: str) -> list[tuple[str, str]]:
    """Cut a text into words, each with its kind; capitals are made small."""
    found = []
    for match in _WORD.finditer("".join(map(_class, text))):
        kind, word = match.lastgroup or "", text[match.start() : match.end()]
        found.append((kind, word.lower() if kind == "capitals" else word))
    return found


def _is_gap(each: str) -> bool:
    return each in "-_" or each.isspace()


def _class(each: str) -> str:
    """Give the class of a character as `_WORD` writes it."""
    category = unicodedata.category(each)
    if each.isspace():
        return " "
    if category[0] == "P":
        return "-" if each in "-_" else "p"
    if category == "Lu":
        return "U"
    if category[0] == "L":
        return "o" if _IDEOGRAPHS.match(each) else "a"
    return "9" if category[0] == "N" else "o"
