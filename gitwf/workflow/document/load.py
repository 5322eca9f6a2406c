"""From files to models: read, recognise the kind, check every field, keep the places.

A file the caller asked for must be an Argo document through and through; any other file of the
repository may be anything at all, and what cannot be read there is remembered, so that whoever
misses a template can be told of the file that may hold it. Nothing here looks from one document
into another: that is `resolve`'s.
"""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitwf.errors import Diagnostic, Rejected
from gitwf.text import models, yaml_reader
from gitwf.workflow.document import template, workflow

REFERRED_TO = frozenset({"WorkflowTemplate", "ClusterWorkflowTemplate", "ConfigMap", "Secret"})
"""The kinds that workflows refer to by name."""
_HINTS = {"withParams": "did you mean `withParam`?"}


@dataclass(frozen=True)
class Source:
    """One document: its model, and the text it was read from."""

    model: workflow.Kind
    document: yaml_reader.Document = field(compare=False, repr=False)

    @property
    def file(self) -> str:
        """The file's path in the repository."""
        return self.document.file

    @property
    def kind(self) -> str:
        """The document's kind."""
        return self.model.kind

    @property
    def runs(self) -> bool:
        """Whether the document is a workflow, or a library that may be run as one."""
        return isinstance(self.model, workflow.Runnable)

    @property
    def name(self) -> str:
        """The document's name."""
        return self.model.metadata.name

    @property
    def namespace(self) -> str:
        """The document's namespace, or ""."""
        return self.model.metadata.namespace


@dataclass(frozen=True)
class Loaded:
    """Documents that were read. `unread` says what is wrong with files nobody asked for.

    `others` come after them, but for what is in the same files: most share these, so that they are
    in order by kind once for all.
    """

    sources: Sequence[Source] = ()
    unread: Mapping[str, Sequence[Diagnostic]] = field(default_factory=dict)
    others: "Loaded | None" = None

    @functools.cached_property
    def _by_kind(self) -> Mapping[str, Sequence[Source]]:
        found: dict[str, list[Source]] = {}
        for one in self.sources:
            found.setdefault(one.kind, []).append(one)
        return found

    def find(self, kind: str, name: str, namespace: str = "") -> Source | None:
        """Find a document by name: in `namespace` if it is there, else the only one elsewhere."""
        found = [one for one in self.of_kind(kind) if one.name == name]
        near = [one for one in found if one.namespace == namespace]
        return next(iter(near or found), None)

    def of_kind(self, kind: str) -> Iterator[Source]:
        """Every document of a kind, in file order, then the others'."""
        yield from self._by_kind.get(kind, ())
        if self.others is not None:
            own = {one.file for one in self.sources}
            yield from (one for one in self.others.of_kind(kind) if one.file not in own)

    def runnable(self, file: str) -> Source:
        """Find the one document of `file` to run. Rejected: none, or several.

        A Workflow or CronWorkflow goes before the templates that may stand in the same file.
        """
        inside = [one for one in self.sources if one.file == file]
        for kinds in (
            ("Workflow", "CronWorkflow"),
            ("WorkflowTemplate", "ClusterWorkflowTemplate"),
        ):
            found = [one for one in inside if one.kind in kinds]
            if len(found) > 1:
                message = f"the file holds a second {found[1].kind}"
                hint = "gitwf must know which to run; give each a file of its own"
                raise Rejected([found[1].document.diagnostic((), message, hint)])
            if found:
                return found[0]
        raise Rejected([Diagnostic(file, 0, 0, "the file holds no workflow")])


@dataclass(frozen=True)
class Read:
    """What one file holds, and what is wrong with it where it must be right.

    `unread` is what is wrong with it where it may be anything: with Argo's own documents alone.
    """

    sources: Sequence[Source] = ()
    problems: Sequence[Diagnostic] = ()
    unread: Sequence[Diagnostic] = ()


Content = bytes | Sequence[Diagnostic]
"""What is in a file, or why that cannot be told."""


def read(source: Content, file: str) -> Read:
    """Read and check every document of one file."""
    if not isinstance(source, bytes):
        return Read(problems=source, unread=source)
    try:
        documents = yaml_reader.read(source, file, argo=True)
    except Rejected as error:
        return Read(problems=error.diagnostics, unread=error.diagnostics)
    if not documents:
        return Read(problems=[Diagnostic(file, 0, 0, "the file is empty")])
    sources: list[Source] = []
    problems: list[Diagnostic] = []
    unread: list[Diagnostic] = []
    for document in documents:
        found, wrong = _model(document)
        if found is not None:
            sources.append(found)
            continue
        problems += wrong
        if _is_argo(document):
            unread += wrong
    return Read(sources, problems, unread)


def load(files: Mapping[str, Content], *, asked: Collection[str] | None = None) -> Loaded:
    """Read `files` (path in the repository -> content).

    `asked` are the files that must be right, by default all. Rejected: everything that is wrong
    with them, in file order. The other files give what they can.
    """
    found = {file: read(files[file], file) for file in sorted(files)}
    wanted = [one for file, one in found.items() if asked is None or file in asked]
    problems = [problem for one in wanted for problem in one.problems]
    problems += _twins([source for one in wanted for source in one.sources])
    if problems:
        raise Rejected(problems)
    return gathered(found)


def gathered(found: Mapping[str, Read]) -> Loaded:
    """Bring together what files hold, each of which may be anything at all."""
    return Loaded(
        tuple(source for one in found.values() for source in one.sources),
        {file: one.unread for file, one in found.items() if one.unread},
    )


def _model(document: yaml_reader.Document) -> tuple[Source | None, list[Diagnostic]]:
    """Check one document against the model of its kind."""
    value = document.value
    if not isinstance(value, dict):
        return None, [document.diagnostic((), "the document must be a mapping of fields")]
    problems = [
        document.diagnostic((), f"`{name}` is required")
        for name in ("apiVersion", "kind")
        if not isinstance(value.get(name), str)
    ]
    if problems:
        return None, problems
    kind = workflow.KINDS.get((value["apiVersion"], value["kind"]))
    if kind is None:
        message = (
            f"`{value['kind']}` of `{value['apiVersion']}` is not a kind of document for gitwf"
        )
        known = [name for _, name in workflow.KINDS]
        return None, [document.diagnostic(("kind",), message, models.suggest(value["kind"], known))]
    _build()
    model, problems = models.check(kind, document, value=_without_nulls(value), hints=_HINTS)
    return (Source(model, document) if model is not None else None), problems


@functools.cache
def _build() -> None:
    """Build the large models from below: each is used on its own too, and would be built twice."""
    template.Template.model_rebuild()
    workflow.WorkflowSpec.model_rebuild()


def _is_argo(document: yaml_reader.Document) -> bool:
    match document.value:
        case {"apiVersion": str(version), "kind": str(kind)}:
            return (version, kind) in workflow.KINDS
    return False


def _without_nulls(value: Any) -> Any:
    """Leave out fields that are null: to Go they are absent. Loop items keep theirs."""
    if isinstance(value, dict):
        return {
            key: one if key == "withItems" else _without_nulls(one)
            for key, one in value.items()
            if one is not None
        }
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value


def _twins(sources: Sequence[Source]) -> Iterator[Diagnostic]:
    """Name every document that has the kind, namespace and name of an earlier one.

    Only kinds that others refer to by name count. Elsewhere in a repository twins are usual, such
    as one template in the folders of two environments; the first by file name is taken there.
    """
    first: dict[tuple[str, str, str], Source] = {}
    for one in sources:
        if not one.name or one.kind not in REFERRED_TO:
            continue
        other = first.setdefault((one.kind, one.namespace, one.name), one)
        if other is not one:
            message = f"a second {one.kind} is called `{one.name}`"
            hint = f"the first is in {other.file}:{other.document.place().line}"
            yield one.document.diagnostic(("metadata", "name"), message, hint)
