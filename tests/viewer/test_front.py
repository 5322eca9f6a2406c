"""The front: found without a file, outliving everyone but `down`, and leaving nothing behind."""

import concurrent.futures
import dataclasses
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from gitwf.adapters.viewer import control, settings
from gitwf.errors import Stalled, Transient
from tests import waiting

pytestmark = pytest.mark.slow


def test_it_says_what_it_serves_to_anyone_who_asks(site):
    site.roll(1)

    seen = json.loads(site.get("-/gitwf"))

    assert seen["environment"] == "production"
    assert seen["applied"]["model"] == seen["serving"]["model"] == "ad-effect-v1"
    assert seen["applied"]["ready"] is True
    assert seen["rollout"] == {"state": "complete", "reason": ""}
    assert str(site.folder) not in json.dumps(seen)


def test_it_is_found_again_when_its_folder_was_deleted(site):
    site.roll(1)
    before = site.seen
    shutil.rmtree(site.settings.home)

    assert site.target.observe().release is not None
    site.roll(2)

    assert site.seen["pid"] == before["pid"]
    assert "ad-effect-v2" in site.get()


def test_its_token_is_for_this_user_alone(site):
    site.roll(1)

    assert stat.S_IMODE(site.settings.token_file(site.seen["port"]).stat().st_mode) == 0o600
    assert stat.S_IMODE(site.settings.home.stat().st_mode) == 0o700


@pytest.mark.parametrize("token", ["", "0" * 64, "\u00e9"])
@pytest.mark.parametrize("what", ["apply", "down"])
def test_nobody_commands_it_without_the_token(site, what, token):
    site.roll(1)
    status, _ = control._ask(
        site.settings,
        site.seen["port"],
        "POST",
        f"/-/gitwf/{what}",
        {},
        token.encode().decode("latin-1"),
    )

    assert status == 403
    assert site.seen["revision"]


def test_a_rollout_that_it_cannot_read_changes_nothing(site):
    site.roll(1)
    before = site.seen
    for body in ([], {"based_on": ""}, {"based_on": before["revision"], "spec": {"id": "x"}}):
        status, _ = control.post(site.settings, before, "apply", body)
        assert status == 400

    assert site.seen == before


def test_other_paths_of_its_own_are_not_passed_to_the_viewer(site):
    site.roll(1)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(site.url + "-/gitwf/other")

    assert raised.value.code == 404
    raised.value.close()


def test_it_outlives_the_process_that_started_it(site):
    code = (
        "import sys, time; from gitwf.adapters.viewer import control, settings;"
        "control.start(settings.FrontSettings.load(sys.argv[1])); print('up', flush=True);"
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", code, site.settings.dump()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as starter:
        assert starter.stdout.readline() == b"up\n"
        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()

    assert site.seen["applied"] is None
    assert site.roll(1).state == "complete"


def test_when_it_is_killed_its_viewers_end_and_the_next_rollout_heals_it(site):
    site.roll(1)
    old = site.seen
    os.kill(old["pid"], signal.SIGKILL)
    waiting.until(lambda: not site.alive(old["serving"]["pid"]))

    assert site.target.observe() is None
    assert site.roll(1).state == "complete"
    assert site.seen["url"] == old["url"]
    assert "ad-effect-v1" in site.get()


def test_a_viewer_that_dies_is_started_again_and_requests_wait_for_it(site):
    site.roll(1)
    pid = site.seen["serving"]["pid"]
    with pytest.raises((urllib.error.HTTPError, http.client.HTTPException, OSError)) as raised:
        site.get("die")
    if isinstance(raised.value, urllib.error.HTTPError):
        raised.value.close()

    assert "ad-effect-v1" in site.get()
    assert waiting.until(lambda: site.seen["serving"])["pid"] != pid
    assert site.target.observe().ready


def test_a_viewer_killed_between_two_requests_fails_none(site):
    site.roll(1)
    for _ in range(3):
        pid = waiting.until(lambda: site.seen["serving"])["pid"]
        os.killpg(pid, signal.SIGKILL)
        assert "ad-effect-v1" in site.get()


def test_a_viewer_that_cannot_be_started_again_is_not_ready_until_it_is_applied_again(site):
    site.roll(1)
    shutil.rmtree(site.settings.home)
    os.killpg(site.seen["serving"]["pid"], signal.SIGKILL)
    waiting.until(lambda: not site.target.observe().ready)

    assert site.roll(1).state == "complete"
    assert site.target.observe().ready
    assert "ad-effect-v1" in site.get()


def test_a_program_that_never_answers_on_its_port_is_not_taken_for_absent(site, monkeypatch):
    monkeypatch.setattr(control, "_ANSWER_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", site.settings.ports()[0])),
        pytest.raises(Transient, match="does not answer"),
    ):
        site.target.observe()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    own = settings.FrontSettings("production", tmp_path / "file" / "front")

    with pytest.raises(Stalled, match="the front of production cannot start"):
        control.start(own)


ABRUPT = [
    b"",
    b"GET /webs",
    b"GET /slowly HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    b"POST /-/gitwf/apply HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc",
    b"POST /-/gitwf/apply HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
]
RESET = struct.pack("ii", 1, 0)  # closing sends a reset instead of waiting


def test_clients_that_break_off_leave_no_trace(site):
    site.roll(1)
    for _ in range(10):
        for raw in ABRUPT:
            with socket.create_connection(("127.0.0.1", site.seen["port"])) as client:
                client.sendall(raw)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    site.roll(2)

    waiting.until(lambda: site.seen["draining"] == 0)
    assert "ad-effect-v2" in site.get()
    assert (site.settings.home / "front.log").read_text() == ""


def test_down_leaves_no_process_no_port_and_no_file(site):
    site.roll(1)
    site.roll(2)
    seen = site.seen

    assert control.down(site.settings) is True

    waiting.until(lambda: not site.alive(seen["pid"]))
    assert not site.alive(seen["serving"]["pid"])
    assert not site.settings.home.exists()
    assert control.down(site.settings) is False
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", seen["port"])) != 0


def test_down_stops_a_rollout_under_way(site):
    for _ in range(5):
        site.target.apply(site.desired(1, BEHAVIOUR="hang"))
        pid = site.seen["pid"]

        assert control.down(site.settings) is True
        waiting.until(lambda pid=pid: not site.alive(pid))


def test_the_terminals_interrupt_is_down_as_well(site):
    site.roll(1)
    seen = site.seen
    os.kill(seen["pid"], signal.SIGTERM)

    waiting.until(lambda: not site.alive(seen["pid"]))
    assert not site.alive(seen["serving"]["pid"])
    assert not site.settings.home.exists()


def test_in_the_foreground_it_says_where_it_is_and_ends_with_ctrl_c(site):
    code = (
        "import sys; from gitwf.adapters.viewer import front, settings;"
        "sys.exit(not front.run_front(settings.FrontSettings.load(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, site.settings.dump()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as front:
        assert front.stdout.readline().decode().strip() == site.url
        site.roll(1)
        assert subprocess.run(command, check=False).returncode == 1
        front.send_signal(signal.SIGINT)

        assert front.wait(120) == 0
    assert not site.settings.home.exists()


def test_many_starts_at_once_make_one_front(site):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        started = list(pool.map(lambda _: control.start(site.settings), range(4)))

    assert len({state["pid"] for state in started}) == 1


@pytest.fixture
def stranger(tmp_path):
    """Start another web server on a port."""
    started = []

    def start(port):
        command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", str(port)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
        )
        started.append(process)
        assert process.stdout.readline().startswith(b"Serving HTTP")

    yield start
    for process in started:
        process.terminate()
        process.communicate()


def test_a_fixed_port_that_somebody_else_has_is_said(site, stranger):
    port = site.settings.ports()[-1]
    stranger(port)
    own = dataclasses.replace(site.settings, port=port)

    assert control.find(own) is None
    with pytest.raises(Stalled, match=f"cannot listen on 127.0.0.1, port {port}"):
        control.start(own)


def test_a_derived_port_that_somebody_else_has_is_passed_over(site, stranger):
    first, second, *_ = site.settings.ports()
    stranger(first)

    site.roll(1)

    assert site.seen["port"] == second


def test_two_environments_and_two_folders_have_fronts_of_their_own(tmp_path):
    one = settings.FrontSettings("production", tmp_path / "one")
    other = settings.FrontSettings("staging", tmp_path / "one")
    elsewhere = settings.FrontSettings("production", tmp_path / "two")

    assert len({one.identity, other.identity, elsewhere.identity}) == 3
    assert one.ports() == settings.FrontSettings("production", tmp_path / "one").ports()
    assert settings.FrontSettings.load(one.dump()) == one
