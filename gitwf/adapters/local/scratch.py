"""Scratch folders of a run's steps: each has one to itself, clean, while it runs.

A folder that a step left as clean as it found it serves the next one, because making and removing
folders costs about as much as a short step. One that holds anything is thrown away with all that
is in it. Looking is put off until there is time: while the next step runs.
"""

import os
import shutil
from pathlib import Path

HOME, TEMPORARY, OUTPUTS = "home", "tmp", "outputs"


class Scratch:
    """The scratch folders below one folder. Used by one thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._free: list[Path] = []
        self._used: list[Path] = []
        self._made = 0

    def take(self) -> Path:
        """Give a folder with an empty home and temporary folder in it and nothing else."""
        if self._free:
            return self._free.pop()
        folder = self._fresh()
        # What a container left as another user may not be ours to remove.
        while folder.exists():
            folder = self._fresh()
        (folder / HOME).mkdir(parents=True)
        (folder / TEMPORARY).mkdir()
        (folder / TEMPORARY).chmod(0o1777)
        return folder

    def _fresh(self) -> Path:
        self._made += 1
        folder = self.root / str(self._made)
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def give_back(self, folder: Path) -> None:
        """Take a folder back after its step."""
        self._used.append(folder)

    def tidy(self) -> None:
        """Clean what was given back."""
        while self._used:
            folder = self._used.pop()
            if _clean(str(folder)):
                self._free.append(folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)


def _clean(folder: str) -> bool:
    # Every step passes here: text is a good deal faster than paths.
    try:
        return sorted(os.listdir(folder)) == [HOME, TEMPORARY] and not (  # noqa: PTH208
            os.listdir(f"{folder}/{HOME}") or os.listdir(f"{folder}/{TEMPORARY}")  # noqa: PTH208
        )
    except OSError:
        return False
