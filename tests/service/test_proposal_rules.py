"""A proposed commit is looked at under the policy and the gates of the branch, never its own."""

from gitwf.adapters import folder
from gitwf.service import documents, proposal
from tests.e2e import conftest as e2e

POLICY = "  policy: {secrets: {'pipelines/toy/workflow.yaml#estimate': [db]}}\n"


def read(at, changed):
    for path, text in {**e2e.FILES, **changed}.items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_text(text)
    return documents.Documents(folder.FolderTree(at)).at(folder.NO_COMMIT)


def test_a_proposal_grants_itself_no_secret_and_loosens_no_gate(tmp_path):
    base = read(tmp_path / "base", {})
    changed = {
        "gitwf.yaml": e2e.PROJECT + POLICY,
        "pipelines/toy/pipeline.yaml": e2e.PIPELINE.replace(
            "metrics.mape < 0.5", "metrics.mape < 5"
        ),
    }
    proposed = read(tmp_path / "proposed", changed)
    assert proposed.project.spec.policy.granted() != {}

    ruled = proposal.governed(proposed, base)

    assert ruled.project.spec.policy.granted() == {}
    model, before = (one.pipelines["toy"].document.spec.model for one in (ruled, base))
    assert model.gates == before.gates


def test_what_the_branch_grants_stays_granted(tmp_path):
    base = read(tmp_path / "base", {"gitwf.yaml": e2e.PROJECT + POLICY})
    proposed = read(tmp_path / "proposed", {})

    ruled = proposal.governed(proposed, base)

    assert ruled.project.spec.policy.granted() == base.project.spec.policy.granted() != {}
