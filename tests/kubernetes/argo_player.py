"""In place of Argo's controller: every Workflow of a namespace succeeds at once.

It says `Running`, then how the run ended, and puts the model into the bucket as Argo would. Each
model is better than the one before.
"""

import contextlib
import dataclasses
import json
import threading

import obstore

from gitwf.adapters import store
from gitwf.adapters.kubernetes import connection, submission
from tests.e2e import conftest as e2e
from tests.kubernetes import replayer

_NAME = "metadata: {name: toy"
FILES = {
    "pipelines/toy/workflow.yaml": e2e.WORKFLOW.replace(
        _NAME, f"{_NAME}, labels: {json.dumps(replayer.PLAYED)}"
    )
}
STOPPED = {
    "phase": "Failed",
    "message": "Stopped with strategy 'Stop'",
    "finishedAt": "2026-11-23T17:09:53Z",
}


@dataclasses.dataclass
class Argo:
    """Plays the controller in one namespace. `keys`: the AWS_* of the bucket.

    `ended` lists the runs in order; `gate` holds their ends back while it is clear.
    """

    connection: connection.Connection
    keys: dict
    ended: list = dataclasses.field(default_factory=list)
    gate: threading.Event = dataclasses.field(default_factory=threading.Event)
    over: threading.Event = dataclasses.field(default_factory=threading.Event)

    @contextlib.contextmanager
    def at_work(self):
        self.gate.set()
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            thread.join()

    def _work(self):
        while not self.over.wait(0.1):
            may_end = self.gate.is_set()  # asked first: what is listed then is no older
            found, _ = self.connection.listed(submission.API, "Workflow")
            for one in found:
                phase = (one.get("status") or {}).get("phase")
                if phase is None:
                    self._give(one, {"phase": "Running", "startedAt": "2026-11-23T17:09:44Z"})
                elif phase == "Running" and one["spec"].get("shutdown"):
                    self._give(one, STOPPED)
                elif phase == "Running" and may_end:
                    self._end(one)

    def _end(self, workflow):
        name = workflow["metadata"]["name"]
        mape = 0.4 / (1 + len(self.ended))
        model = {"name": "toy", "metrics": {"mape": mape}}
        opened = store.ObjectStore(store.Settings(environment=self.keys))
        bucket, path = opened._open(f"s3://models/{name}/model.json")
        obstore.put(bucket, path, json.dumps(model).encode())
        outputs = {
            "artifacts": [{"name": "model", "s3": {"key": f"{name}/model.json"}}],
            "parameters": [{"name": "metrics", "value": json.dumps(model["metrics"])}],
        }
        self.ended.append(name)
        self._give(
            workflow,
            {"phase": "Succeeded", "finishedAt": "2026-11-23T17:09:53Z", "outputs": outputs},
        )

    def _give(self, workflow, status):
        name = workflow["metadata"]["name"]
        self.connection.merge(submission.API, "Workflow", name, {"status": status})
