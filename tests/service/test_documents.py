"""Documents of a commit are read as far as they changed, and say what they say read anew."""

import json

import hypothesis
import pytest
from hypothesis import strategies

from gitwf.errors import Rejected
from gitwf.service import documents, mainline, reading, remembering
from gitwf.testing import clock, memory_git
from gitwf.text import models
from gitwf.workflow.document import load
from tests.e2e import conftest as toys

WORKFLOW = "pipelines/toy/workflow.yaml"
OTHER = "pipelines/other/pipeline.yaml"
SHARED = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec:
  templates:
  - {name: work, container: {image: none, command: [date]}}
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {workflows.argoproj.io/configmap-type: Parameter}}
data: {size: big}
"""
REFERRING = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: toy}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: size, valueFrom: {configMapKeyRef: {name: settings, key: size}}}]
  templates:
  - name: main
    steps: [[{name: one, templateRef: {name: shared, template: work}}]]
"""
PIPELINE = """\
apiVersion: gitwf.dev/v1
kind: Pipeline
metadata: {name: toy}
spec: {workflow: workflow.yaml, requirements: requirements.txt}
"""
# What each file may hold; None takes it away.
CONTENTS = {
    "gitwf.yaml": [
        toys.PROJECT,
        toys.PROJECT.replace("production:", "staging:"),
        toys.PROJECT + "  pipelines: [pipelines/toy/*.yaml]\n",
        "wrong",
    ],
    "pipelines/toy/pipeline.yaml": [
        PIPELINE,
        toys.PIPELINE,
        PIPELINE.replace("workflow.yaml", "/models/toy/workflow.yaml"),
        "wrong",
        None,
    ],
    OTHER: [PIPELINE.replace("toy", "other").replace("workflow.", "../toy/workflow."), PIPELINE],
    WORKFLOW: [REFERRING, toys.WORKFLOW, REFERRING.replace("work}", "none}"), "wrong", None],
    "pipelines/toy/requirements.txt": ["numpy\n", "scipy\n", None],
    "pipelines/toy/data.csv": ["1\n", "2\n", None],
    "templates/shared.yaml": [
        SHARED,
        SHARED.replace("date", "id"),
        "kind: WorkflowTemplate:",
        None,
    ],
    "templates/settings.yaml": [SETTINGS, SETTINGS.replace("big", "small"), None],
    "models/toy/workflow.yaml": [toys.WORKFLOW, None],
}
EDITS = strategies.sampled_from(sorted(CONTENTS)).flatmap(
    lambda path: strategies.tuples(strategies.just(path), strategies.sampled_from(CONTENTS[path]))
)


class Kept:
    """What documents leave for the next process, in memory."""

    def __init__(self, content=None):
        self.content = content
        self.writes = 0

    def read(self):
        return self.content

    def write(self, content):
        self.content = content
        self.writes += 1


def opened(files):
    remote = memory_git.MemoryRemote()
    remote.commit({path: text.encode() for path, text in files.items()})
    return remote, memory_git.MemoryRepo(remote, "main", clock.ManualClock())


def told(read, commit):
    """All that documents say of a commit."""
    try:
        at = read.at(commit)
    except Rejected as error:
        return error.diagnostics
    parts = {name: read.parts(commit, name) for name in at.pipelines}
    workflows = {name: one.workflow for name, one in at.pipelines.items()}
    return at, at.diagnostics(), parts, workflows


def test_a_workflow_is_read_again_when_it_changed(monkeypatch):
    read = []
    real = load.read
    monkeypatch.setattr(load, "read", lambda *asked: read.append(asked[1]) or real(*asked))
    remote, repo = opened(toys.FILES)
    known = documents.Documents(repo)

    first = known.at(mainline.head(repo))
    remote.commit({"README.md": b"hello\n"})
    second = known.at(mainline.head(repo))

    assert read == [WORKFLOW]
    assert first.pipelines == second.pipelines

    remote.commit({WORKFLOW: toys.WORKFLOW.replace("image: alpine", "image: debian").encode()})
    third = known.at(mainline.head(repo))

    assert read == [WORKFLOW, WORKFLOW]
    assert third.pipelines != second.pipelines


@hypothesis.given(strategies.lists(strategies.lists(EDITS, min_size=1, max_size=3), max_size=6))
@hypothesis.settings(deadline=None, max_examples=60)
def test_what_was_read_before_changes_nothing_but_time(commits):
    remote, repo = opened({path: contents[0] for path, contents in CONTENTS.items()})
    known, kept = documents.Documents(repo), Kept()
    heads = [mainline.head(repo)]
    for edits in commits:
        remote.commit({path: text and text.encode() for path, text in edits})
        heads.append(mainline.head(repo))
    # Forth and back again, as a walk through history does.
    for head in [*heads, *reversed(heads)]:
        known.at.cache_clear()
        later = documents.Documents(repo, kept)
        anew = told(documents.Documents(repo), head)

        assert told(known, head) == anew
        assert told(later, head) == anew

        if isinstance(anew[0], documents.ProjectAt):
            later.keep(head)


def test_what_an_earlier_process_read_is_not_read_again(monkeypatch):
    _, repo = opened(toys.FILES)
    kept = Kept()
    before = documents.Documents(repo, kept)
    head = mainline.head(repo)
    told_before = told(before, head)
    before.keep(head)
    monkeypatch.setattr(reading.Reader, "read", None)
    later = documents.Documents(repo, kept)

    assert (later.at(head), later.parts(head, "toy")) == (told_before[0], before.parts(head, "toy"))

    later.keep(head)

    assert kept.writes == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"read by": "another", "pipelines": []}',
        json.dumps({"read by": models.READ_BY}).encode(),
        json.dumps({"read by": models.READ_BY, "pipelines": [{}]}).encode(),
        json.dumps({"read by": models.READ_BY, "pipelines": [None]}).encode(),
    ],
)
def test_what_an_earlier_process_left_is_forgotten_where_it_cannot_be_understood(content):
    _, repo = opened(toys.FILES)
    kept = Kept(content)
    read = documents.Documents(repo, kept)
    head = mainline.head(repo)

    assert told(read, head) == told(documents.Documents(repo), head)

    read.keep(head)

    assert remembering.recalled(kept.content)
