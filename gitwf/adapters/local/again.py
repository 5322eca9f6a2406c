"""Run a command again while it fails, as a container of a set with a `retryStrategy` does.

The loop is the launcher's, which repeats a step in the view that it has. Where there is no view
this file is started as a plain script in the place of the program, `again.py ATTEMPTS PAUSE PROGRAM
ARGUMENT…`; its exit code is that of the last try. It shares the group of what it starts, so that
whoever signals the group signals both.
"""

import os
import signal
import sys
from collections.abc import Callable


def repeat(attempt: Callable[[], tuple[int, bool]], attempts: int, pause: float) -> int:
    """Call `attempt` until it succeeds, `attempts` times in all; gives the last exit code.

    `attempt` gives an exit code, and whether it was asked to end, after which none follows.
    """
    for number in range(attempts):
        code, asked = attempt()
        if code == 0 or asked or number == attempts - 1:
            break
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        asked = signal.sigtimedwait({signal.SIGTERM}, pause) is not None
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if asked:
            break
    return code


def attempt(argv: list[str]) -> tuple[int, bool]:
    """Run the command once; see `repeat`."""
    asked = False

    def note(_number: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, note)
    pid = os.posix_spawn(argv[0], argv, os.environ, setsigdef=[signal.SIGTERM])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code, asked


if __name__ == "__main__":
    sys.exit(repeat(lambda: attempt(sys.argv[3:]), int(sys.argv[1]), float(sys.argv[2])))
