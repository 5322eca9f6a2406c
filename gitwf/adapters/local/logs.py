"""What the steps of a run wrote, read once or as it grows.

One file a node. A reader remembers how far it has come in each, so that it can be asked again for
what is new; a line is given when it is whole, or when nothing more will come. A step that is tried
again begins its file anew, and the reader with it.
"""

from collections.abc import Iterator
from pathlib import Path

from gitwf import ports
from gitwf.adapters.local import folder
from gitwf.workflow import record


class Reader:
    """Reads the logs of a run, of one node by name or of all."""

    def __init__(self, run: folder.RunFolder, node: str | None) -> None:
        self._run = run
        self._node = node
        self._read: dict[str, int] = {}

    def lines(self, run: record.RunRecord | None, *, whole: bool = True) -> Iterator[ports.LogLine]:
        """Give what was not given before, node by node; with `whole` a last torn line too."""
        for name, one in run.nodes.items() if run is not None else ():
            # A containerSet's pod stands for its containers.
            pod = name.rpartition(".")[0] if one.type is record.NodeType.CONTAINER else name
            if self._node in {None, name, pod}:
                last = whole or one.phase.fulfilled
                for line in self._new(one.id, last=last):
                    yield ports.LogLine(name, line)

    def _new(self, node: str, *, last: bool) -> Iterator[str]:
        path = Path(self._run.log(node))
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file as lines:
            size = lines.seek(0, 2)
            at = self._read.get(node, 0)
            at = lines.seek(at if at <= size else 0)
            for line in lines:
                if not (last or line.endswith(b"\n")):
                    break
                at += len(line)
                yield line.removesuffix(b"\n").decode("utf-8", "replace")
            self._read[node] = at
