"""The history on disk: what is written is read back, what was torn is dropped, order is kept."""

import json
import os
import string
import typing
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf import values
from gitwf.adapters import host
from gitwf.adapters.local import bare, journal, syncing
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

names = st.text(string.ascii_letters + "-[]. \n\"'é", min_size=1, max_size=8)
texts = st.text(max_size=9)
OF = {
    str: texts,
    str | None: st.none() | texts,
    bool: st.booleans(),
    int: st.integers(-1, 255),
    values.Instant: st.integers(0, 2**52).map(values.Instant),
    record.Phase: st.sampled_from(record.Phase),
    tuple[str, ...]: st.lists(names, max_size=2).map(tuple),
    Mapping[str, str]: st.dictionaries(names, texts, max_size=2),
}


def built(kind):
    """Every value of a type, each of its fields drawn; a field of a new type fails here."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: OF[hint] for name, hint in hints.items()})


locations = st.dictionaries(names, built(record.ArtifactLocation), max_size=2)
OF[Mapping[str, record.ArtifactLocation]] = locations
OF[record.Outputs] = built(record.Outputs)
entries = st.one_of(
    *(built(event) for event in typing.get_args(messages.Event)),
    st.tuples(names, st.builds(host.Process, names, names, st.integers(1, 9**6), names)),
)


@given(entries)
def test_every_entry_reads_back_as_it_was(entry):
    assert journal.decode(json.loads(json.dumps(journal.encode(entry)))) == entry


TICKS = [messages.Tick(Instant(number)) for number in range(3)]


def write(path, entries):
    with journal.Journal(path) as history:
        for entry in entries:
            history.append(entry)
        history.sync()


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_torn_last_line_is_dropped_and_written_over(tmp_path, cut):
    path = tmp_path / "journal"
    write(path, TICKS)
    path.write_bytes(path.read_bytes()[:-cut])

    with journal.Journal(path) as history:
        assert list(history.read()) == TICKS[:2]
        history.own()
        history.append(TICKS[2])
    with journal.Journal(path) as history:
        assert list(history.read()) == TICKS


def test_a_reader_gets_each_entry_once_as_it_is_written(tmp_path):
    path = tmp_path / "journal"
    with journal.Journal(path) as reader, journal.Journal(path) as writer:
        writer.append(TICKS[0])
        assert list(reader.read()) == [TICKS[0]]
        assert list(reader.read()) == []
        writer.append(TICKS[1])
        assert list(reader.read()) == [TICKS[1]]


NONSENSE = [
    "{}",
    "no json",
    '{"is": "Dream", "at": 1}',
    '{"is": "Tick"}',
    '{"is": "Tick", "at": "now"}',
]


@pytest.mark.parametrize("line", NONSENSE)
def test_a_line_that_makes_no_sense_stalls_the_run(tmp_path, line):
    path = tmp_path / "journal"
    path.write_text(line + "\n", "utf-8")

    with journal.Journal(path) as history, pytest.raises(Stalled, match="cannot be read"):
        list(history.read())


requests = pytest.mark.skipif(not syncing._ASYNCHRONOUS, reason="the C library has no requests")
WAYS = [pytest.param(True, marks=requests), False]


def test_where_the_library_has_no_requests_the_disk_is_asked_when_it_is_waited_for(monkeypatch):
    asked = []
    monkeypatch.setattr(syncing, "_ASYNCHRONOUS", False)
    monkeypatch.setattr(syncing, "_datasync", asked.append)
    one = syncing.Syncing(7)

    one.wait()
    one.begin()
    assert asked == []
    one.wait()
    one.wait()
    assert asked == [7]


@pytest.mark.parametrize("asynchronous", WAYS)
def test_what_the_disk_could_not_do_is_said_once_when_it_is_waited_for(monkeypatch, asynchronous):
    monkeypatch.setattr(syncing, "_ASYNCHRONOUS", asynchronous)
    reader, writer = os.pipe()
    one = syncing.Syncing(writer)

    one.begin()
    with pytest.raises(OSError, match="Invalid argument"):
        one.wait()
    one.wait()
    os.close(reader)
    os.close(writer)


def test_whoever_goes_on_from_a_history_makes_it_durable_first(tmp_path, monkeypatch):
    begun = 0

    def began(_one):
        nonlocal begun
        begun += 1

    monkeypatch.setattr(syncing.Syncing, "begin", began)
    for known in ([], TICKS):
        with journal.Journal(tmp_path / "journal") as history:
            assert list(history.read()) == known
            history.own()
            history.hasten()
            assert begun == bool(known)
            for entry in TICKS:
                history.append(entry)


@pytest.mark.parametrize("asynchronous", WAYS)
def test_an_end_is_on_disk_before_what_follows_from_it_starts(make, monkeypatch, asynchronous):
    begin, wait, spawn = syncing.Syncing.begin, syncing.Syncing.wait, bare.Bare._spawn
    begun, durable, seen = 0, 0, []

    def began(one):
        nonlocal begun
        begin(one)
        begun = os.pread(one._file, 1 << 16, 0).count(b'"PodEnded"')

    def waited(one):
        nonlocal durable
        wait(one)
        durable = begun

    def spawned(*given):
        seen.append(durable)
        return spawn(*given)

    monkeypatch.setattr(syncing, "_ASYNCHRONOUS", asynchronous)
    monkeypatch.setattr(syncing.Syncing, "begin", began)
    monkeypatch.setattr(syncing.Syncing, "wait", waited)
    monkeypatch.setattr(bare.Bare, "_spawn", spawned)
    steps = "".join(f"    - - {{name: s{n}, template: t}}\n" for n in range(3))
    make("none").run(f"""
  templates:
  - name: main
    steps:
{steps}
  - name: t
    container: {{image: none, command: ["true"]}}
""")

    assert seen == [0, 1, 2]
