"""Going back in time reads few commits and answers as if it had read all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitwf.delivery import observed, request
from gitwf.service import documents, mainline, past
from gitwf.testing import clock, memory_git
from tests.e2e import conftest as toys

PIPELINE = "pipelines/toy/pipeline.yaml"
WIDER = toys.PIPELINE.replace('paths: ["."]', 'paths: [".", /rows]')
EDITS = (
    {"pipelines/toy/mape.txt": b"0.1\n"},
    {"pipelines/toy/mape.txt": b"0.2\n"},
    {"rows/one.csv": b"1\n"},
    {"rows/one.csv": b"2\n"},
    {PIPELINE: toys.PIPELINE.encode()},
    {PIPELINE: WIDER.encode()},
    {PIPELINE: b"kind: [\n"},
    {"gitwf.yaml": b"kind: Projekt\n"},
    {"gitwf.yaml": toys.PROJECT.encode()},
    {"README.md": b"hello\n"},
)


def history(edits):
    """A branch that begins with the toy and goes on with these edits."""
    remote = memory_git.MemoryRemote()
    remote.commit({path: text.encode() for path, text in toys.FILES.items()})
    for count, edit in enumerate(edits):
        remote.commit({**edit, "count": str(count).encode()})
    return memory_git.MemoryRepo(remote, "main", clock.ManualClock())


def told(repo):
    """The stretches as they are told, and as reading every commit tells them."""
    read = documents.Documents(repo)
    head = mainline.head(repo)
    every = [
        (
            observed.Request(commit.id, depth, commit.time),
            parts.base if parts is not None else "",
        )
        for depth, commit in enumerate(repo.history(head))
        for parts in [read.parts(commit.id, "toy")]
    ]
    return list(past.Past(repo, read).stretches(head, "toy")), list(request.stretches(every))


@pytest.mark.parametrize("kind", ["configMap", "secret"])
def test_what_a_workflow_refers_to_parts_the_stretches(kind):
    reference = f"{kind}KeyRef: {{name: own, key: size, optional: true}}"
    value = f"image: alpine\n      env: [{{name: SIZE, valueFrom: {{{reference}}}}}]\n"
    named = toys.WORKFLOW.replace("image: alpine\n", value)
    field = "data" if kind == "configMap" else "stringData"
    beside = f"""\
apiVersion: v1
kind: {kind[0].upper()}{kind[1:]}
metadata: {{name: own}}
{field}: {{size: big}}
"""
    edits = [
        {"pipelines/toy/workflow.yaml": named.encode(), "own.yaml": beside.encode()},
        {"README.md": b"hello\n"},
        {"own.yaml": beside.replace("big", "small").encode()},
    ]

    found, every = told(history(edits))

    assert [one.request.depth for one in found] == [0, 2, 3]
    assert found == every


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(EDITS), max_size=12))
def test_the_stretches_are_those_of_every_commit(edits):
    found, every = told(history(edits))

    assert found == every


def test_paths_that_the_pipeline_has_left_still_part_the_stretches_before():
    edits = [EDITS[5], EDITS[2], EDITS[3], EDITS[4]]

    found, every = told(history(edits))

    assert [one.request.depth for one in found] == [0, 1, 2, 3, 4]
    assert found == every


def test_no_document_is_read_where_nothing_changed_that_a_key_depends_on(monkeypatch):
    repo = history([EDITS[0], *[EDITS[9]] * 30])
    asked = []
    read = documents.Documents(repo)
    parts = read.parts
    monkeypatch.setattr(read, "parts", lambda *key: asked.append(key) or parts(*key))

    found = past.Past(repo, read).request(mainline.head(repo), "toy")

    assert found.depth == 30
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["toy", "gone"])
def test_a_new_head_keeps_what_was_walked(name):
    repo = history([])
    walked = past.Past(repo, documents.Documents(repo))
    first = walked.request(mainline.head(repo), name)
    repo.remote.commit({"README.md": b"later\n"})

    then = walked.request(mainline.head(repo), name)

    assert (then.commit, then.depth) == (first.commit, first.depth + 1)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EDITS), st.booleans()), max_size=8))
def test_one_that_has_walked_on_tells_what_a_new_one_tells(edits):
    repo = history([])
    walked = past.Past(repo, documents.Documents(repo))
    first = mainline.head(repo)
    for edit, forced in edits:
        if forced:
            repo.remote.force(first)
        repo.remote.commit({**edit, "count": b"x"})
        head = mainline.head(repo)
        new = past.Past(repo, documents.Documents(repo))

        assert list(walked.stretches(head, "toy")) == list(new.stretches(head, "toy"))
        assert walked.trail(head, PIPELINE) == new.trail(head, PIPELINE)


def test_a_history_is_looked_at_once_for_all_that_is_below_a_name_of_the_root(monkeypatch):
    repo = history([EDITS[9]] * 30)
    looked = []
    look = repo.object_id
    monkeypatch.setattr(repo, "object_id", lambda *asked: looked.append(asked) or look(*asked))
    walked = past.Past(repo, documents.Documents(repo))
    head = mainline.head(repo)
    walked.request(head, "toy")
    once = len(looked)

    walked.trail(head, PIPELINE)
    walked.request(head, "toy")

    assert once > 30
    assert len(looked) < once + 5
