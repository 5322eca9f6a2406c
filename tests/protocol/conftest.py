"""The exploring tests share modules that are no tests; they are found beside this file."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
