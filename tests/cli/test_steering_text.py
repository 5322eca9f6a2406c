"""What steps write and name cannot steer the terminal that shows it."""

import os
import re
import sys

import pytest

from gitwf.cli.render import terminal
from tests.cli import conftest, test_behaviour

# What gitwf itself sends: colours, the cursor hidden and shown, lines gone over again.
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
EVIL = r"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: evil}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: out, template: out}
    - - {name: each, template: each, withParam: "{{steps.out.outputs.parameters.list}}"}
    - - {name: bad, template: bad}
  - name: out
    script: {image: none, command: [sh], source: "printf 'x\\033[2J\\nz\\a' > PLACE/o; printf '[\"a\\\\nb\"]' > PLACE/l"}
    outputs:
      parameters:
      - {name: o, globalName: shown, valueFrom: {path: PLACE/o}}
      - {name: list, valueFrom: {path: PLACE/l}}
  - {name: each, container: {image: none, command: ["true"]}}
  - name: bad
    script:
      image: none
      command: [sh]
      source: "printf '\\033[2J\\033[31mred\\033]0;evil\\a\\n10%%\\r99%%\\n'; exit 1"
"""


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain 日本語 🎉👨‍👩‍👧\t.", "plain 日本語 🎉👨‍👩‍👧\t."),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\rc\x00\x07\x7f\x9b", r"a\nb\rc\x00\x07\x7f\x9b"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
    ],
)
def test_what_is_no_text_stands_as_its_escape_in_one_line(text, harmless):
    assert terminal.harmless(text) == harmless


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m and", "\x1b[1;31mred\x1b[0m and\x1b[0m"),
        ("\x1b[31mred", "\x1b[31mred\x1b[0m"),
        ("\x1b[2J\x1b[31mred", "\\x1b[2J\x1b[31mred\x1b[0m"),
        ("10%\r99%\r100%", "100%"),
        ("of Windows\r", "of Windows"),
    ],
)
def test_a_line_of_a_log_keeps_its_colours_and_its_last_state(line, shown):
    assert terminal.coloured(line) == shown


def test_a_run_and_its_logs_show_a_terminal_only_colours_and_a_pipe_what_was_written(
    gitwf, tmp_path, monkeypatch
):
    monkeypatch.setenv("GITWF_ISOLATION", "none")
    conftest.write(tmp_path, {"evil.yaml": EVIL.replace("PLACE", str(tmp_path))})
    gitwf_here = [sys.executable, "-m", "gitwf"]
    settings = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    run = [*gitwf_here, "run", str(tmp_path / "evil.yaml")]
    told = test_behaviour.on_a_terminal(run, settings)
    logs = test_behaviour.on_a_terminal([*gitwf_here, "logs"], settings)

    assert re.findall(r"[\x00-\x08\x0b-\x1f]", OURS.sub("", told + logs)) == []
    assert r"each(0:a\nb)" in told
    assert "shown: x\\x1b[2J\r\nz\\x07\r\n" in told
    assert "bad wrote at the end:\r\n  \\x1b[2J\x1b[31mred\\x1b]0;evil\\x07\x1b[0m" in told
    assert "evil[2].bad: \x1b[0m99%\r\n" in logs
    assert "evil[2].bad: 10%\r99%\n" in gitwf("logs").out
