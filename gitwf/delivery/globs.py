"""Path patterns: `*` within one name, `**` over any number of folders, `?` one character.

They match whole paths of the repository and nothing on a disk. A pattern that names a folder takes
everything below it, so that `viewer` and `viewer/**` say the same.
"""

import functools
import re
from collections.abc import Iterable

_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern into a regular expression for `fullmatch`."""
    pieces = (_MEANING.get(piece) or re.escape(piece) for piece in _PIECE.findall(pattern))
    return re.compile("".join(pieces) + r"(?:/.*)?")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of `patterns` matches `path`."""
    return any(compiled(pattern).fullmatch(path) for pattern in patterns)
