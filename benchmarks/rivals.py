"""The same no-op steps for other tools: how each is told, in as few words as it takes.

A rival is measured as people start it: one process, from nothing to done, in a fresh folder. Make
and ninja come from the system; doit, luigi and snakemake from a virtual environment:

    python benchmarks/rivals.py --install .cache/rivals
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PYTHON_RIVALS = ("doit", "luigi", "snakemake")


@dataclass(frozen=True)
class Rival:
    """One tool: its files for a chain or a fan-out of `steps`, and the command that runs them."""

    name: str
    files: Callable[..., dict[str, str]]
    command: tuple[str, ...]
    slow: bool = False

    def ready(self, tools: Path) -> list[str] | None:
        """Give the command with its program's path, or None where it is not installed."""
        for folder in (tools / "bin", Path("/usr/bin"), Path("/usr/local/bin")):
            if (folder / self.command[0]).exists():
                return [str(folder / self.command[0]), *self.command[1:]]
        return None


def _before(number: int, *, fan_out: bool) -> list[int]:
    return [] if fan_out or not number else [number - 1]


def _make(steps: int, *, fan_out: bool) -> dict[str, str]:
    lines = ["all: " + " ".join(f"s{number}" for number in range(steps))]
    for number in range(steps):
        before = " ".join(f"s{one}" for one in _before(number, fan_out=fan_out))
        lines.append(f"s{number}: {before}\n\t@/usr/bin/true\n.PHONY: s{number}")
    return {"Makefile": "\n".join(lines) + "\n"}


def _ninja(steps: int, *, fan_out: bool) -> dict[str, str]:
    lines = ["rule t\n  command = /usr/bin/true"]
    for number in range(steps):
        before = " ".join(f"s{one}" for one in _before(number, fan_out=fan_out))
        lines.append(f"build s{number}: t {before}")
    return {"build.ninja": "\n".join(lines) + "\n"}


def _doit(steps: int, *, fan_out: bool) -> dict[str, str]:
    chained = "" if fan_out else ", 'task_dep': [f's:{n - 1}'] if n else []"
    return {
        "dodo.py": f"""
def task_s():
    for n in range({steps}):
        yield {{'name': str(n), 'actions': [['/usr/bin/true']]{chained}}}
"""
    }


def _luigi(steps: int, *, fan_out: bool) -> dict[str, str]:
    last = "[S(n=n) for n in range(%d)]" % steps if fan_out else f"[S(n={steps - 1})]"  # noqa: UP031
    before = "[]" if fan_out else "[S(n=self.n - 1)] if self.n else []"
    return {
        "chain.py": f"""
import subprocess, luigi
class S(luigi.Task):
    n = luigi.IntParameter()
    done = False
    def requires(self): return {before}
    def run(self):
        subprocess.run(['/usr/bin/true'], check=True)
        self.done = True
    def complete(self): return self.done
class All(luigi.WrapperTask):
    def requires(self): return {last}
luigi.build([All()], local_scheduler=True, log_level='ERROR')
"""
    }


def _snakemake(steps: int, *, fan_out: bool) -> dict[str, str]:
    if fan_out:
        rules = (
            f"rule all:\n  input: expand('o/{{n}}', n=range({steps}))\n"
            "rule s:\n  output: touch('o/{n}')\n  shell: '/usr/bin/true'\n"
        )
        return {"Snakefile": rules}
    rules = [f"rule all:\n  input: 'o{steps - 1}'\n"]
    for number in range(steps):
        before = f"  input: 'o{number - 1}'\n" if number else ""
        rules.append(
            f"rule s{number}:\n{before}  output: touch('o{number}')\n  shell: '/usr/bin/true'\n"
        )
    return {"Snakefile": "".join(rules)}


RIVALS = (
    Rival("make -j2", _make, ("make", "-j2", "-s")),
    Rival("ninja -j2", _ninja, ("ninja", "-j2", "--quiet")),
    Rival("doit", _doit, ("doit", "-v0", "--reporter=zero")),
    Rival("luigi, one worker", _luigi, ("python", "chain.py"), slow=True),
    Rival("snakemake -c2", _snakemake, ("snakemake", "-c2", "-q", "all"), slow=True),
)


def main() -> None:
    """Make the virtual environment of those that are Python packages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", type=Path, required=True, help="a folder")
    folder = parser.parse_args().install
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PYTHON_RIVALS], check=True)


if __name__ == "__main__":
    main()
