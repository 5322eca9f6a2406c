"""Semantic versions: how they are read, ordered and compared with a constraint.

As sprig's library has them (Masterminds/semver v3): a version may leave out its minor and its
patch, a constraint that does so stands for a range, and a pre-release satisfies only a constraint
that names one itself. Nothing here knows expressions; `library.sprig.versions` hands texts in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitwf.workflow.expr import errors

MAX_TEXT: Final = 1_000
"""Characters; nobody writes a longer constraint, and reading one could take long."""

_EXTRA = r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<meta>[0-9A-Za-z.-]+))?"
_PARTS = r"v?(?P<major>{0})(?:\.(?P<minor>{0}))?(?:\.(?P<patch>{0}))?" + _EXTRA
_VERSION = re.compile(_PARTS.format("[0-9]{1,19}"))
_TERM = re.compile(r"(?P<sign>[=!<>~^]*) ?" + _PARTS.format("[0-9]{1,19}|[xX*]"))
_SPAN = re.compile(r"(?P<low>v?[0-9xX*][^ ,|]*) - (?P<high>v?[0-9xX*][^ ,|]*)")


@dataclass(frozen=True, slots=True)
class Version:
    """A version. Its metadata and how it was written do not count in a comparison."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    metadata: str = field(default="", compare=False)
    original: str = field(default="", compare=False)

    def __str__(self) -> str:
        extra = f"-{self.prerelease}" if self.prerelease else ""
        extra += f"+{self.metadata}" if self.metadata else ""
        return f"{self.major}.{self.minor}.{self.patch}{extra}"

    @property
    def rank(self) -> tuple[object, ...]:
        """What versions are ordered by: a release comes after its pre-releases."""
        parts = self.prerelease.split(".") if self.prerelease else []
        named = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in parts)
        return self.major, self.minor, self.patch, not parts, named

    def compare(self, other: "Version") -> int:
        """Give -1, 0 or 1."""
        return (self.rank > other.rank) - (self.rank < other.rank)


def read(text: str) -> Version:
    """Read a version. Raises Fault."""
    match = _VERSION.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None or ".." in f".{match['pre'] or 'x'}.{match['meta'] or 'x'}.":
        raise errors.Fault("Invalid Semantic Version")
    pre = match["pre"] or ""
    if any(part.isdigit() and part != "0" and part[0] == "0" for part in pre.split(".")):
        raise errors.Fault("Version segment starts with 0")
    major, minor, patch = (int(match[part] or 0) for part in ("major", "minor", "patch"))
    return Version(major, minor, patch, pre, match["meta"] or "", text)


@dataclass(frozen=True, slots=True)
class _Bound:
    """The version of one term, and how many of its three numbers the term names."""

    version: Version
    named: int


def satisfies(version: Version, constraint: str) -> bool:
    """Whether a version satisfies a constraint: terms that all hold, in groups split by `||`.

    Raises Fault: the constraint cannot be read.
    """
    if len(constraint) > MAX_TEXT:
        raise errors.Fault("improper constraint: it is too long")
    groups = [_terms(group) for group in re.sub(r"\s+", " ", constraint).split("||")]
    return any(all(_holds(version, *term) for term in group) for group in groups)


def _terms(group: str) -> list[tuple[str, _Bound]]:
    text = _SPAN.sub(r">=\g<low>, <=\g<high>", group).strip(" ")
    found, position = [], 0
    while True:
        match = _TERM.match(text, position)
        if match is None or match["sign"] not in _CHECKS:
            raise errors.Fault(f"improper constraint: {group}")
        found.append((match["sign"], _bound(match)))
        if match.end() == len(text):
            return found
        between = re.compile(r" ?, ?| ").match(text, match.end())
        if between is None:
            raise errors.Fault(f"improper constraint: {group}")
        position = between.end()


def _bound(match: re.Match[str]) -> _Bound:
    numbers: list[str] = []
    for part in ("major", "minor", "patch"):
        if not (match[part] or "").isdigit():
            break
        numbers.append(match[part])
    extra = f"-{match['pre']}" if match["pre"] else ""
    written = ".".join([*numbers, *["0"] * (3 - len(numbers))])
    return _Bound(read(written + extra), len(numbers))


def _holds(version: Version, sign: str, bound: _Bound) -> bool:
    exact = bound.named == len(("major", "minor", "patch"))
    if version.prerelease and not bound.version.prerelease and not (sign == "!=" and exact):
        return False
    return _CHECKS[sign](version, bound)


def _equal(version: Version, bound: _Bound) -> bool:
    return version == bound.version if bound.named == 3 else _near(version, bound)  # noqa: PLR2004


def _other(version: Version, bound: _Bound) -> bool:
    if bound.named in {0, 3}:
        return version != bound.version
    ours = (version.major, version.minor)[: bound.named]
    theirs = (bound.version.major, bound.version.minor)[: bound.named]
    parts = (version.prerelease, bound.version.prerelease)
    return ours != theirs or (bound.named > 1 and parts[0] != parts[1])


def _above(version: Version, bound: _Bound) -> bool:
    """More than `1.2` is `1.3.0` and up, more than `1` is `2.0.0` and up."""
    if bound.named in {0, 3}:
        return version.rank > bound.version.rank
    ours = (version.major, version.minor)[: bound.named]
    return ours > (bound.version.major, bound.version.minor)[: bound.named]


def _at_most(version: Version, bound: _Bound) -> bool:
    if bound.named == 3:  # noqa: PLR2004
        return version.rank <= bound.version.rank
    if bound.named == 1:
        return version.major <= bound.version.major
    return (version.major, version.minor) <= (bound.version.major, bound.version.minor)


def _near(version: Version, bound: _Bound) -> bool:
    """`~1.2.3` goes on to the end of 1.2, `~1` to that of 1."""
    if version.rank < bound.version.rank:
        return False
    low = bound.version
    if (low.major, low.minor, low.patch) == (0, 0, 0) and bound.named in {0, 3}:
        return True
    return version.major == low.major and (bound.named == 1 or version.minor == low.minor)


def _compatible(version: Version, bound: _Bound) -> bool:
    """`^1.2.3` goes on to the end of 1, `^0.2.3` to that of 0.2, `^0.0.3` is that alone."""
    if version.rank < bound.version.rank:
        return False
    low = bound.version
    if low.major > 0 or bound.named == 1:
        return version.major == low.major
    if version.major > 0:
        return False
    if low.minor > 0 or bound.named == 2:  # noqa: PLR2004
        return version.minor == low.minor
    return (version.minor, version.patch) == (0, low.patch)


_CHECKS: Mapping[str, Callable[[Version, _Bound], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _other,
    ">": _above,
    "<": lambda version, bound: version.rank < bound.version.rank,
    ">=": lambda version, bound: version.rank >= bound.version.rank,
    "=>": lambda version, bound: version.rank >= bound.version.rank,
    "<=": _at_most,
    "=<": _at_most,
    "~": _near,
    "~>": _near,
    "^": _compatible,
}
