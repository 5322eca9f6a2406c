"""Run the pipelines' scripts as a step would, beside a real PostgreSQL of our own.

The server is a private cluster in a temporary folder, on a free port of the loopback address, with
a password (scram) and no Unix socket. PostgreSQL refuses to run as root; there the Debian package's
user `postgres` runs it.
"""

import contextlib
import importlib.util
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
import yaml

PIPELINES = pathlib.Path(__file__).parents[2] / "pipelines"
STARTS_IN = 300.0  # seconds
PREFIX = "gitwf-postgres-"  # then the process id of the run


@dataclass(frozen=True)
class Server:
    """Where a PostgreSQL listens and who may enter; `db` is the database of the pipelines."""

    host: str
    port: int
    user: str
    password: str

    def environment(self) -> dict[str, str]:
        """What libpq reads, as a step's environment holds it."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
        }

    def parameters(self) -> dict[str, str]:
        """The workflow parameters that lead the pipelines' steps here."""
        return {"db-host": self.host, "db-port": str(self.port), "db-user": self.user}

    def secrets(self, folder: pathlib.Path) -> pathlib.Path:
        """Write the secret `db/password` in a folder for GITWF_SECRETS_DIR; return the folder."""
        (folder / "db").mkdir(parents=True)
        (folder / "db" / "password").write_text(self.password, encoding="utf-8")
        return folder

    def rows(self, query: str, database: str = "db") -> list[tuple]:
        """Run one statement; return its rows, none for a statement without a result."""
        place = f"host={self.host} port={self.port} user={self.user} dbname={database}"
        with psycopg.connect(place, password=self.password, autocommit=True) as connection:
            found = connection.execute(query)
            return found.fetchall() if found.description else []

    def shell(
        self, command: str, cwd: pathlib.Path, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line as `sh -c` with the connection in its environment, and no HOME."""
        environment = {"PATH": os.environ["PATH"], **self.environment(), **extra}
        return subprocess.run(
            ["sh", "-c", command],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def programs() -> pathlib.Path | None:
    """Return the folder of initdb and postgres: on PATH, else the newest that Debian installed."""
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    installed = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in installed), key=lambda p: int(p.parent.name), default=None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(server: Server, process: subprocess.Popen, log: pathlib.Path) -> None:
    deadline = time.monotonic() + STARTS_IN
    while True:
        try:
            server.rows("SELECT 1", database="postgres")
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(encoding="utf-8")) from error
            # Nothing tells when it listens; waiting on the process returns at once if it dies.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        else:
            return


def remove_what_a_crash_left() -> None:
    """Remove the folders of runs that were killed: their names say by which process they were made.

    A server that still runs misses its lock file within a minute, and ends by itself.
    """
    for left in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        if not pathlib.Path("/proc", left.name.removeprefix(PREFIX).partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start a PostgreSQL; stop it, and leave nothing behind, when the session ends."""
    where = programs()
    if where is None or shutil.which("psql") is None:
        pytest.skip("PostgreSQL is not installed")
    runs_as = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    remove_what_a_crash_left()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        server = Server("127.0.0.1", free_port(), "gitwf", secrets.token_urlsafe(16))
        secret, cluster, log = folder / "password", folder / "cluster", folder / "log"
        secret.write_text(server.password, encoding="utf-8")
        if runs_as:
            for path in (folder, secret):
                shutil.chown(path, "postgres", "postgres")
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        subprocess.run(
            [
                *(where / "initdb", "--pgdata", cluster, "--username", server.user),
                *("--pwfile", secret, "--auth", "scram-sha-256", "--encoding", "UTF8"),
                *("--no-sync", "--no-instructions"),
            ],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **runs_as,
        )
        secret.unlink()
        settings = {
            "listen_addresses": server.host,
            "port": server.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [
                    *(where / "postgres", "-D", cluster),
                    *(part for k, v in settings.items() for part in ("-c", f"{k}={v}")),
                ],
                env=environment,
                cwd=folder,
                stdout=output,
                stderr=output,
                **runs_as,
            )
        try:
            wait_until_it_answers(server, process, log)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL: fast shutdown, sessions are ended
            process.wait(STARTS_IN)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database(postgres: Server) -> Server:
    """An empty database `db` of its own for each test."""
    postgres.rows("DROP DATABASE IF EXISTS db WITH (FORCE)", database="postgres")
    postgres.rows("CREATE DATABASE db", database="postgres")
    return postgres


Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: pathlib.Path) -> Script:
    """Run a pipeline's script in an empty folder: `script("bandit", "calc_weights", *args)`."""

    def run(pipeline: str, name: str, *args: object, **environment: str):
        return subprocess.run(
            [sys.executable, PIPELINES / pipeline / f"{name}.py", *(str(arg) for arg in args)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], types.ModuleType]:
    """Import a pipeline's script as a module: `load("ad-effect", "estimate")`."""

    def module(pipeline: str, name: str) -> types.ModuleType:
        monkeypatch.syspath_prepend(PIPELINES / pipeline)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        unique = f"{pipeline}.{name}".replace("-", "_")
        spec = importlib.util.spec_from_file_location(unique, PIPELINES / pipeline / f"{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, unique, loaded)
        spec.loader.exec_module(loaded)
        return loaded

    return module


@dataclass(frozen=True)
class Done:
    """How a call of a script's `main` ended; the fields are those of a finished process."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(load, capsys, monkeypatch, tmp_path) -> Callable[..., Done]:
    """As `script`, but in this process: `call("bandit", "calc_weights", *args)`."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, name: str, *args: object) -> Done:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *(str(arg) for arg in args)])
        try:
            code = load(pipeline, name).main()
        except SystemExit as stop:
            code = stop.code
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def documents() -> Callable[[str], tuple[dict, dict]]:
    """Read a pipeline's two documents: `pipeline, workflow = documents("bandit")`."""

    def read(pipeline: str) -> tuple[dict, dict]:
        folder = PIPELINES / pipeline
        return tuple(
            yaml.safe_load((folder / name).read_text(encoding="utf-8"))
            for name in ("pipeline.yaml", "workflow.yaml")
        )

    return read
