"""Lint: every mistake of a project's documents in one go, as the working tree or any tree has them.

A pass stops at a wrong gitwf.yaml; lint goes on with the default patterns, so that one look shows
what there is to mend. What lint accepts, a reconcile accepts: both read through `documents`. A
workflow file that no pipeline names is checked on its own when somebody asks for it.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitwf import ports
from gitwf.delivery import agreement, document, project, release, schema
from gitwf.errors import Diagnostic, Rejected
from gitwf.service import documents, reading
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId
from gitwf.workflow.document import load, resolve, unsupported, validate


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what is wrong or doubtful there, in file order."""

    files: frozenset[str]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether any of it is an error."""
        return any(one.is_error for one in self.diagnostics)

    def within(self, paths: Iterable[str]) -> "Checked":
        """Only what is at or below `paths`."""
        wanted = tuple(paths)
        return Checked(
            frozenset(file for file in self.files if _within(file, wanted)),
            tuple(one for one in self.diagnostics if _within(one.file, wanted)),
        )


def _within(file: str, paths: Iterable[str]) -> bool:
    return any(path in {".", file} or file.startswith(f"{path}/") for path in paths)


def whole(tree: ports.Tree, commit: CommitId) -> Checked:
    """Check gitwf.yaml, its pipelines with their workflows, and the release files."""
    read = documents.Documents(tree)
    problems: set[Diagnostic] = set()
    try:
        settings, source = read.project(commit)
        found = read.pipelines(commit, settings.spec.pipelines).under(settings)
        read_well = len([one for one in found.pipelines.values() if one.meaning])
        if settings.spec.policy.secrets and read_well == len(found.files):
            workflows = (one.workflow for one in found.pipelines.values())
            problems.update(agreement.grants(settings, source, filter(None, workflows)))
    except Rejected as error:
        problems.update(error.diagnostics)
        found = read.pipelines(commit, project.DEFAULT_PIPELINES).on_this_machine()
    problems.update(found.problems)
    files = {project.FILE, *found.files}
    for name, one in found.pipelines.items():
        problems.update(one.problems)
        files.update(one.workflow_files)
        for file, load_it in _released(tree, commit, name):
            files.add(file)
            try:
                load_it(tree.read(commit, file) or b"", file)
            except Rejected as error:
                problems.update(error.diagnostics)
    return Checked(frozenset(files), tuple(sorted(problems)))


def _released(
    tree: ports.Tree, commit: CommitId, model: str
) -> Iterator[tuple[str, Callable[[bytes, str], object]]]:
    """The release files of a model, each with what reads it."""
    folder = f"{release.FOLDER}/{model}"
    for file, _ in tree.files(commit, folder):
        if posixpath.dirname(file) == folder and file.endswith(".yaml"):
            listed = file == release.rejected_path(model)
            yield file, release.load_rejections if listed else release.load


def alone(tree: ports.Tree, commit: CommitId, file: str) -> Checked:
    """Check one file that no project reaches: a workflow, or a document of gitwf's by itself.

    The other files of its folder are what a workflow can refer to.
    """
    try:
        source = tree.read(commit, file) or b""
        own = _own(source, file)
        found = own if own is not None else _workflow(tree, commit, file, source)
    except Rejected as error:
        found = error.diagnostics
    return Checked(frozenset({file}), tuple(sorted(set(found))))


def _own(source: bytes, file: str) -> Sequence[Diagnostic] | None:
    """What is wrong with a document of gitwf's; None where it is another's. Rejected: not YAML."""
    if document.API_VERSION.encode() not in source:
        return None
    read = yaml_reader.read(source, file, argo=True)  # what it is has no numbers to be strict with
    if len(read) != 1 or not isinstance(read[0].value, dict):
        return None
    model = schema.KINDS.get(str(read[0].value.get("kind")).lower())
    if model is None or read[0].value.get("apiVersion") != document.API_VERSION:
        return None
    return models.check(model, yaml_reader.read_one(source, file))[1]


def _workflow(tree: ports.Tree, commit: CommitId, file: str, source: bytes) -> Sequence[Diagnostic]:
    folder = posixpath.dirname(file) or "."
    beside = {
        path: reading.content(tree, commit, path)
        for path, _ in tree.files(commit, folder)
        if (posixpath.dirname(path) or ".") == folder and path.endswith((".yaml", ".yml"))
    }
    loaded = load.load({**beside, file: source}, asked=[file])
    found: list[Diagnostic] = []
    for one in [one for one in loaded.sources if one.file == file and one.runs]:
        library = one.kind in {"WorkflowTemplate", "ClusterWorkflowTemplate"}
        purpose = validate.Purpose.LIBRARY if library else validate.Purpose.LINT
        workflow = resolve.resolve(one, loaded)
        found += [*validate.validate(workflow, purpose=purpose), *unsupported.check(workflow)]
    return found
