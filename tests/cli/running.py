"""Workflows to run from the command line, and a gitwf in a process of its own to run them."""

import json
import pathlib
import subprocess
import sys

from tests import waiting


def _toy(spec):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: toy}}
spec:
  entrypoint: main
  onExit: bye{spec}"""


WORKFLOW = _toy("""
  arguments: {parameters: [{name: p, value: one}, {name: l, value: "[1,2]"}]}
  templates:
  - name: main
    steps:
    - - {name: each, template: say, withParam: "{{workflow.parameters.l}}",
         arguments: {parameters: [{name: m, value: "{{workflow.parameters.p}} {{item}}"}]}}
    - - {name: ask, template: ask}
    - - {name: check, template: check, arguments: {parameters: [
          {name: m, value: "{{steps.ask.outputs.parameters.answer}}"}]}}
  - name: ask
    suspend: {}
    outputs: {parameters: [{name: answer, valueFrom: {supplied: {}}}]}
  - name: say
    inputs: {parameters: [{name: m}]}
    container: {image: none, command: [echo, "{{inputs.parameters.m}}"]}
  - name: check
    inputs: {parameters: [{name: m}]}
    container:
      image: none
      command: [sh, -c, "echo {{inputs.parameters.m}}; test -e PLACE/ok"]
  - name: bye
    container: {image: none, command: [sh, -c, "echo bye {{workflow.status}} > PLACE/bye"]}
""")
SLOW = _toy("""
  templates:
  - {name: main, container: {image: none, command: [sh, -c, "echo on; sleep 100"]}}
  - {name: bye, container: {image: none, command: [sh, -c, "echo bye > PLACE/bye; LAST"]}}
""")


def write(folder, name, text):
    (folder / name).write_text(text.replace("PLACE", str(folder)), "utf-8")


class Process:
    """A gitwf in a process of its own; what it printed goes to a file."""

    def __init__(self, folder: pathlib.Path, *arguments: str) -> None:
        self._file = (folder / "printed").open("w")
        self.path = folder / "printed"
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "gitwf", *arguments],
            cwd=folder, stdout=self._file, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    @property
    def printed(self) -> str:
        return self.path.read_text("utf-8")

    def until(self, text: str) -> None:
        waiting.until(lambda: text in self.printed, seconds=300)

    def end(self) -> int:
        code = self.popen.wait(300)
        self._file.close()
        return code


def newest(gitwf):
    return json.loads(gitwf("runs", "-o", "json").out)[0]


def until_it_waits(gitwf):
    def waits():
        found = json.loads(gitwf("runs", "-o", "json").out)
        return found and " waits: " in gitwf("runs", found[0]["run"]).out

    waiting.until(waits, seconds=300)
    return newest(gitwf)["run"]
