"""Signals at the worst moments: between a lock and its wait, and in a write that nobody reads."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from gitwf.adapters import clock
from gitwf.cli import delivering, heeding, watching
from gitwf.workflow import record
from tests import waiting
from tests.cli import running
from tests.local import conftest as local

slow = pytest.mark.slow
HOLD = "  templates: [{name: main, suspend: {}}]"
LEAVES = pytest.mark.parametrize("sent", [[signal.SIGHUP], [signal.SIGINT] * 3], ids=len)


@pytest.fixture(autouse=True)
def _with_terminal():
    """Have what is started here hear of the end of its terminal, though the tests may not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def send(signals):
    for one in signals:
        signal.raise_signal(one)


@LEAVES
@pytest.mark.parametrize("waited", [False, True], ids=["before", "after"])
def test_a_run_is_left_at_a_moment_at_which_its_watch_holds_no_lock(tmp_path, capfd, sent, waited):
    engine = local.Local("none", tmp_path).engine

    def begin():
        engine.start(local.order(HOLD))
        changed = engine._drives["run"]._changed
        unlock, lock = changed._release_save, changed._acquire_restore

        def wake():
            with changed:
                changed.notify_all()

        def unlocked():
            state = unlock()
            if in_main_thread():
                changed._release_save = unlock
                threading.Thread(target=wake).start() if waited else send(sent)
            return state

        def locking(state):
            if in_main_thread():
                changed._acquire_restore = lock
                if waited:
                    send(sent)
            lock(state)

        changed._release_save, changed._acquire_restore = unlocked, locking

    with pytest.raises(KeyboardInterrupt):
        watching.drive(engine, "run", "text", begin)

    said = capfd.readouterr().err
    assert "the run is left as it is; `gitwf resume run` goes on\n" in said
    assert engine.driven("run") is False


def in_main_thread():
    return threading.current_thread() is threading.main_thread()


class Asked:
    """An engine that notes what is asked of it, whose one run goes on until it is let go of."""

    def __init__(self, shown):
        self.notes = []
        self._shown = shown
        self._over = threading.Event()

    def watch(self, run):
        yield self._shown
        self._over.wait()

    def stop(self, run, *, terminate=False):
        waiting.until(lambda: signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
        self.notes.append("terminate" if terminate else "stop")

    def let_go(self, run):
        self._over.set()


def test_what_was_asked_for_before_somebody_leaves_is_written_down():
    engine = Asked(record.RunRecord({}, record.Phase.RUNNING))

    def leave():
        with heeding.watched(engine, "run", lambda *_: None) as shown:
            next(shown)
            send([signal.SIGTERM, signal.SIGINT, signal.SIGINT])

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert engine.notes == ["stop", "terminate"]


@slow
def test_a_run_is_left_though_nobody_reads_what_it_says(place, gitwf):
    reads, writes = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "gitwf", "run", "slow.yaml"], cwd=place, stdout=writes, stderr=writes
    ) as driver:
        said = b""
        while b"Running    toy" not in said:
            said += os.read(reads, 1000)
        os.set_blocking(writes, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writes, b".")
        os.set_blocking(writes, True)
        driver.send_signal(signal.SIGHUP)

        assert driver.wait(300) == 130
    os.close(reads)
    os.close(writes)
    run = running.newest(gitwf)["run"]
    assert f"{run}: Running; nobody drives it" in gitwf("runs", run).out


def at_every_moment(wait, act):
    """Wait again and again, acting at the first moment of it, then the second, until none is left.

    A moment is an instruction of Python's, as for a signal.
    """
    moments = count = 0

    def trace(frame, event, argument):
        nonlocal count
        del event, argument
        frame.f_trace_opcodes = True
        count += 1
        if count == moments:
            act()
        return trace

    while count >= moments:
        moments, count = moments + 1, 0
        sys.settrace(trace)
        try:
            wait()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
    return moments


def test_a_signal_may_wake_the_clock_and_end_its_wait_at_any_moment():
    ticking = clock.SystemClock()

    def interrupt():
        raise KeyboardInterrupt

    def signals():
        assert at_every_moment(lambda: ticking.wait(0), ticking.wake) > 1
        assert at_every_moment(lambda: ticking.wait(0), interrupt) > 1
        ticking.wake()
        ticking.wait(threading.TIMEOUT_MAX)

    aside = threading.Thread(target=signals, daemon=True)
    aside.start()
    aside.join(60)
    assert not aside.is_alive()


def test_a_second_request_to_stop_may_come_within_the_first():
    came = []

    def wake():
        came.append(len(came))
        if len(came) == 1:
            send([signal.SIGTERM])

    with delivering.stopped_by_signals(wake) as stopping:
        assert stopping() is False
        send([signal.SIGTERM])
        assert stopping() is True
        with pytest.raises(KeyboardInterrupt):
            send([signal.SIGINT])

    assert came == [0, 1]
