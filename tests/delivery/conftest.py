"""Tests of single decisions use the world of the exploring tests, which is beside them."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "protocol"))
