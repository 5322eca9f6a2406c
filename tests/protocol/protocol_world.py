"""An in-memory remote with a branch, a ledger and a target, and processes that share it.

Every state is a value, so that a breadth-first search can visit each once. A process does what the
service does, step by step: read the target, read the head and the ledger, plan, carry out the first
action that changes something with a compare-and-swap, begin again. All decisions are those of
`gitwf.delivery`; this module only reads, calls and writes. Commits and ledgers live in a `Universe`
beside the states and are named by their content.
"""

import dataclasses
import functools
import hashlib
import json
import types
from collections.abc import Iterator
from typing import NamedTuple

from gitwf.delivery import (
    action,
    entry,
    facts,
    keys,
    observed,
    pipeline,
    plan,
    project,
    release,
    request,
    serving,
    trail,
    writing,
)
from gitwf.text import rendering, splice
from gitwf.values import CommitId, Digest, Instant
from gitwf.workflow import record

NOW = Instant.parse("2026-11-23T12:00:00Z")
MODEL = "m"
CODE = "code"


def settings(**spec):
    """A gitwf.yaml with more in its spec."""
    spec = {"store": "file:store", "environments": {"prod": {"local": {}}}, **spec}
    return project.Project.model_validate_json(
        json.dumps(
            {
                "apiVersion": "gitwf.dev/v1",
                "kind": "Project",
                "metadata": {"name": "p"},
                "spec": spec,
            }
        )
    )


PROJECT = settings()


class Target(NamedTuple):
    """What an environment's target was given, and how that went."""

    revision: int = 0
    release: str = ""
    version: int = 0
    digest: str = ""
    outcome: serving.RolloutState = serving.RolloutState.PROGRESSING


class Run(NamedTuple):
    """A run in a process's hand: its claim's key and attempt, and how it stands."""

    id: str
    key: str
    attempt: int
    state: str = "running"  # or over, cancelled


class Proc(NamedTuple):
    """A reconciler: its incarnation, what it has read so far in this pass, what it holds."""

    life: int = 0
    targets: tuple[Target, ...] | None = None
    head: str = ""
    ledger: str = ""
    rollouts: tuple[serving.RolloutState | None, ...] = ()
    reread: bool = False
    runs: tuple[Run, ...] = ()
    finished: frozenset[str] = frozenset()
    saw: str = ""  # the newest ledger it knows, kept while a stale read may come
    suspects: frozenset[str] = frozenset()


class Budget(NamedTuple):
    """How much may still go wrong, and what people will still do, in this order."""

    crashes: int = 0
    suspicions: int = 0
    stale: int = 0
    lost: int = 0
    events: tuple[tuple[str, ...], ...] = ()


class State(NamedTuple):
    """One moment of the whole world. The last fields are what laws are checked from."""

    head: str
    ledger: str
    targets: tuple[Target, ...]
    procs: tuple[Proc, ...]
    budget: Budget
    before: str = ""  # the head before the last push: what a stale read may show
    ledger_before: str = ""
    starts: tuple[str, ...] = ()
    interruptions: int = 0
    went_back: bool = False


@dataclasses.dataclass(frozen=True)
class Commit:
    """A commit of the branch."""

    id: CommitId
    parent: str
    files: tuple[tuple[str, bytes], ...]
    depth: int

    def read(self, path: str) -> bytes | None:
        return dict(self.files).get(path)


def remembered(write):
    """A writer of YAML, asked once for each text: exploring asks the same many thousand times."""
    known = {}

    def same(*arguments):
        key = repr(arguments)
        if key not in known:
            known[key] = write(*arguments)
        return known[key]

    return same


writing.splice = types.SimpleNamespace(edit=remembered(splice.edit), Path=splice.Path)
writing.rendering = types.SimpleNamespace(block=remembered(rendering.block))


@functools.cache
def release_of(source: bytes, path: str) -> release.Release:
    return release.load(source, path)


def document(environments, gates, promote=None):
    promote = promote or {}
    return pipeline.Pipeline.model_validate_json(
        json.dumps(
            {
                "apiVersion": "gitwf.dev/v1",
                "kind": "Pipeline",
                "metadata": {"name": MODEL},
                "spec": {
                    "workflow": "workflow.yaml",
                    "model": {"artifact": "model", "metrics": "metrics", "gates": list(gates)},
                    "deploy": [
                        {
                            "environment": name,
                            "manifests": "/manifests",
                            "promote": promote.get(name, "auto"),
                        }
                        for name in environments
                    ],
                },
            }
        )
    )


def identified(*content: object) -> str:
    return hashlib.sha1(repr(content).encode()).hexdigest()


class Universe:
    """Every commit and every ledger that any state knows, and the rules of this world."""

    def __init__(
        self, *, environments=("prod",), gates=(), promote=None, bad=(), metrics=None, most=3
    ):
        """`most`: so many runs in a row are cancelled, and the next is let finish."""
        self.environments = environments
        self.project = settings(supersede={"max": most}) if most != 3 else PROJECT
        self.pipeline = document(environments, gates, promote)
        self.bad = frozenset(bad)
        self.metrics = metrics or {}
        self.commits: dict[str, Commit] = {}
        self.ledgers: dict[str, facts.Facts] = {"": facts.EMPTY}
        self.ledger_parent: dict[str, str] = {"": ""}
        self._plans: dict[object, action.Plan] = {}
        self.slow: set[int] = set()
        self.people: set[str] = set()
        self.sound: set[str] = set()
        self.claims: dict[tuple[str, int], entry.Claim] = {}

    # Git

    def commit(self, parent: str, edits: dict[str, bytes | None], by: str = "") -> str:
        """Make a commit; `by` keeps two commits of equal content apart, as their times would."""
        files = dict(self.commits[parent].files) if parent else {}
        for path, content in edits.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = content
        tree = tuple(sorted(files.items()))
        name = identified(parent, tree, by)
        depth = self.commits[parent].depth + 1 if parent else 0
        self.commits[name] = Commit(CommitId(name), parent, tree, depth)
        return name

    def history(self, head: str) -> Iterator[Commit]:
        while head:
            commit = self.commits[head]
            yield commit
            head = commit.parent

    def is_before(self, older: str, newer: str) -> bool:
        return older != newer and any(commit.id == older for commit in self.history(newer))

    def append(self, tip: str, additions: entry.Additions) -> str:
        old = self.ledgers[tip]
        if not additions or not all(self.absent(path, tip) for path in additions):
            return tip
        merged = {**old.entries, **json.loads(json.dumps(additions))}
        name = identified(sorted(merged.items(), key=lambda row: row[0]))
        if name not in self.ledgers:
            self.ledgers[name] = facts.Facts(CommitId(name), merged)
            self.ledger_parent[name] = tip
        return name

    # Views at a commit

    def parts(self, commit: Commit) -> keys.KeyParts:
        code = (commit.read(CODE) or b"").decode()
        return keys.KeyParts({}, {"code": code}, {})

    @functools.cache  # noqa: B019
    def request(self, head: str) -> observed.Request:
        return self.stretches(head)[0].request

    @functools.cache  # noqa: B019
    def stretches(self, head: str) -> tuple[observed.Stretch, ...]:
        found = (
            (observed.Request(commit.id, depth, NOW), self.parts(commit).base)
            for depth, commit in enumerate(self.history(head))
        )
        return tuple(request.stretches(found))

    @functools.cache  # noqa: B019
    def trail(self, head: str, environment: str) -> trail.Trail:
        path = release.path(MODEL, environment)
        return trail.read(
            trail.State(
                commit.id,
                depth,
                release_of(source, path) if (source := commit.read(path)) is not None else None,
                "person",
                NOW,
            )
            for depth, commit in enumerate(self.history(head))
        )

    def environment(self, head, name, target, rollout) -> observed.EnvironmentView:
        commit, path = self.commits[head], release.path(MODEL, name)
        source = commit.read(path)
        served = None
        if target.release:
            served = serving.Serving(
                str(target.revision),
                CommitId(target.release),
                f"{MODEL}-v{target.version}",
                Digest(target.digest),
                "viewer",
                ready=target.outcome is serving.RolloutState.COMPLETE,
            )
        return observed.EnvironmentView(
            name=name,
            deploy=self.pipeline.deploy(name),
            source=source,
            release=release_of(source, path) if source is not None else None,
            trail=lambda: self.trail(head, name),
            serving=served,
            rollout=serving.Rollout(rollout, "it is bad") if rollout is not None else None,
            viewer="viewer",
            known=not target.release or self.knows(head, target.release),
        )

    def knows(self, head: str, commit: str) -> bool:
        return any(one.id == commit for one in self.history(head))

    def rejected(self, commit: Commit) -> frozenset[int]:
        path = release.rejected_path(MODEL)
        source = commit.read(path)
        return release.load_rejections(source, path).numbers() if source else frozenset()

    def absent(self, path: str, tip: str) -> bool:
        """Whether an entry may be created: the first writer wins."""
        return path not in self.ledgers[tip].entries

    def observe(self, proc: Proc, owner: entry.Owner, gone: dict[str, str]) -> observed.Observed:
        commit = self.commits[proc.head]
        rejected = commit.read(release.rejected_path(MODEL))
        known = self.ledgers[proc.ledger]
        environments = tuple(
            self.environment(proc.head, name, target, rollout)
            for name, target, rollout in zip(
                self.environments, proc.targets, proc.rollouts, strict=True
            )
        )
        view = observed.ModelView(
            name=MODEL,
            file="pipelines/m/pipeline.yaml",
            pipeline=self.pipeline,
            parts=self.parts(commit),
            request=lambda: self.request(proc.head),
            environments=environments,
            stretches=lambda: self.stretches(proc.head),
            named=lambda: max(self.trail(proc.head, n).highest() for n in self.environments),
            rejected=self.rejected(commit),
            rejected_source=rejected,
        )
        stamps = {
            one.release.evidence.ledger
            for one in environments
            if one.release is not None and one.release.evidence is not None
        } - {""}
        return observed.Observed(
            head=commit.id,
            project=self.project,
            models={MODEL: view},
            facts=known,
            me=owner,
            nonce=f"{owner.pid}.{proc.ledger[:12]}",
            gone=gone,
            runs={run.id: self.held(run, known) for run in proc.runs},
            finished=proc.finished,
            lost_stamps=frozenset(s for s in stamps if not self.contains(proc.ledger, s)),
            reread=proc.reread,
        )

    @functools.cache  # noqa: B019
    def open_claims(self, ledger: str) -> tuple[entry.Claim, ...]:
        return self.ledgers[ledger].open_claims(MODEL)

    def contains(self, ledger: str, stamp: str) -> bool:
        tip, old = self.ledgers[ledger], self.ledgers.get(stamp)
        return old is not None and old.entries.keys() <= tip.entries.keys()

    def held(self, run: Run, known: facts.Facts) -> observed.Held:
        claims = [one for one in known.claims(MODEL, run.key) if one.attempt == run.attempt]
        phase = {
            "running": record.Phase.RUNNING,
            "over": record.Phase.SUCCEEDED,
            "cancelled": record.Phase.FAILED,
        }[run.state]
        claim = claims[0] if claims else self.claims[run.id, run.attempt]
        letter = self.claims[run.id, run.attempt].parts["parameters"]["code"]
        metrics = self.metrics.get(letter, {})
        outputs = record.Outputs(parameters={"metrics": json.dumps(metrics)})
        shown = record.RunRecord(run.id, phase, started=NOW, finished=NOW, outputs=outputs)
        return observed.Held(claim, self.pipeline, "f", shown, cancelled=run.state == "cancelled")

    def letter_of(self, ledger: str, version: int) -> str:
        """The code that a version was made of."""
        known = self.ledgers[ledger]
        first = known.claims(MODEL, known.key_of(MODEL, version))[0]
        return first.parts["parameters"]["code"]

    def plan(self, proc: Proc, index: int, gone: dict[str, str]) -> action.Plan:
        memo = (
            proc.head, proc.ledger, proc.targets, proc.rollouts, proc.reread, proc.runs,
            proc.finished, index, proc.life, tuple(sorted(gone)),
        )  # fmt: skip
        if memo not in self._plans:
            seen = self.observe(proc, owner(index, proc.life), gone)
            self._plans[memo] = plan.plan(seen, NOW)
        return self._plans[memo]


def owner(index: int, life: int) -> entry.Owner:
    return entry.Owner("host", "boot", 100 * index + life, "start")
