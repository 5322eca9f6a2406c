r"""Sets of characters for regular expressions: ranges, Unicode categories and RE2's named classes.

Categories are looked up in Python's own Unicode tables, which may be a version older or newer than
Go's; scripts (`\p{Greek}`) are not known. Read next: `regexes`.
"""

import unicodedata
from bisect import bisect_right

Ranges = tuple[tuple[int, int], ...]
TOP = 0x10FFFF
"""The last code point."""

_DIGITS: Ranges = ((48, 57),)
_WORDS: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_BLANKS: Ranges = ((9, 10), (12, 13), (32, 32))
PERL = {"d": _DIGITS, "w": _WORDS, "s": _BLANKS}
POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGITS,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORDS,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


class CharacterSet:
    """The characters one position may hold; membership is looked up once per character."""

    def __init__(self, *, negated: bool = False, fold: bool = False) -> None:
        self.negated = negated
        self.fold = fold
        self.ranges: list[tuple[int, int]] = []
        self.parts: list[tuple[str, bool]] = []
        self._starts: list[int] = []
        self._known: dict[str, bool] = {}

    def add(self, ranges: Ranges, *, negated: bool = False) -> None:
        """Put ranges in, or everything outside of them."""
        if not negated:
            self.ranges.extend(ranges)
            return
        low = 0
        for start, stop in sorted(ranges):
            if low < start:
                self.ranges.append((low, start - 1))
            low = max(low, stop + 1)
        self.ranges.append((low, TOP))

    def has(self, character: str) -> bool:
        """Say whether a character belongs."""
        known = self._known.get(character)
        if known is None:
            variants = {character}
            if self.fold:
                variants |= {character.lower(), character.upper(), character.casefold()}
                variants |= {"K": {"\u212a"}, "S": {"\u017f"}}.get(character.upper(), set())
            known = any(self._holds(each) for each in variants if len(each) == 1) != self.negated
            if len(self._known) < 4096:  # noqa: PLR2004
                self._known[character] = known
        return known

    def _holds(self, character: str) -> bool:
        if len(self._starts) != len(self.ranges):
            self.ranges = _merged(self.ranges)
            self._starts = [start for start, _ in self.ranges]
        code = ord(character)
        place = bisect_right(self._starts, code) - 1
        if place >= 0 and code <= self.ranges[place][1]:
            return True
        if not self.parts:
            return False
        category = unicodedata.category(character)
        return any(category.startswith(part) != outside for part, outside in self.parts)


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], stop)
        else:
            merged.append((start, stop))
    return merged
