"""What of a run waits for a person, and what it wants to be told.

A suspended node may declare outputs that whoever lets it go on supplies; those without a default
must be there. Whoever asks can so be told what is missing before anything is asked of the run.
"""

from dataclasses import dataclass

from gitwf.adapters.local import replay


@dataclass(frozen=True)
class Wait:
    """One thing that waits: a node by id and name, or with "" the run, which is not begun.

    `wanted`: the outputs to be supplied; True where there is no default. `timed`: it goes on by
    itself when its time has come.
    """

    node: str
    name: str
    wanted: dict[str, bool]
    timed: bool = False


def waits(run: replay.Replay) -> list[Wait]:
    """Give what waits, oldest first."""
    found = [Wait("", "", {})] if run.begins_suspended else []
    for one in run.suspended:
        wanted = {
            parameter.name: parameter.value_from is None or parameter.value_from.default is None
            for parameter in one.declared
        }
        found.append(Wait(one.node.id, one.node.name, wanted, one.timed))
    return found
