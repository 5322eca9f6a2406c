"""A step's program starts in its own folder, session and world, whichever way it is started."""

import concurrent.futures
import os
import signal
import sys
from pathlib import Path

import pytest

from gitwf.adapters.local import spawning

# What Python ignores; what whoever started the tests ignored stays so.
IGNORED = sum(1 << one - 1 for one in (signal.SIGPIPE, signal.SIGXFSZ))


@pytest.fixture
def thread():
    """A thread that may be changed, as a run's is."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield lambda work, *given: pool.submit(work, *given).result()


@pytest.fixture(params=["by its maker's thread", "by another"])
def shown(request, thread, tmp_path):
    """Give what a shell writes that was started in a folder, and how it ended."""
    spawner = thread(spawning.Spawner)
    do = thread if request.param == "by its maker's thread" else lambda work, *given: work(*given)

    def run(script, cwd=tmp_path):
        reader, writer = os.pipe()
        try:
            command = ["/bin/sh", "-c", script]
            started = do(spawner.start, command, {"NAME": "x"}, str(cwd), writer, writer)
        finally:
            os.close(writer)
        with os.fdopen(reader) as text:
            return text.read().strip(), do(started.wait)

    yield run
    spawner.close()


def test_it_starts_in_the_folder_that_it_is_given_and_nobody_else_moves(shown, tmp_path):
    before = Path.cwd()

    assert shown("pwd; echo $NAME") == (f"{tmp_path}\nx", 0)
    assert Path.cwd() == before


def test_the_thread_that_starts_it_is_where_it_was(thread, tmp_path):
    spawner = thread(spawning.Spawner)

    started = thread(spawner.start, ["/bin/true"], {}, str(tmp_path), 1, 2)

    assert thread(started.wait) == 0
    assert thread(Path.cwd) == Path.cwd()
    spawner.close()


def test_its_end_is_an_exit_code_or_minus_a_signal(shown):
    assert shown("exit 7")[1] == 7
    assert shown("kill -9 $$")[1] == -9


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_it_leads_a_session_does_not_ignore_what_python_does_and_has_nothing_to_read(shown):
    said, _ = shown("cat; cut -d' ' -f6 /proc/self/stat; echo $$; grep SigIgn /proc/self/status")

    session, own, ignored = said.splitlines()
    assert session == own
    assert int(ignored.split()[1], 16) & IGNORED == 0


def test_files_that_gitwf_was_started_with_are_not_passed_on(thread, tmp_path):
    file = os.open(tmp_path / "held", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(file, True)
    spawner = thread(spawning.Spawner)

    script = f"test ! -e /dev/fd/{file}"
    started = thread(spawner.start, ["/bin/sh", "-c", script], {}, str(tmp_path), 1, 2)

    assert thread(started.wait) == 0
    spawner.close()
    os.close(file)


@pytest.mark.parametrize(
    ("command", "folder"), [("/bin/true", "gone"), ("/no/such/program", ".")], ids=str
)
def test_what_cannot_be_started_is_an_error_and_the_thread_stays(thread, tmp_path, command, folder):
    spawner = thread(spawning.Spawner)

    with pytest.raises(FileNotFoundError):
        thread(spawner.start, [command], {}, str(tmp_path / folder), 1, 2)

    assert thread(Path.cwd) == Path.cwd()
    spawner.close()
