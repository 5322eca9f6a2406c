"""Who may take the tests' cluster down, and who may look at it."""

import os

import pytest

from tests.cluster import layout, processes, provider, sharing


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder of a cluster that comes and goes with it, and nothing else."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GITWF_TEST_CLUSTER_FOLDER", str(tmp_path / "cluster"))
    made = layout.chosen()
    monkeypatch.setattr(provider, "chosen", lambda: "processes")
    monkeypatch.setattr(provider, "stands", lambda _: made.folder.exists())
    monkeypatch.setattr(provider, "up", lambda **_: made.folder.mkdir(exist_ok=True))
    monkeypatch.setattr(provider, "down", lambda: made.folder.rename(tmp_path / "taken down"))
    return made


@pytest.fixture
def another(place):
    """Another process that uses the cluster: one that lives for as long as this one."""
    users = place.folder / "users"

    def comes():
        (users / str(os.getppid())).touch()

    def goes():
        (users / str(os.getppid())).unlink()

    return comes, goes


def test_the_last_who_uses_it_takes_it_down(place, another):
    comes, goes = another
    with sharing.shared():
        comes()

    assert place.folder.exists()
    with sharing.shared():
        goes()
    assert not place.folder.exists()


def test_one_that_a_person_started_stays(place):
    place.folder.mkdir()
    with sharing.shared():
        pass

    assert place.folder.exists()


def test_who_uses_it_is_told_what_has_ended_and_by_which_last_lines(place):
    with sharing.shared():
        place.logs.mkdir()
        (place.logs / "etcd.log").write_text("out of disk\n")

        told = sharing.ailing()

    assert "etcd has ended:\nout of disk\n" in told
    assert "kube-proxy has ended:\n" in told  # it never wrote a line


def test_who_does_not_use_it_any_more_does_not_look(place, another, monkeypatch):
    comes, _ = another
    monkeypatch.setattr(processes, "ailing", lambda _: pytest.fail("it may be gone by now"))
    assert sharing.ailing() == ""
    with sharing.shared():
        comes()

    assert sharing.ailing() == ""


def test_a_cluster_that_is_complete_and_busy_is_waited_for(place, monkeypatch):
    answers = iter([False, False, True])
    place.folder.mkdir()
    place.imported.touch()
    monkeypatch.setattr(processes, "_gone", lambda _: [])
    monkeypatch.setattr(processes, "ready", lambda _: next(answers))

    assert processes.stands(place)
    assert list(answers) == []


def test_a_cluster_that_lost_a_process_does_not_stand(place, monkeypatch):
    losing = iter([[], ["etcd"]])
    place.folder.mkdir()
    place.imported.touch()
    monkeypatch.setattr(processes, "_gone", lambda _: next(losing))
    monkeypatch.setattr(processes, "ready", lambda _: False)

    assert not processes.stands(place)
