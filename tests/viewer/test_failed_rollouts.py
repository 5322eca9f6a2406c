"""A viewer that never gets Ready: the old one keeps serving, and the reason is told."""

import asyncio
import pathlib
import types

import pytest

from gitwf import ports
from gitwf.adapters.viewer import running
from tests import waiting

pytestmark = pytest.mark.slow


def failed(rollout: ports.Rollout) -> str:
    assert rollout.state is ports.RolloutState.FAILED
    assert not rollout.transient
    return rollout.reason


def processes_of(site) -> list[str]:
    """Command lines of processes that run with this site's folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(site.folder).encode() in environment + command:
            found.append(command.decode().replace("\0", " "))
    return found


def test_a_viewer_that_crashes_is_tried_three_times_and_its_last_lines_are_told(site):
    site.roll(1)

    reason = failed(site.roll(2, BEHAVIOUR="crash"))

    assert "ended with exit code 1 before it was ready (started 3 times)" in reason
    assert reason.endswith("no such column: spend")
    assert "ad-effect-v1" in site.get()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("hang", "nothing answers on its port"),
        ("error", "its page answers 500"),
        ("stranger", "its page names the model 'somebody-else', not 'ad-effect-v2'"),
    ],
)
def test_a_viewer_that_is_never_ready_fails_when_its_time_is_over(brisk, behaviour, reason):
    brisk.roll(1)

    told = failed(brisk.roll(2, BEHAVIOUR=behaviour))

    assert told.startswith(f"the viewer was not ready in 10 s: {reason}")
    assert "ad-effect-v1" in brisk.get()
    assert brisk.seen["serving"]["model"] == "ad-effect-v1"


def test_a_viewer_that_names_no_model_is_never_ready(brisk):
    folder = brisk.folder / "unnamed"
    folder.mkdir()
    (folder / "app.py").write_text(
        "import http.server, os\n"
        "at = (os.environ['HOST'], int(os.environ['PORT']))\n"
        "http.server.HTTPServer(at, http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    )

    reason = failed(brisk.roll(1, viewer=str(folder)))

    assert f"was not ready in 10 s: {UNNAMED}" in reason
    assert brisk.target.observe().ready is False


NAMELESS = (200, "<p>no model here</p>")
UNNAMED = 'its page carries no <meta name="gitwf-model">'
LATE = "its page does not answer in time"


@pytest.mark.parametrize(
    ("probes", "told"),
    [
        ([(NAMELESS, 19.5), (TimeoutError, 0.5)], UNNAMED),
        ([(NAMELESS, 5), (TimeoutError, 10), (TimeoutError, 5)], LATE),
        ([(TimeoutError, 10), (NAMELESS, 10)], UNNAMED),
        ([(ConnectionRefusedError, 19.5), (TimeoutError, 0.5)], LATE),
        ([(NAMELESS, 10), (ConnectionRefusedError, 10)], UNNAMED),
    ],
    ids=["cut short", "silent by now", "answers by now", "never answered", "gone again"],
)
def test_the_reason_is_the_last_thing_that_tells_and_no_probe_that_the_end_cuts_short(
    tmp_path, monkeypatch, probes, told
):
    clock, coming = types.SimpleNamespace(now=0.0), iter(probes)

    async def probe(_):
        outcome, seconds = next(coming)
        clock.now += seconds
        if isinstance(outcome, tuple):
            return outcome
        raise outcome

    monkeypatch.setattr(running, "time", types.SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(running, "_fetch_page", probe)
    viewer = running.Viewer(
        running.Spec(
            id="", content="", release="", model="m-v1", digest="", viewer="",
            folder=str(tmp_path), model_file="",
        )
    )  # fmt: skip
    viewer._process = types.SimpleNamespace(returncode=None)

    with pytest.raises(running.NotReady) as refused:
        asyncio.run(viewer._become_ready(20.0, 20.0))

    assert str(refused.value) == f"the viewer was not ready in 20 s: {told}"


def test_bytes_that_are_not_the_recorded_ones_are_never_served(site):
    site.roll(1)
    desired = site.desired(2)
    site.store.objects[desired.uri] = b'{"name": "ad-effect", "made": "elsewhere"}'

    site.target.apply(desired)

    reason = failed(site.outcome(desired))
    assert desired.digest in reason
    assert site.seen["serving"]["model"] == "ad-effect-v1"
    assert not site.target.observe().ready


def test_a_model_file_that_changed_since_it_was_fetched_is_never_served(site, tmp_path):
    file = tmp_path / "model.json"
    file.write_text("{}")
    spec = running.Spec(
        id="", content="", release="", model="m-v1", digest="sha256:" + "0" * 64, viewer="",
        folder=str(tmp_path), model_file=str(file),
    )  # fmt: skip

    with pytest.raises(running.NotReady, match="the release names sha256:000"):
        running._check_model(spec)


@pytest.mark.skipif(not pathlib.Path("/proc").exists(), reason="processes are listed by /proc")
def test_a_failed_viewer_leaves_no_process_and_no_file(brisk):
    brisk.roll(1)
    before = (len(processes_of(brisk)), len(list(brisk.rollouts.iterdir())))

    brisk.roll(2, BEHAVIOUR="hang")
    brisk.roll(3, BEHAVIOUR="crash")

    waiting.until(lambda: len(processes_of(brisk)) == before[0])
    assert len(list(brisk.rollouts.iterdir())) == before[1]


def test_a_newer_release_ends_a_rollout_under_way(site):
    site.roll(1)
    slow = site.desired(2, BEHAVIOUR="hang")
    site.target.apply(slow)

    assert site.roll(3).state is ports.RolloutState.COMPLETE
    assert site.target.progress(slow).state is ports.RolloutState.SUPERSEDED
    assert "ad-effect-v3" in site.get()


def test_of_rollouts_that_overtake_each_other_the_last_is_served_and_nothing_else_left(site):
    site.roll(1)
    for version in range(2, 30):
        site.target.apply(site.desired(version, BEHAVIOUR="hang" if version % 3 else "good"))

    assert site.roll(30).state is ports.RolloutState.COMPLETE
    waiting.until(lambda: site.seen["draining"] == 0)
    assert "ad-effect-v30" in site.get()
    waiting.until(lambda: len(list(site.rollouts.iterdir())) == 1)


def test_a_rollout_whose_front_is_gone_may_be_tried_again(site):
    desired = site.desired(1)

    rollout = site.target.progress(desired)

    assert (rollout.state, rollout.transient) == (ports.RolloutState.FAILED, True)
