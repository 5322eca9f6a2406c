"""`gitwf demo` as a newcomer runs it: in time, nothing left behind, and as the README tells."""

import importlib.util
import os
import pathlib
import resource
import signal
import subprocess
import sys

import click
import pytest

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
STARTS = 50
"""What the demo may compute, front and viewers apart, in starts of gitwf with numpy.

That is some three times what it does; on a common idle machine it ends within a minute.
"""
PATIENCE_SECONDS = 600


@pytest.fixture
def newcomer(tmp_path):
    """An empty home, a private folder for what is temporary, and what pip needs to be told."""
    for name in ("home", "tmp", "pip"):
        (tmp_path / name).mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PIP_CACHE_DIR": str(tmp_path / "pip"),
    }


def processes_of(folder):
    """The command lines of processes that name a folder, or were told of it."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def assert_nothing_is_left(newcomer):
    # pip asks for rustc's version, and rustup's launcher of it keeps settings.
    left = [one.name for one in pathlib.Path(newcomer["HOME"]).iterdir() if one.name != ".rustup"]
    assert left == []
    assert list(pathlib.Path(newcomer["TMPDIR"]).iterdir()) == []
    assert processes_of(newcomer["TMPDIR"]) == []


def play(newcomer, *command):
    """Run a demo to its end; what it printed."""
    done = subprocess.run(
        [*command, "demo", "--exit"],
        cwd=newcomer["HOME"],
        env=newcomer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def computed():
    """The CPU time, in seconds, of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def a_start():
    """The CPU time, in seconds, of one start of gitwf with numpy."""
    times = 5
    before = computed()
    for _ in range(times):
        subprocess.run([sys.executable, "-c", "import numpy, gitwf.cli.demo"], check=True)
    return (computed() - before) / times


def readme():
    """The program that keeps the README's transcript, as a module."""
    spec = importlib.util.spec_from_file_location("readme", ROOT / "scripts" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_goes_as_the_readme_tells_and_leaves_nothing_behind(newcomer):
    before = computed()

    transcript = play(newcomer, sys.executable, "-m", "gitwf")

    took = computed() - before
    told = (ROOT / "README.md").read_text("utf-8")
    assert readme().differences(told, transcript) == []
    assert_nothing_is_left(newcomer)
    assert took < STARTS * a_start()


def wheel(newcomer, folder):
    """Build the wheel of this checkout as pip does, and install it in an environment of its own.

    Dependencies come from the environment that runs the tests: a `.pth` names its folder, whose own
    `.pth` files, an editable gitwf among them, are not followed.
    """
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, env=newcomer, check=True)
    (built,) = (folder / "dist").glob("gitwf-*.whl")
    place = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    into = [*pip, "--python", str(python), "install", "--no-deps", str(built)]
    subprocess.run(into, env=newcomer, check=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{pathlib.Path(click.__file__).parents[1]}\n")
    return place


def test_the_demo_runs_from_an_installed_wheel(newcomer, tmp_path):
    place = wheel(newcomer, tmp_path)
    ask = [place / "bin" / "python", "-c", "import gitwf; print(gitwf.__file__)"]
    where = subprocess.check_output(ask, cwd=newcomer["HOME"], env=newcomer, text=True)
    assert pathlib.Path(where.strip()).is_relative_to(place)

    transcript = play(newcomer, place / "bin" / "gitwf")

    assert readme().differences((ROOT / "README.md").read_text("utf-8"), transcript) == []
    assert_nothing_is_left(newcomer)


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (signal.SIGINT, "train version 2"),
        (signal.SIGTERM, "run version 1"),
        (signal.SIGHUP, "run version 1"),
    ],
)
def test_a_demo_that_is_stopped_half_way_leaves_nothing_behind(newcomer, number, where):
    running = subprocess.Popen(
        [sys.executable, "-m", "gitwf", "demo", "--exit"],
        cwd=newcomer["HOME"],
        env={**newcomer, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in running.stdout:
        if where in line:
            break

    running.send_signal(number)

    out, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == (130 if number is signal.SIGINT else 128 + number), out
    assert "Traceback" not in out
    assert_nothing_is_left(newcomer)
