"""The history on disk: what is written is read back, what was torn is dropped, order is kept."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.adapters import host
from gitwf.adapters.local import bare, journal
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

names = st.text(string.ascii_letters + "-[]. \n\"'é", min_size=1, max_size=8)
instants = st.integers(0, 2**52).map(Instant)
locations = st.builds(record.ArtifactLocation, names, node=names, raw=st.none() | names)
outputs = st.builds(
    record.Outputs,
    st.dictionaries(names, st.text(max_size=9), max_size=2),
    st.dictionaries(names, locations, max_size=2),
    st.none() | st.text(max_size=9),
    st.none() | names,
)
entries = st.one_of(
    st.builds(messages.PodStarted, names, instants),
    st.builds(
        messages.PodEnded, names, instants, st.sampled_from(record.Phase), st.text(max_size=9),
        outputs, st.booleans(),
    ),
    st.builds(messages.Tick, instants),
    st.builds(messages.Shutdown, instants, names, st.booleans()),
    st.builds(messages.Resume, instants, names, st.dictionaries(names, names, max_size=2)),
    st.tuples(names, st.builds(host.Process, names, names, st.integers(1, 9**6), names)),
)  # fmt: skip


@given(entries)
def test_every_entry_reads_back_as_it_was(entry):
    assert journal.decode(journal.encode(entry)) == entry


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


@pytest.mark.parametrize("line", ["{}", "no json", '{"is": "Dream", "at": 1}', '{"is": "Tick"}'])
def test_a_line_that_makes_no_sense_stalls_the_run(tmp_path, line):
    path = tmp_path / "journal"
    path.write_text(line + "\n", "utf-8")

    with journal.Journal(path) as history, pytest.raises(Stalled, match="cannot be read"):
        list(history.read())


def test_an_end_is_on_disk_before_what_follows_from_it_starts(make, monkeypatch):
    done = []
    datasync, spawn = journal._datasync, bare.Bare._spawn
    monkeypatch.setattr(journal, "_datasync", lambda fd: (done.append("sync"), datasync(fd))[1])
    monkeypatch.setattr(
        bare.Bare, "_spawn", lambda *given: (done.append("start"), spawn(*given))[1]
    )
    steps = "".join(f"    - - {{name: s{n}, template: t}}\n" for n in range(3))
    make("none").run(f"""
  templates:
  - name: main
    steps:
{steps}
  - name: t
    container: {{image: none, command: ["true"]}}
""")

    assert done == ["start", "sync", "start", "sync", "start", "sync"]
