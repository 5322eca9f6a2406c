"""The project at one commit: its pipelines by name, their mistakes, their run keys taken apart.

A pass reads one commit whole. A wrong gitwf.yaml refuses the pass; a wrong pipeline is put aside
with its diagnostics and stops nobody else's. Between two commits most pipelines stay what they
were, which the ids of their files tell: such a one is not read again, and of every one only what
all passes need is kept. Read next: `reading`, `past`.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitwf import ports, values
from gitwf.delivery import agreement, globs, keys, pipeline, project, release
from gitwf.errors import Diagnostic, Rejected
from gitwf.service import reading, remembering
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, ObjectId
from gitwf.workflow.document import resolved

NO_PARTS = keys.KeyParts({}, {}, {})
"""The parts of a pipeline whose documents are wrong: nothing is ever decided from them."""


@dataclass(frozen=True)
class PipelineAt(reading.Summary):
    """One pipeline at a commit. With `problems` that are errors, nothing is done for it.

    `read` gives all that its documents say.
    """

    read: Callable[[], reading.Reading] = field(compare=False, repr=False)

    @property
    def refused(self) -> bool:
        """Whether its documents are wrong."""
        return any(problem.is_error for problem in self.problems)

    @property
    def workflow(self) -> resolved.Resolved | None:
        """Its workflow, or None where that is wrong."""
        return self.read().workflow

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

    def doubted(self, found: Sequence[Diagnostic]) -> "PipelineAt":
        """The same with more that is wrong with it."""
        return replace(self, problems=(*self.problems, *found)) if found else self


@dataclass(frozen=True)
class ProjectAt:
    """The documents of one commit. `problems` are those of pipelines that cannot be named."""

    commit: CommitId
    project: project.Project
    pipelines: Mapping[str, PipelineAt]
    problems: tuple[Diagnostic, ...] = ()

    def diagnostics(self) -> Sequence[Diagnostic]:
        """Everything that is wrong or doubtful, in file order."""
        found = [problem for one in self.pipelines.values() for problem in one.problems]
        return sorted({*self.problems, *found})


@dataclass(frozen=True)
class Pipelines:
    """The pipelines of a tree by name, and the files that they, right or wrong, were read from.

    `problems` as in `ProjectAt`.
    """

    files: frozenset[str]
    pipelines: Mapping[str, PipelineAt]
    problems: tuple[Diagnostic, ...]

    def under(self, settings: project.Project) -> "Pipelines":
        """Hold them against a gitwf.yaml."""
        wrong: dict[str, list[Diagnostic]] = {}
        read = [
            (one.document, lambda one=one: one.read().source) for one in self.pipelines.values()
        ]
        for problem in agreement.with_project(read, settings):
            wrong.setdefault(problem.file, []).append(problem)
        there = self.on_this_machine() if settings.spec.engine.name == "local" else self
        held = {n: one.doubted(wrong.get(one.file, ())) for n, one in there.pipelines.items()}
        return replace(self, pipelines=held)

    def on_this_machine(self) -> "Pipelines":
        """Add what the local engine does not run."""
        held = {name: one.doubted(one.unsupported) for name, one in self.pipelines.items()}
        return replace(self, pipelines=held)


class Documents:
    """Reads projects out of the watched branch, or any other tree, each commit once.

    `kept`: where to find, and leave, what was read before.
    """

    def __init__(self, tree: ports.Tree, kept: ports.Kept | None = None) -> None:
        self._tree = tree
        self._kept = kept
        self._catalogues = reading.Catalogues(tree)
        self._known: dict[str, reading.Summary] = {}
        self._apart: dict[str, remembering.Apart] = {}
        self._news = False
        self.at = functools.lru_cache(maxsize=64)(self._at)
        self._catalogue: tuple[CommitId, reading.Catalogue] | None = None
        self._reading = functools.lru_cache(maxsize=16)(self._read)
        self._recall()

    def _at(self, commit: CommitId) -> ProjectAt:
        """Read one commit. Rejected: gitwf.yaml is missing or wrong."""
        settings, _ = self.project(commit)
        found = self.pipelines(commit, settings.spec.pipelines).under(settings)
        return ProjectAt(commit, settings, found.pipelines, found.problems)

    def pipelines(self, commit: CommitId, patterns: Sequence[str]) -> "Pipelines":
        """Read the pipelines that `patterns` match, and hold them against no gitwf.yaml."""
        files = dict(self._tree.files(commit))
        pipelines: dict[str, PipelineAt] = {}
        problems: list[Diagnostic] = []
        matching = [one for one in files if _may_be_read(one) and globs.matches(one, patterns)]
        for file in matching:
            try:
                one = self._pipeline(commit, file, files)
            except Rejected as error:
                problems += error.diagnostics
                continue
            twin = pipelines.setdefault(one.document.name, one)
            if twin is not one:
                message = f"a second pipeline is called `{one.document.name}`"
                hint = f"the first is in {twin.file}"
                problems.append(one.read().source.diagnostic(("metadata", "name"), message, hint))
        self._known = {one.file: one for one in pipelines.values()}
        return Pipelines(frozenset(matching), pipelines, tuple(problems))

    def _recall(self) -> None:
        """Begin with what an earlier process left."""
        content = self._kept.read() if self._kept is not None else None
        for one, apart in remembering.recalled(content) if content is not None else ():
            self._known[one.file] = one
            if apart is not None:
                self._apart[one.file] = apart

    def keep(self, commit: CommitId) -> None:
        """Leave what was read of a commit for later processes, where it is not what they left."""
        if self._kept is None or not self._news:
            return
        self.pipelines(commit, self.at(commit).project.spec.pipelines)
        known = [(one, self._apart.get(one.file)) for one in self._known.values()]
        content = remembering.written(known)
        if content != self._kept.read():  # A walk back in time has read what is news to nobody.
            self._kept.write(content)
        self._news = False

    def project(self, commit: CommitId) -> tuple[project.Project, yaml_reader.Document]:
        """Read gitwf.yaml, with the places of what it says. Rejected: it is missing or wrong."""
        source = self._tree.read(commit, project.FILE)
        if source is None:
            message = "the repository has no gitwf.yaml"
            raise Rejected([Diagnostic(project.FILE, 0, 0, message, "`gitwf init` writes one")])
        document = yaml_reader.read_one(source, project.FILE)
        found, problems = models.check(project.Project, document)
        if found is None:
            raise Rejected(problems)
        return found, document

    def _catalogue_at(
        self, commit: CommitId, files: Mapping[str, ObjectId] | None = None
    ) -> reading.Catalogue:
        """The catalogue of a commit, whose `files` are listed where they are not known."""
        if self._catalogue is None or self._catalogue[0] != commit:
            listed = dict(self._tree.files(commit)) if files is None else files
            readable = [(path, blob) for path, blob in listed.items() if _may_be_read(path)]
            self._catalogue = commit, self._catalogues.read(commit, readable)
        return self._catalogue[1]

    def _read(self, commit: CommitId, file: str) -> reading.Reading:
        catalogue = self._catalogue_at(commit).documents
        return reading.Reader(self._tree, commit, catalogue).read(file)

    def _pipeline(self, commit: CommitId, file: str, files: Mapping[str, ObjectId]) -> PipelineAt:
        """Read one pipeline, unless it is made of what it was made of last."""
        catalogue = self._catalogue_at(commit, files).digest

        def made_of(document: pipeline.Pipeline) -> tuple[object, ...]:
            beside = [document.spec.workflow, document.spec.requirements]
            paths = [pipeline.rooted(one, file) if one is not None else file for one in beside]
            return (catalogue, *(files.get(path) for path in (file, *paths)))

        read = functools.partial(self._reading, commit, file)
        known = self._known.get(file)
        if known is None or known.made_of != made_of(known.document):
            found = read()
            self._news = True
            known = reading.Summary(
                file,
                found.document,
                found.workflow_files,
                found.problems,
                found.unsupported,
                found.meaning,
                alone=found.alone,
                made_of=made_of(found.document),
            )
        return PipelineAt(**vars(known) | {"read": read})

    def parts(self, commit: CommitId, name: str) -> keys.KeyParts | None:
        """Take the run key of a pipeline apart at a commit; None where it has none."""
        try:
            at = self.at(commit)
        except Rejected:
            return None
        one = at.pipelines.get(name)
        if one is None or one.refused or not one.meaning:
            return None
        inputs = tuple(self._tree.object_id(commit, path) for path in one.sources())
        made_of = one.made_of, at.project.spec.pipelines, inputs
        known = self._apart.get(one.file)
        if known is None or known.made_of != made_of:
            found = keys.parts(
                one.document,
                one.file,
                settings=at.project,
                workflow=one.meaning,
                workflow_files=one.workflow_files,
                listing=lambda path: self._tree.files(commit, path),
            )
            known = self._apart[one.file] = remembering.Apart(made_of, found)
            self._news = True
        return known.parts

    def viewer(self, commit: CommitId, one: PipelineAt, deploy: pipeline.Deploy) -> str:
        """Identify everything but the model that a release of this environment shows."""
        trees = [self._tree.object_id(commit, one.viewer_folder(deploy))]
        if deploy.manifests is not None:
            trees.append(self._tree.object_id(commit, pipeline.rooted(deploy.manifests, one.file)))
        shown = [trees, deploy.model_dump(mode="json", exclude={"promote", "drift", "adopt"})]
        return hashlib.sha256(values.canonical(shown).encode()).hexdigest()[:40]


def _may_be_read(file: str) -> bool:
    """Whether a file is none of gitwf's own releases."""
    return not file.startswith(f"{release.FOLDER}/")
