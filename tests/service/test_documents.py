"""The documents of a commit are read as far as they changed."""

from gitwf.service import documents
from gitwf.testing import clock, memory_git
from gitwf.workflow.document import load
from tests.e2e import conftest as toys

WORKFLOW = "pipelines/toy/workflow.yaml"


def test_a_workflow_is_read_again_when_it_changed(monkeypatch):
    read = []
    real = load.read
    monkeypatch.setattr(load, "read", lambda *asked: read.append(asked[1]) or real(*asked))
    remote = memory_git.MemoryRemote()
    remote.commit({path: text.encode() for path, text in toys.FILES.items()})
    repo = memory_git.MemoryRepo(remote, "main", clock.ManualClock())
    known = documents.Documents(repo)

    first = known.at(documents.head(repo))
    remote.commit({"README.md": b"hello\n"})
    second = known.at(documents.head(repo))

    assert read == [WORKFLOW]
    assert first.pipelines == second.pipelines

    remote.commit({WORKFLOW: toys.WORKFLOW.replace("image: alpine", "image: debian").encode()})
    third = known.at(documents.head(repo))

    assert read == [WORKFLOW, WORKFLOW]
    assert third.pipelines != second.pipelines
