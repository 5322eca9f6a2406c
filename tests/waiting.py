"""Waiting until something has come to be: no test sleeps for a while and hopes."""

import time

SECONDS = 600
"""A loaded machine may take long; only a test that fails takes this long."""


def until(condition, seconds=SECONDS):
    """Wait until `condition()` gives something, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.01)
    return found
