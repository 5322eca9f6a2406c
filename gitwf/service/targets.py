"""The targets of a project, and what each of them should serve, in the target's own terms.

A target stands for one environment of one model. What it should serve is a function of HEAD: the
release file names the model, the viewer's tree and the manifests say how it is shown.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitwf import ports
from gitwf.delivery import action, pipeline, project, release
from gitwf.errors import Stalled, Transient
from gitwf.service import documents, edge, manifests, stepped
from gitwf.values import CommitId, Digest
from gitwf.workflow.document import resolved

_MadeOf = tuple[project.Environment, pipeline.Deploy, resolved.Resolved | None]


class Targets:
    """Targets by model and environment, made once for each."""

    def __init__(self, around: edge.Edge) -> None:
        self._edge = around
        self._targets: dict[tuple[str, str], tuple[_MadeOf, ports.Target]] = {}

    def get(self, at: documents.ProjectAt, model: str, environment: str) -> ports.Target:
        """The target of one environment of one model."""
        deploy = at.pipelines[model].document.deploy(environment)
        if deploy is None:
            raise Stalled(f"{model} does not deploy to {environment}")
        one = at.pipelines[model]
        workflow = one.workflow if deploy.template is not None else None
        made_of = at.project.spec.environments[environment], deploy, workflow
        known = self._targets.get((model, environment))
        if known is None or known[0] != made_of:
            made = self._edge.target(model, deploy, at.project)
            if deploy.template is not None and workflow is not None:
                made = self._stepped(at, one, made, deploy.template, workflow)
            known = (made_of, made)
            self._targets[model, environment] = known
        return known[1]

    def _stepped(
        self,
        at: documents.ProjectAt,
        one: documents.PipelineAt,
        made: ports.Target,
        template: str,
        workflow: resolved.Resolved,
    ) -> ports.Target:
        """The target, rolled out by a template of the workflow."""

        def order(desired: ports.Desired, run: str) -> ports.Order:
            commit = self._made_from(desired.model, desired.environment, desired.release)
            return ports.Order(
                id=run,
                name=f"{desired.model}-{template}",
                workflow=workflow.alone(template),
                parameters=one.document.given(desired.version, commit),
                granted=at.project.spec.policy.granted(),
                entrypoint=template,
            )

        return stepped.SteppedTarget(made, self._edge.engine(at.project), template, order)

    def observe(
        self, at: documents.ProjectAt, model: str, environment: str
    ) -> tuple[ports.Serving | None, str]:
        """What it serves, and why that could not be asked."""
        try:
            return self.get(at, model, environment).observe(), ""
        except (Stalled, Transient) as error:
            return None, str(error)

    def desired(
        self,
        at: documents.ProjectAt,
        asked: action.RollOut | action.Watch,
    ) -> ports.Desired:
        """What the target should serve, the viewer's files not yet exported."""
        one = at.pipelines[asked.model]
        deploy = one.document.deploy(asked.environment)
        return ports.Desired(
            environment=asked.environment,
            release=asked.release,
            model=asked.model,
            version=asked.version,
            uri=asked.uri,
            digest=asked.digest,
            viewer=None,
            viewer_id=asked.viewer,
            based_on=asked.based_on,
            env=self._env(deploy, self._known(asked)),
            manifests=self._manifests(at, one, deploy, asked),
        )

    def served(
        self,
        at: documents.ProjectAt,
        model: str,
        environment: str,
        named: release.Release,
        commit: CommitId,
        viewer: str,
    ) -> ports.Desired | None:
        """What a release file at HEAD asks of its target; None where it names nothing."""
        spec = named.spec
        if spec.version is None or spec.uri is None or spec.digest is None:
            return None
        asked = action.Watch(
            model, environment, "", commit, spec.version, spec.uri, Digest(spec.digest), viewer, ""
        )
        return self.desired(at, asked)

    def _env(self, deploy: pipeline.Deploy | None, known: Mapping[str, Any]) -> dict[str, str]:
        given = deploy.env if deploy is not None else {}
        return {name: self._edge.render(text, known) for name, text in given.items()}

    def _manifests(
        self,
        at: documents.ProjectAt,
        one: documents.PipelineAt,
        deploy: pipeline.Deploy | None,
        asked: action.RollOut | action.Watch,
    ) -> tuple[manifests.Manifest, ...]:
        """The manifests for a cluster; a viewer on this machine needs none."""
        where = at.project.spec.environments[asked.environment]
        if deploy is None or deploy.manifests is None or where.kubernetes is None:
            return ()
        folder = pipeline.rooted(deploy.manifests, one.file)
        repo, shown = self._edge.repo, one.viewer_folder(deploy)
        known = {
            **self._known(asked),
            "viewer": manifests.viewer(repo, at.commit, shown, asked.viewer),
        }
        return manifests.rendered(repo, at.commit, folder, self._edge.render, known)

    def _known(self, asked: action.RollOut | action.Watch) -> dict[str, Any]:
        """What templates may use."""
        return {
            "environment": asked.environment,
            "release": {
                "model": asked.model,
                "version": asked.version,
                "uri": asked.uri,
                "digest": asked.digest,
                "commit": asked.release,
                "source": self._made_from(asked.model, asked.environment, asked.release),
            },
        }

    def _made_from(self, model: str, environment: str, commit: CommitId) -> str:
        """The commit that a released model was trained from; "" where a person left that out."""
        path = release.path(model, environment)
        text = self._edge.repo.read(commit, path)
        found = release.load(text, path).evidence if text is not None else None
        return str(found.run.get("commit", "")) if found is not None else ""

    def export_viewer(self, at: documents.ProjectAt, desired: ports.Desired) -> Path | None:
        """Write the viewer's files where the target can copy them; None where there are none."""
        one = at.pipelines[desired.model]
        deploy = one.document.deploy(desired.environment)
        if deploy is None:
            return None
        folder = one.viewer_folder(deploy)
        if self._edge.repo.object_id(at.commit, folder) is None:
            return None
        to = self._edge.state / "viewers" / desired.viewer_id
        if not (to / folder).is_dir():
            self._edge.repo.export(at.commit, [folder], to)
        return to / folder
