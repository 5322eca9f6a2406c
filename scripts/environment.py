"""Make the checkout's virtual environment: `environment.py FOLDER [--dev]`.

It needs nothing but Python and pip, pins every package by constraints.txt, and says in one line
what to install where Python's own venv module is missing.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def make(folder: pathlib.Path, *, dev: bool) -> None:
    """Create `folder` where it is missing and install gitwf from the checkout into it."""
    if sys.version_info < OLDEST:
        sys.exit(f"gitwf needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("Python's venv module is incomplete; on Debian: apt-get install python3-venv")
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    what = f"{ROOT}[dev]" if dev else str(ROOT)
    print("installing gitwf" + (" and its test tools" if dev else ""), flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--constraint", str(ROOT / "constraints.txt"), "--editable", what], check=False
    )
    if done.returncode:
        sys.exit("pip could not install gitwf; its own message is above")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dev", action="store_true")
    options = parser.parse_args()
    make(options.folder, dev=options.dev)


if __name__ == "__main__":
    main()
