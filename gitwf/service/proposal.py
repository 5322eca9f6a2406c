"""A commit that is not on the watched branch yet, looked at as if it were: a pull request's plan.

The proposal is judged by the base's rules: policy and gates come from the branch as it is, so that
nobody lets a model or a secret through by the very change that asks for it. Nothing is written.
"""

import dataclasses

from gitwf import ports
from gitwf.delivery import pipeline
from gitwf.service import documents
from gitwf.values import CommitId


class Proposed:
    """The watched branch with `commit` as its head; reading only."""

    def __init__(self, repo: ports.Repo, commit: CommitId) -> None:
        self._repo = repo
        self._commit = commit
        self.branch = repo.branch
        self.remote = repo.remote
        self.branches = repo.branches
        self.object_id = repo.object_id
        self.read = repo.read
        self.files = repo.files
        self.history = repo.history
        self.export = repo.export
        self.publish = repo.publish

    def __str__(self) -> str:
        return f"the proposed commit {self._commit.short}"

    def head(self) -> CommitId | None:
        """The proposed commit."""
        return self._commit


def governed(at: documents.ProjectAt, base: documents.ProjectAt) -> documents.ProjectAt:
    """The project at a proposed commit, under the policy and the gates of the base."""
    spec = at.project.spec.model_copy(update={"policy": base.project.spec.policy})
    project = at.project.model_copy(update={"spec": spec})
    pipelines = {
        name: _gated(one, base.pipelines[name]) if name in base.pipelines else one
        for name, one in at.pipelines.items()
    }
    return dataclasses.replace(at, project=project, pipelines=pipelines)


def _gated(one: documents.PipelineAt, base: documents.PipelineAt) -> documents.PipelineAt:
    own, ruling = one.document.spec.model, base.document.spec.model
    if own is None or ruling is None:
        return one
    model = own.model_copy(update={"gates": ruling.gates})
    spec: pipeline.Spec = one.document.spec.model_copy(update={"model": model})
    return dataclasses.replace(one, document=one.document.model_copy(update={"spec": spec}))
