"""The project at one commit: its documents read, its workflows resolved, its run keys taken apart.

A pass reads one commit whole. A wrong gitwf.yaml refuses the pass; a wrong pipeline is put aside
with its diagnostics and stops nobody else's. What was read is kept by commit, since a pass asks for
the same commit many times and the walk back in time for its neighbours. Read next: `past`.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitwf import ports, values
from gitwf.delivery import agreement, globs, keys, pipeline, project, release
from gitwf.errors import Diagnostic, Rejected, Stalled
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId
from gitwf.workflow.document import load, resolve, resolved, unsupported, validate

NO_PARTS = keys.KeyParts({}, {}, {})
"""The parts of a pipeline whose documents are wrong: nothing is ever decided from them."""

_OWN = "gitwf/"
"""Where the branches begin that gitwf makes."""
_BRANCHES = 10
_YAML = (".yaml", ".yml")
_ARGO = (b"argoproj.io", b"ConfigMap", b"Secret")


@dataclass(frozen=True)
class PipelineAt:
    """One pipeline at a commit. With `problems` that are errors, nothing is done for it.

    `source` is what it was read from, for the places of mistakes.
    """

    file: str
    document: pipeline.Pipeline
    workflow: resolved.Resolved | None
    workflow_files: frozenset[str]
    problems: tuple[Diagnostic, ...]
    source: yaml_reader.Document = field(compare=False, repr=False)

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


@dataclass(frozen=True)
class Pipelines:
    """The pipelines of a tree by name, and the files that they, right or wrong, were read from.

    `problems` and `catalogue` as in `ProjectAt`.
    """

    files: frozenset[str]
    pipelines: Mapping[str, PipelineAt]
    problems: tuple[Diagnostic, ...]
    catalogue: load.Loaded

    def under(self, settings: project.Project) -> "Pipelines":
        """Hold them against a gitwf.yaml."""
        read = [(one.document, one.source) for one in self.pipelines.values()]
        wrong = list(agreement.with_project(read, settings))
        there = self.on_this_machine() if settings.spec.engine.name == "local" else self
        held = {
            name: replace(one, problems=(*one.problems, *(w for w in wrong if w.file == one.file)))
            for name, one in there.pipelines.items()
        }
        return replace(self, pipelines=held)

    def on_this_machine(self) -> "Pipelines":
        """Add what the local engine does not run."""
        return replace(
            self,
            pipelines={
                name: replace(one, problems=(*one.problems, *unsupported.check(one.workflow)))
                if one.workflow is not None
                else one
                for name, one in self.pipelines.items()
            },
        )


def head(repo: ports.Repo) -> CommitId:
    """The head of the watched branch. Stalled: there is no such branch, or no commit at all."""
    found = repo.head()
    if found is not None:
        return found
    names = [name for name in repo.branches() if not name.startswith(_OWN)]
    if not names:
        what = f"{repo.remote} has no commit yet"
        raise Stalled(what, hint="push one; `gitwf init` writes what it needs")
    shown = ", ".join(names[:_BRANCHES]) + (", …" if len(names) > _BRANCHES else "")
    raise Stalled(
        f"branch '{repo.branch}' does not exist on {repo.remote}; it has: {shown}",
        hint=models.suggest(repo.branch, names) or "name one with --branch or GITWF_BRANCH",
    )


class _Files:
    """What files hold, read once for as long as they stay: most do from commit to commit.

    A workflow is read among all others, and then for the pipeline that names it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], load.Read] = {}

    def read(self, source: bytes, file: str) -> load.Read:
        """Read a file, unless its content is known."""
        known = self._known.get((file, source))
        if known is None:
            known = self._known[file, source] = load.read(source, file)
        return known

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Forget all files but these."""
        self._known = {one: self._known[one] for one in contents.items() if one in self._known}


class Documents:
    """Reads projects out of the watched branch, or any other tree, each commit once."""

    def __init__(self, repo: ports.Tree) -> None:
        self._repo = repo
        self._argo = _Files()
        self.at = functools.lru_cache(maxsize=64)(self._at)
        self.parts = functools.lru_cache(maxsize=4096)(self._parts)

    def _at(self, commit: CommitId) -> ProjectAt:
        """Read one commit. Rejected: gitwf.yaml is missing or wrong."""
        settings = self.project(commit)
        found = self.pipelines(commit, settings.spec.pipelines).under(settings)
        return ProjectAt(commit, settings, found.pipelines, found.problems, found.catalogue)

    def pipelines(self, commit: CommitId, patterns: Sequence[str]) -> "Pipelines":
        """Read the pipelines that `patterns` match, and hold them against no gitwf.yaml."""
        found = self._repo.files(commit)
        files = [path for path, _ in found if not path.startswith(f"{release.FOLDER}/")]
        catalogue = self._catalogue(commit, files)
        pipelines: dict[str, PipelineAt] = {}
        problems: list[Diagnostic] = []
        matching = [file for file in files if globs.matches(file, patterns)]
        for file in matching:
            try:
                one = self._pipeline(commit, file, catalogue)
            except Rejected as error:
                problems += error.diagnostics
                continue
            twin = pipelines.setdefault(one.document.name, one)
            if twin is not one:
                message = f"a second pipeline is called `{one.document.name}`"
                place = ("metadata", "name")
                problems.append(
                    one.source.diagnostic(place, message, f"the first is in {twin.file}")
                )
        return Pipelines(frozenset(matching), pipelines, tuple(problems), catalogue)

    def project(self, commit: CommitId) -> project.Project:
        """Read gitwf.yaml. Rejected: it is missing or wrong."""
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
        found = load.load(contents, asked=(), reading=self._argo.read)
        self._argo.keep(contents)
        return found

    def _pipeline(self, commit: CommitId, file: str, catalogue: load.Loaded) -> PipelineAt:
        source = self._repo.read(commit, file)
        document = yaml_reader.read_one(source or b"", file)
        found, problems = models.check(pipeline.Pipeline, document)
        if found is None:
            raise Rejected([*problems, *self._of_its_workflow(commit, document, catalogue)])
        where = pipeline.rooted(found.spec.workflow, file)
        own_problems = [*agreement.itself(found, document), *self._missing(commit, found, document)]
        try:
            workflow = self._workflow(commit, document, where, catalogue)
        except Rejected as error:
            problems = [*own_problems, *error.diagnostics]
            return PipelineAt(file, found, None, frozenset({where}), tuple(problems), document)
        wrong = [
            *own_problems,
            *validate.validate(workflow, parameters_given=found.given(0, commit)),
        ]
        if not any(one.severity == "error" for one in wrong):
            wrong += agreement.with_workflow(found, document, workflow)
        files = frozenset({where, *(one.file for one in workflow.origins.values())})
        return PipelineAt(file, found, workflow, files, tuple(wrong), document)

    def _workflow(
        self, commit: CommitId, document: yaml_reader.Document, where: str, catalogue: load.Loaded
    ) -> resolved.Resolved:
        """Read the workflow that a pipeline names. Rejected: it is missing, or wrong."""
        content = self._repo.read(commit, where)
        if content is None:
            what = f"there is no file {where}"
            raise Rejected([document.diagnostic(("spec", "workflow"), what)])
        own = load.load({where: content}, reading=self._argo.read)
        return resolve.resolve(
            own.runnable(where), replace(own, unread=catalogue.unread, others=catalogue)
        )

    def _of_its_workflow(
        self, commit: CommitId, document: yaml_reader.Document, catalogue: load.Loaded
    ) -> Sequence[Diagnostic]:
        """Say what is wrong with the workflow of a pipeline which is wrong in itself.

        Nothing, where it is not clear which workflow is meant, or what it is given.
        """
        match document.value:
            case {"spec": {"workflow": str(path), **rest}}:
                given = rest.get("parameters", {})
            case _:
                return ()
        try:
            where = pipeline.rooted(path, document.file)
            workflow = self._workflow(commit, document, where, catalogue)
        except Rejected as error:
            return error.diagnostics
        except ValueError:
            return ()
        if not isinstance(given, dict):
            return ()
        known = {name: str(value) for name, value in given.items()}
        return validate.validate(workflow, parameters_given={**known, "model": "", "commit": ""})

    def _missing(
        self, commit: CommitId, found: pipeline.Pipeline, document: yaml_reader.Document
    ) -> list[Diagnostic]:
        """Name the requirements where they are no file."""
        path = found.spec.requirements
        where = pipeline.rooted(path, document.file) if path is not None else None
        if where is None or self._repo.read(commit, where) is not None:
            return []
        return [document.diagnostic(("spec", "requirements"), f"there is no file {where}")]

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
