"""Whether ledger and branch still tell one story, and what does not fit if they do not.

Whatever gitwf writes fits. What does not is left by a ledger that was lost, so that numbers were
given again, or by somebody's hand. Nothing here is mended: which of two stories is true only a
person can know. From the ledger and the release files' trails alone, as `history` is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import trail as trails

_HAND = "somebody's hand wrote it, or took away what belongs to it"


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit. `where`: a path of the ledger, a commit, or an address."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


def check(
    facts: ledger_facts.Facts,
    named: Mapping[tuple[str, str], trails.Trail],
    lost: Iterable[str] = (),
) -> Iterator[Finding]:
    """Find what does not fit. `named`: the trail of each release file at HEAD, by model and place.

    `lost`: the commits of the ledger that release files at HEAD were made from and that it lacks.
    """
    gone = tuple(lost)
    if gone:
        yield Finding("gitwf/ledger", *ledger_facts.lost(gone))
    for model in facts.models():
        yield from _numbers(model, facts)
        yield from _results(model, facts)
    for (model, environment), trail in sorted(named.items()):
        for change in trail.changes:
            yield from _release(model, environment, change, facts)


def _numbers(model: str, facts: ledger_facts.Facts) -> Iterator[Finding]:
    """Each number belongs to one key, and that key was claimed with it."""
    owners: dict[str, int] = {}
    for number, key in sorted(facts.versions(model).items()):
        where = f"versions/{model}/{number}.json"
        first = owners.setdefault(key, number)
        if first != number:
            yield Finding(where, f"its key has the number {first} already", _HAND)
        claimed = {claim.version for claim in facts.claims(model, key)}
        if not claimed:
            yield Finding(where, f"its key {key.short} was never claimed", _HAND)
        elif first == number and claimed != {number}:
            others = ", ".join(map(str, sorted(claimed)))
            yield Finding(where, f"its key {key.short} was claimed as version {others}", _HAND)


def _results(model: str, facts: ledger_facts.Facts) -> Iterator[Finding]:
    """Each result is of an attempt that was claimed, under the number of its key."""
    for key in facts.keys(model):
        result = facts.result(model, key)
        if result is None:
            continue
        if result.attempt not in {claim.attempt for claim in facts.claims(model, key)}:
            yield Finding(result.path, f"attempt {result.attempt} was never claimed", _HAND)
        if facts.key_of(model, result.version) != key:
            what = f"it is of version {result.version}, and that number is not its key's"
            yield Finding(result.path, what, _HAND)


def _release(
    model: str, environment: str, change: trails.Change, facts: ledger_facts.Facts
) -> Iterator[Finding]:
    """What a release commit named is what the ledger has under that number."""
    if change.version is None:
        return
    where = f"commit {change.commit.short}"
    named = f"it names {model}@{change.version} in {environment}"
    result = facts.result_of(model, change.version)
    if result is None:
        what = f"{named}, a version that the ledger has no result of"
        yield Finding(where, what, _why(change, "the ledger was lost since then"))
    elif result.digest != change.digest:
        what = (
            f"{named} as {_short(change.digest)}, and the ledger has it as {_short(result.digest)}"
        )
        yield Finding(where, what, _why(change, "the number was given twice: a ledger was lost"))


def _why(change: trails.Change, lost: str) -> str:
    return lost if change.automatic else f"{change.who} wrote that"


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "nothing"
