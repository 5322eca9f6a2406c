"""The port `Store` in memory: objects by URI, gone with the process.

It keeps the contract of the real ones (`tests/contracts/test_store.py` runs on all): addressed by
digest, write-once, checked on the way out. `objects` is open to a test that wants to break bytes.
"""

from pathlib import Path

from gitwf import ports
from gitwf.errors import DigestMismatch, Stalled
from gitwf.values import Digest


class MemoryStore:
    """A store whose URIs begin with `memory:`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, folder: str, file: Path) -> ports.Stored:
        """Keep the file's bytes under their digest; there already: checked, and left."""
        content = file.read_bytes()
        digest = Digest.of(content)
        uri = f"memory:{folder}/sha256/{digest.hex}/{file.name}"
        there = self.objects.setdefault(uri, content)
        _check(uri, there, digest)
        return ports.Stored(uri, digest)

    def has(self, uri: str) -> bool:
        """Whether the object is there."""
        return uri in self.objects

    def fetch(self, uri: str, digest: Digest, to: Path) -> None:
        """Write the checked bytes to `to`."""
        if uri not in self.objects:
            raise Stalled(f"{uri}: the object is not there")
        _check(uri, self.objects[uri], digest)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(self.objects[uri])


def _check(uri: str, content: bytes, digest: Digest) -> None:
    found = Digest.of(content)
    if found != digest:
        raise DigestMismatch(uri, digest, found)
