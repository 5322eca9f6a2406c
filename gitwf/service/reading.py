"""What the documents of one pipeline say: pipeline.yaml, its workflow, and what that refers to.

A reading is a function of these files alone: the two documents, whether the requirements are there,
and the catalogue, which is whatever a workflow of the tree may refer to by name. It is large, since
every value keeps its place in the file, and so it is let go when the pass has what it needs of it,
and made anew for what is rarely asked: the workflow of a run that starts. Read next: `documents`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitwf import ports, values
from gitwf.delivery import agreement, keys, pipeline
from gitwf.errors import Diagnostic, Rejected
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, ObjectId
from gitwf.workflow.document import load, resolve, resolved, unsupported, validate

_YAML = (".yaml", ".yml")
# A file without any of these words holds nothing that is referred to.
_REFERRED_TO = tuple(kind.encode() for kind in load.REFERRED_TO)
_ANY_COMMIT = CommitId("0" * 40)
"""What a run's commit is taken for: what is right for one must be right for all."""


@dataclass(frozen=True)
class Reading:
    """One pipeline's documents. `unsupported` is what the local engine does not run of it.

    `source` is what pipeline.yaml was read from, for the places of mistakes.
    """

    document: pipeline.Pipeline
    source: yaml_reader.Document
    workflow: resolved.Resolved | None
    workflow_files: frozenset[str]
    problems: tuple[Diagnostic, ...]
    unsupported: tuple[Diagnostic, ...] = ()

    @property
    def meaning(self) -> Mapping[str, str]:
        """The parts of the workflow that count for the run key."""
        return keys.workflow_parts(self.workflow.canonical()) if self.workflow is not None else {}

    @property
    def alone(self) -> bool:
        """Whether the workflow is all in one file, and no other counts for what it means."""
        found = self.workflow
        if found is None or len(self.workflow_files) > 1:
            return False
        return not found.config_maps and not found.secrets


@dataclass(frozen=True)
class Summary:
    """What every pass needs of the pipeline at `file`.

    `unsupported` are the problems of the local engine alone. `meaning`: the workflow's part of the
    run key; none where it cannot be read. `alone`: that is all in one file. `made_of`: the ids of
    the files that all this was read from.
    """

    file: str
    document: pipeline.Pipeline
    workflow_files: frozenset[str]
    problems: tuple[Diagnostic, ...]
    unsupported: tuple[Diagnostic, ...]
    meaning: Mapping[str, str]
    alone: bool
    made_of: tuple[object, ...]


@dataclass(frozen=True)
class Catalogue:
    """The documents of a tree that workflows may refer to. Equal when their files are."""

    digest: str
    documents: load.Loaded = field(compare=False, repr=False)


class Catalogues:
    """Reads catalogues, each file once for as long as it stays: most do from commit to commit."""

    def __init__(self, tree: ports.Tree) -> None:
        self._tree = tree
        self._known: dict[tuple[str, ObjectId], load.Read | None] = {}

    def read(self, commit: CommitId, files: Iterable[tuple[str, ObjectId]]) -> Catalogue:
        """Read the catalogue among `files`; what is not Argo's is passed over."""
        known = {
            one: self._known[one] if one in self._known else self._read(commit, one[0])
            for one in sorted(files)
            if one[0].endswith(_YAML)
        }
        self._known = known
        found = {one: read for one, read in known.items() if read is not None}
        digest = hashlib.sha256(values.canonical([*found]).encode()).hexdigest()
        return Catalogue(digest, load.gathered({path: read for (path, _), read in found.items()}))

    def _read(self, commit: CommitId, path: str) -> load.Read | None:
        """Read a file; None where it can hold nothing that is referred to."""
        found = content(self._tree, commit, path)
        if isinstance(found, bytes) and not any(word in found for word in _REFERRED_TO):
            return None
        return load.read(found, path)


def content(tree: ports.Tree, commit: CommitId, path: str) -> load.Content:
    """What is in the file of a tree that lists it, or why that cannot be told."""
    try:
        return tree.read(commit, path) or b""
    except Rejected as error:
        return error.diagnostics


@dataclass(frozen=True)
class Reader:
    """Reads the pipelines of one commit."""

    tree: ports.Tree
    commit: CommitId
    catalogue: load.Loaded

    def read(self, file: str) -> Reading:
        """Read a pipeline.yaml and its workflow. Rejected: it cannot be told what it is called."""
        document = yaml_reader.read_one(self.tree.read(self.commit, file) or b"", file)
        found, problems = models.check(pipeline.Pipeline, document)
        if found is None:
            raise Rejected([*problems, *self._of_its_workflow(document)])
        where = pipeline.rooted(found.spec.workflow, file)
        own_problems = [*agreement.itself(found, document), *self._missing(found, document)]
        try:
            workflow = self._workflow(document, where)
        except Rejected as error:
            problems = [*own_problems, *error.diagnostics]
            return Reading(found, document, None, frozenset({where}), tuple(problems))
        wrong = [
            *own_problems,
            *validate.validate(workflow, parameters_given=found.given(0, _ANY_COMMIT)),
        ]
        if not any(one.is_error for one in wrong):
            wrong += agreement.with_workflow(found, document, workflow)
        files = frozenset({where, *(one.file for one in workflow.origins.values())})
        refused = tuple(unsupported.check(workflow))
        return Reading(found, document, workflow, files, tuple(wrong), refused)

    def _workflow(self, document: yaml_reader.Document, where: str) -> resolved.Resolved:
        """Read the workflow that a pipeline names. Rejected: it is missing, or wrong."""
        content = self.tree.read(self.commit, where)
        if content is None:
            what = f"there is no file {where}"
            raise Rejected([document.diagnostic(("spec", "workflow"), what)])
        own = load.load({where: content})
        return resolve.resolve(
            own.runnable(where), replace(own, unread=self.catalogue.unread, others=self.catalogue)
        )

    def _of_its_workflow(self, document: yaml_reader.Document) -> Sequence[Diagnostic]:
        """Say what is wrong with the workflow of a pipeline which is wrong in itself.

        Nothing, where it is not clear which workflow is meant, or what it is given.
        """
        match document.value:
            case {"spec": {"workflow": str(path), **rest}}:
                given = rest.get("parameters", {})
            case _:
                return ()
        try:
            workflow = self._workflow(document, pipeline.rooted(path, document.file))
        except Rejected as error:
            return error.diagnostics
        except ValueError:
            return ()
        if not isinstance(given, Mapping):
            return ()
        known = {name: str(value) for name, value in given.items()}
        return validate.validate(workflow, parameters_given={**known, "model": "", "commit": ""})

    def _missing(
        self, found: pipeline.Pipeline, document: yaml_reader.Document
    ) -> list[Diagnostic]:
        """Name the requirements where they are no file."""
        path = found.spec.requirements
        where = pipeline.rooted(path, document.file) if path is not None else None
        if where is None or self.tree.read(self.commit, where) is not None:
            return []
        return [document.diagnostic(("spec", "requirements"), f"there is no file {where}")]
