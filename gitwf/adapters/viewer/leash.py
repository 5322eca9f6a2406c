"""A program that runs a viewer and ends it when the front is gone, however the front went.

`python leash.py COMMAND…` starts the command in its own process group and holds the reading end of
a pipe whose other end only the front has. A front that is killed without a chance to clean up
closes that pipe, so the viewer and whatever it started end with it: no records on disk, and the
same on Linux and macOS. It imports nothing of gitwf, so that it starts in a few milliseconds.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 2.0


def _end_group(how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(0, how)


def _watch() -> None:
    """Wait for the pipe to close, then end the group: asked first, killed after the grace."""
    while os.read(0, 1024):
        pass
    _end_group(signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _end_group(signal.SIGKILL)


def main() -> int:
    """Run the command given as arguments and return its exit code (128 + N for a signal)."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    viewer = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        preexec_fn=_default_signals,  # noqa: PLW1509  no thread runs yet
    )
    threading.Thread(target=_watch, daemon=True).start()
    code = viewer.wait()
    _end_group(signal.SIGTERM)
    return code if code >= 0 else 128 - code


def _default_signals() -> None:
    for restored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(restored, signal.SIG_DFL)


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    sys.exit(main())
