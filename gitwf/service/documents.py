"""The project at one commit: its documents read, its workflows resolved, its run keys taken apart.

A pass reads one commit whole. A wrong gitwf.yaml refuses the pass; a wrong pipeline is put aside
with its diagnostics and stops nobody else's. What was read is kept by commit, since a pass asks for
the same commit many times and the walk back in time for its neighbours. Read next: `past`.
"""

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitwf import ports, values
from gitwf.delivery import gates, globs, keys, pipeline, project, release
from gitwf.errors import Diagnostic, Rejected
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId
from gitwf.workflow.document import load, resolve, resolved, unsupported, validate

NO_PARTS = keys.KeyParts({}, {}, {})
"""The parts of a pipeline whose documents are wrong: nothing is ever decided from them."""

_YAML = (".yaml", ".yml")
_ARGO = (b"argoproj.io", b"ConfigMap", b"Secret")


@dataclass(frozen=True)
class PipelineAt:
    """One pipeline at a commit. With `problems` that are errors, nothing is done for it."""

    file: str
    document: pipeline.Pipeline
    workflow: resolved.Resolved | None
    workflow_files: frozenset[str]
    problems: tuple[Diagnostic, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether its documents are wrong."""
        return any(problem.severity == "error" for problem in self.problems)

    def viewer_folder(self, deploy: pipeline.Deploy) -> str:
        """Where the viewer's files are, from the root."""
        return pipeline.rooted(deploy.viewer, self.file)

    def requirements(self) -> str | None:
        """Where the pipeline's requirements are, from the root, or None."""
        path = self.document.spec.requirements
        return None if path is None else pipeline.rooted(path, self.file)

    def sources(self) -> tuple[str, ...]:
        """The paths, from the root, that a run gets as its code."""
        paths = [pipeline.rooted(path, self.file) for path in self.document.spec.triggers.paths]
        requirements = self.requirements()
        return (*paths, requirements) if requirements is not None else tuple(paths)


@dataclass(frozen=True)
class ProjectAt:
    """The documents of one commit. `problems` are those of pipelines that cannot be named."""

    commit: CommitId
    project: project.Project
    pipelines: Mapping[str, PipelineAt]
    problems: tuple[Diagnostic, ...] = ()
    catalogue: load.Loaded = field(default_factory=load.Loaded, compare=False, repr=False)

    def diagnostics(self) -> Sequence[Diagnostic]:
        """Everything that is wrong or doubtful, in file order."""
        found = [problem for one in self.pipelines.values() for problem in one.problems]
        return sorted({*self.problems, *found})


class Documents:
    """Reads projects out of the watched branch, each commit once."""

    def __init__(self, repo: ports.Repo) -> None:
        self._repo = repo
        self.at = functools.lru_cache(maxsize=64)(self._at)
        self.parts = functools.lru_cache(maxsize=4096)(self._parts)

    def _at(self, commit: CommitId) -> ProjectAt:
        """Read one commit. Rejected: gitwf.yaml is missing or wrong."""
        settings = self._project(commit)
        found = self._repo.files(commit)
        files = [path for path, _ in found if not path.startswith(f"{release.FOLDER}/")]
        catalogue = self._catalogue(commit, files)
        pipelines: dict[str, PipelineAt] = {}
        problems: list[Diagnostic] = []
        for file in files:
            if not globs.matches(file, settings.spec.pipelines):
                continue
            try:
                one = self._pipeline(commit, file, catalogue)
            except Rejected as error:
                problems += error.diagnostics
                continue
            twin = pipelines.setdefault(one.document.name, one)
            if twin is not one:
                message = f"a second pipeline is called `{one.document.name}`"
                problems.append(Diagnostic(file, 1, 1, message, f"the first is in {twin.file}"))
        pipelines = {name: _deployable(one, settings) for name, one in pipelines.items()}
        return ProjectAt(commit, settings, pipelines, tuple(problems), catalogue)

    def _project(self, commit: CommitId) -> project.Project:
        source = self._repo.read(commit, project.FILE)
        if source is None:
            message = "the repository has no gitwf.yaml"
            raise Rejected([Diagnostic(project.FILE, 0, 0, message, "`gitwf init` writes one")])
        found, problems = models.check(project.Project, yaml_reader.read_one(source, project.FILE))
        if found is None:
            raise Rejected(problems)
        return found

    def _catalogue(self, commit: CommitId, files: Sequence[str]) -> load.Loaded:
        """Read whatever other Argo documents the tree holds; what is not Argo's is passed over."""
        contents = {
            path: content
            for path in files
            if path.endswith(_YAML)
            and (content := self._repo.read(commit, path)) is not None
            and any(mark in content for mark in _ARGO)
        }
        return load.load(contents, asked=())

    def _pipeline(self, commit: CommitId, file: str, catalogue: load.Loaded) -> PipelineAt:
        source = self._repo.read(commit, file)
        document = yaml_reader.read_one(source or b"", file)
        found, problems = models.check(pipeline.Pipeline, document)
        if found is None:
            raise Rejected(problems)
        where = pipeline.rooted(found.spec.workflow, file)
        try:
            content = self._repo.read(commit, where)
            if content is None:
                place = document.diagnostic(("spec", "workflow"), f"there is no file {where}")
                raise Rejected([place])  # noqa: TRY301  one way out for everything that is wrong
            own = load.load({where: content})
            workflow = resolve.resolve(own.runnable(where), _joined(own, catalogue, where))
        except Rejected as error:
            return PipelineAt(file, found, None, frozenset({where}), tuple(error.diagnostics))
        wrong = [
            *validate.validate(workflow),
            *unsupported.check(workflow),
            *_gate_problems(found, document),
        ]
        files = frozenset({where, *(one.file for one in workflow.origins.values())})
        return PipelineAt(file, found, workflow, files, tuple(wrong))

    def _parts(self, commit: CommitId, name: str) -> keys.KeyParts | None:
        """Take the run key of a pipeline apart at a commit; None where it has none."""
        try:
            at = self.at(commit)
        except Rejected:
            return None
        one = at.pipelines.get(name)
        if one is None or one.refused or one.workflow is None:
            return None
        return keys.parts(
            one.document,
            one.file,
            settings=at.project,
            canonical=one.workflow.canonical(),
            workflow_files=one.workflow_files,
            listing=lambda path: self._repo.files(commit, path),
        )

    def viewer(self, commit: CommitId, one: PipelineAt, deploy: pipeline.Deploy) -> str:
        """Identify everything but the model that a release of this environment shows."""
        trees = [self._repo.object_id(commit, one.viewer_folder(deploy))]
        if deploy.manifests is not None:
            trees.append(self._repo.object_id(commit, pipeline.rooted(deploy.manifests, one.file)))
        shown = [trees, deploy.model_dump(mode="json", exclude={"promote", "drift", "adopt"})]
        return hashlib.sha256(values.canonical(shown).encode()).hexdigest()[:40]


def _gate_problems(
    found: pipeline.Pipeline, document: yaml_reader.Document
) -> Iterator[Diagnostic]:
    """Name the gates that are no expressions, each at its place."""
    texts = found.spec.model.gates if found.spec.model is not None else ()
    for number, words in gates.problems(texts):
        yield document.diagnostic(("spec", "model", "gates", number), words)


def _joined(own: load.Loaded, others: load.Loaded, file: str) -> load.Loaded:
    """Let a workflow's own file come first in what it can refer to."""
    rest = [source for source in others.sources if source.file != file]
    return load.Loaded((*own.sources, *rest), others.unread)


def _deployable(one: PipelineAt, settings: project.Project) -> PipelineAt:
    """Check that every environment it deploys to is one of the project's."""
    known = settings.spec.environments
    wrong = [
        Diagnostic(
            one.file,
            1,
            1,
            f"the environment `{deploy.environment}` is not in {project.FILE}",
            models.suggest(deploy.environment, known)
            or f"add it to environments in {project.FILE}",
        )
        for deploy in one.document.spec.deploy
        if deploy.environment not in known
    ]
    if not wrong:
        return one
    return PipelineAt(
        one.file, one.document, one.workflow, one.workflow_files, (*one.problems, *wrong)
    )
