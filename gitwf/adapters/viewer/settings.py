"""What a front is told when it starts, and how it is found again without a file.

The idea: a front is found by its port alone. A fixed port is asked directly; port 0 stands for
eight ports that follow from the front's folder and environment, the same on every start. The port
is the lock as well: two fronts of one folder cannot both hold it. `identity` tells our front from
a stranger on the same port without telling anyone the folder's path. Each front keeps its files in
a folder that its port names, so that one at a port of earlier settings is found, and left in peace.
Read next: `control`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

# Below the range from which kernels take the ports of outgoing connections.
_FIRST_PORT, _BLOCKS, _BLOCK = 20_000, 1_500, 8


@dataclass(frozen=True)
class FrontSettings:
    """One environment's front.

    `home` is a folder for this environment's front alone; it holds a token, logs and the files of
    running viewers, and may be deleted at any moment. `port` 0: any, but the same on every start.
    `ready_seconds`: how long a new viewer may take. `drain_seconds`: how long open WebSockets and
    responses may stay with an old one.
    """

    environment: str
    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    ready_seconds: float = 60.0
    drain_seconds: float = 300.0

    @property
    def identity(self) -> str:
        """Sixteen hex digits that differ between folders and between environments."""
        return self._hash()[:16]

    def place(self, port: int) -> Path:
        """The folder of the front that listens on `port`."""
        return self.home / str(port)

    def token_file(self, port: int) -> Path:
        """Where the front on `port` writes the word that a POST must show."""
        return self.place(port) / "token"

    def ports(self) -> tuple[int, ...]:
        """Where this front may listen, in the order in which it tries."""
        return (self.port,) if self.port else self._derived()

    def earlier_ports(self) -> tuple[int, ...]:
        """Where else a front of this environment may listen, started under other settings."""
        try:
            named = [int(one.name) for one in self.home.iterdir() if one.name.isdecimal()]
        except OSError:
            named = []
        every = dict.fromkeys([*sorted(named), *self._derived()])
        return tuple(port for port in every if port not in self.ports())

    def _derived(self) -> tuple[int, ...]:
        first = _FIRST_PORT + int(self._hash(), 16) % _BLOCKS * _BLOCK
        return tuple(range(first, first + _BLOCK))

    def reached_at(self) -> str:
        """The address at which this machine reaches the front."""
        return "127.0.0.1" if self.host in {"", "0.0.0.0"} else self.host  # noqa: S104

    def dump(self) -> str:
        """One line of JSON that `load` reads back."""
        return json.dumps({**asdict(self), "home": str(self.home.absolute())})

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what `dump` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "home": Path(fields["home"])})

    def _hash(self) -> str:
        name = f"{self.home.resolve()}\0{self.environment}"
        return hashlib.sha256(name.encode()).hexdigest()
