"""Do what the plan asked for: one action, one effect.

Each kind of action has one method here, found by its type. Nothing is decided: a ledger entry is
added only if the action's own `decide` still wants it at the tip, a commit is put only on the head
it was planned from, a target is changed only at the revision it was read at. Whoever loses a race
gets `RaceLost` and plans anew.
"""

import collections
import dataclasses
import functools
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from gitwf import ports
from gitwf.delivery import action, observed
from gitwf.errors import GitwfError, Stalled
from gitwf.service import edge, execution, signals, targets
from gitwf.service.observe import Pass
from gitwf.values import CommitId, Instant
from gitwf.workflow import status
from gitwf.workflow.document import resolved

_QUOTED = 20
"""How many lines of a step that failed are told."""


class Actor:
    """Carries out actions; keeps the runs in hand and which of them are done with."""

    def __init__(self, around: edge.Edge, known_targets: targets.Targets) -> None:
        self._edge = around
        self._targets = known_targets
        self.executions = execution.Executions(around.clock, around.listener)
        self.finished: set[str] = set()
        self.applied: dict[tuple[str, str], Instant] = {}
        self.rereads = False

    @functools.singledispatchmethod
    def perform(self, asked: action.Action, seen: Pass) -> None:
        """Do one action. RaceLost: plan anew."""
        raise TypeError(f"no way to perform {asked!r} at {seen.at.commit}")

    def _append(self, decide: action.Decide, message: str) -> None:
        self._edge.ledger.append(decide, message)

    @perform.register(action.Claim | action.Reclaim | action.Judge | action.Mirror)
    @perform.register(action.RecordRollout | action.RecordDrift)
    def _write(self, asked: action.Write, seen: Pass) -> None:
        del seen
        self._append(asked.decide, asked.message)

    @perform.register
    def _run(self, asked: action.Run, seen: Pass) -> None:
        """Start the run of our claim with the code at the commit that the claim was made for."""
        claim = asked.claim
        engine = self._edge.engine(seen.at.project)
        held = observed.Held(claim, asked.pipeline, asked.file)
        one = seen.at.pipelines[asked.model]
        if one.workflow is None:
            raise Stalled(f"the workflow of {asked.model} cannot be read")
        source = self._source(asked.run, claim.commit, one.sources())
        order = ports.Order(
            id=asked.run,
            name=one.workflow.name or asked.model,
            workflow=one.workflow,
            parameters=asked.pipeline.given(claim.version, claim.commit),
            source=source,
            requirements=self._requirements(one.requirements(), source),
            granted=seen.at.project.spec.policy.granted(),
        )
        self.executions.start(engine, order, held)

    def _source(self, run: str, commit: CommitId, paths: tuple[str, ...]) -> Path:
        """The code at the commit, in a folder that lives as long as the run."""
        folder = self._edge.state / "sources" / run
        if not folder.is_dir():
            partial = folder.with_name(f"{run}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            self._edge.repo.export(commit, paths, partial)
            partial.rename(folder)
        return folder

    def _requirements(self, path: str | None, source: Path) -> str:
        """The text of the pipeline's requirements; "" where it has none."""
        return "" if path is None else (source / path).read_text("utf-8")

    @perform.register
    def _cancel(self, asked: action.Cancel, seen: Pass) -> None:
        del seen
        self.executions.cancel(asked.run, asked.reason)

    @perform.register
    def _end(self, asked: action.End, seen: Pass) -> None:
        self._append(asked.decide, asked.message)
        if asked.ended.outcome == "failed" and asked.ended.node:
            self._quote(self._edge.engine(seen.at.project), asked)
        self._done(asked.run)

    def _quote(self, engine: ports.Engine, asked: action.End) -> None:
        """Say what the step that failed wrote at the end: its machine may be gone soon."""
        try:
            lines = collections.deque(engine.logs(asked.run, asked.ended.node), _QUOTED)
        except GitwfError as error:
            self._say(f"its log cannot be read: {error}", asked.model)
            return
        if lines:
            self._say(f"{asked.ended.node} wrote at the end:", asked.model)
        for line in lines:
            self._say(f"  {line.text}", asked.model)

    def _say(self, text: str, model: str) -> None:
        self._edge.listener(signals.Said(self._edge.clock.now(), text, model=model))

    @perform.register
    def _accept(self, asked: action.Accept, seen: Pass) -> None:
        """Upload what the run gave, check it, then record the result."""
        engine, store = self._edge.engine(seen.at.project), self._edge.store(seen.at.project)
        with _scratch(self._edge.state / "uploads" / asked.run) as folder:
            uri = digest = None
            if asked.artifact:
                one = seen.at.pipelines.get(asked.model)
                file = folder / _file_name(one.workflow if one else None, asked.artifact)
                try:
                    engine.artifact(asked.run, asked.artifact, file)
                except Stalled as error:
                    self.executions.end(asked.run, str(error), fault=False)
                    return
                stored = store.put(asked.model, file)
                uri, digest = stored.uri, stored.digest
            kept = self._keep_record(engine, store, asked)
        result = asked.result(uri, digest, kept.uri, kept.digest)
        self._append(asked.decide(result), asked.message)
        self._done(asked.run)

    def _keep_record(
        self, engine: ports.Engine, store: ports.Store, asked: action.Accept
    ) -> ports.Stored:
        """Put the full run record and the logs into the store."""
        held = self.executions.held()[asked.run]
        with _scratch(self._edge.state / "uploads" / f"{asked.run}.record") as folder:
            file = folder / "run.json"
            lines = [{"node": line.node, "text": line.text} for line in engine.logs(asked.run)]
            whole = {"record": status.of(held.record) if held.record else None, "logs": lines}
            file.write_text(json.dumps(whole, sort_keys=True), "utf-8")
            return store.put(f"{asked.model}/runs", file)

    def _done(self, run: str) -> None:
        self.finished.add(run)
        self.executions.forget(run)
        shutil.rmtree(self._edge.state / "sources" / run, ignore_errors=True)

    @perform.register
    def _publish(self, asked: action.Publish, seen: Pass) -> None:
        del seen
        commit = self._edge.repo.publish(asked.expected, asked.edits, asked.message)
        self._say(f"{asked.reason}: commit {commit.short}", asked.model)

    @perform.register
    def _roll_out(self, asked: action.RollOut, seen: Pass) -> None:
        wanted = self._targets.desired(seen.at, asked)
        viewer = self._targets.export_viewer(seen.at, wanted)
        target = self._targets.get(seen.at, asked.model, asked.environment)
        target.apply(dataclasses.replace(wanted, viewer=viewer))
        self.applied[asked.model, asked.environment] = self._edge.clock.now()

    @perform.register
    def _watch(self, asked: action.Watch, seen: Pass) -> None:
        """Wait till the rollout moved, at most two seconds: then the world is looked at again."""
        target = self._targets.get(seen.at, asked.model, asked.environment)
        wanted = self._targets.desired(seen.at, asked)
        until = self._edge.clock.monotonic() + 2.0
        while True:
            stand = target.progress(wanted)
            if stand.state is not ports.RolloutState.PROGRESSING:
                break
            if self._edge.clock.monotonic() >= until:
                return
            self._edge.clock.wait(0.02)
        self._edge.listener(
            signals.RolloutMoved(
                self._edge.clock.now(),
                asked.environment,
                wanted.tag,
                stand.state,
                stand.reason,
                stand.url,
            )
        )

    @perform.register
    def _reread(self, asked: action.Reread, seen: Pass) -> None:
        del asked, seen
        self.rereads = True


def _file_name(workflow: resolved.Resolved | None, artifact: str) -> str:
    """What the model's file is called: as in the step that gives it, else as the artifact."""
    templates = workflow.templates.values() if workflow is not None else ()
    for one in templates:
        for output in one.outputs.artifacts:
            if artifact in {output.global_name, output.name} and output.path:
                return PurePosixPath(output.path).name
    return artifact


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder empty, and remove it afterwards; one that was killed in it left it full."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
