"""Going back in time: the request of a model, by the documents as they were.

A pure function of the first-parent history. The documents are read only where something changed
that a run key may depend on. Read next: `gitwf.delivery.request`.
"""

import functools
from collections.abc import Iterator

from gitwf import ports
from gitwf.delivery import observed, project, release, request
from gitwf.errors import Rejected
from gitwf.service import documents, mainline
from gitwf.values import CommitId


class Past(mainline.Mainline):
    """The mainline, and what was wanted of each model along it."""

    def __init__(self, repo: ports.Repo, read: documents.Documents) -> None:
        super().__init__(repo)
        self._documents = read
        self.request = functools.lru_cache(maxsize=mainline.KEPT)(self._request)

    def _request(self, head: CommitId, name: str) -> observed.Request:
        """The request of a model: see `gitwf.delivery.request`."""
        return request.find(self._bases(head, name))

    def stretches(self, head: CommitId, name: str) -> Iterator[observed.Stretch]:
        """What was wanted of a model, newest first, walked no further than asked for."""
        return request.stretches(self._bases(head, name))

    def _bases(self, head: CommitId, name: str) -> Iterator[tuple[observed.Request, str]]:
        """The base of the model's key, "" where it has none, and the oldest commit of each span.

        The documents are read only where something changed that the key may depend on.
        """
        commits = self.commits(head)
        depth, end = 0, len(commits)
        while depth < end:
            newest = commits[depth].id
            parts = self._documents.parts(newest, name)
            watched = self._watched(newest, name)
            seen = self._signature(newest, watched)
            spans = self._spans(head, watched, depth)
            oldest = next(spans)
            for further in spans:
                if self._signature(commits[further].id, watched) != seen:
                    break
                oldest = further
            base = parts.base if parts is not None else ""
            yield observed.Request(commits[oldest].id, oldest, commits[oldest].time), base
            depth = oldest + 1

    def _signature(self, commit: CommitId, paths: tuple[str, ...]) -> tuple[object, ...]:
        """Object ids that cannot be equal at two commits where the key's parts differ."""
        return tuple(self._repo.object_id(commit, path) for path in paths)

    def _watched(self, commit: CommitId, name: str) -> tuple[str, ...]:
        """The paths that the key of a pipeline can depend on, as it is at a commit."""
        try:
            one = self._documents.at(commit).pipelines.get(name)
        except Rejected:
            one = None
        if one is not None and one.alone:
            return (project.FILE, one.file, *one.workflow_files, *one.sources())
        roots = {path.partition("/")[0] for path, _ in self._repo.files(commit)}
        return tuple(sorted(roots - {release.FOLDER}))
