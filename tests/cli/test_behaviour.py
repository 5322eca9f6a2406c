"""How every command behaves: light to start, plain in a pipe, and never a traceback."""

import hashlib
import json
import os
import pathlib
import pty
import re
import subprocess
import sys

import pytest

from gitwf import cli, wiring
from tests.cli import conftest
from tests.e2e import conftest as e2e

HEAVY = ["pydantic", "pygit2", "rich", "yaml", "requests", "jinja2", "obstore"]
ANSI = re.compile(r"\x1b\[")
SECRET = "hunter2-secret"
ONE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: one}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: none, command: ["true"]}}]
"""
# These go on until somebody ends them when nothing is wrong.
ENDLESS = {"demo", "serve", "front"}
ARGUMENTS = {
    "logs": ["run-1"],
    "runs": ["run-1"],
    "stop": ["run-1"],
    "terminate": ["run-1"],
    "resume": ["run-1"],
    "retrain": ["toy", "--reason", "why"],
    "retry": ["toy"],
    "show": ["toy@1"],
    "diff": ["toy@1", "2"],
    "promote": ["toy@1"],
    "rollback": ["toy"],
    "hold": ["toy"],
    "unhold": ["toy"],
    "reject": ["toy@1"],
    "history": ["toy"],
    "run": ["toy"],
    "front": ["production"],
    "down": ["production"],
    "fetch": ["file:toy/x", "--digest", "sha256:" + "0" * 64, "--to", "model.json"],
}


def test_help_lists_every_section_and_command_and_loads_nothing_heavy():
    program = (
        "import sys\nfrom gitwf import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    *shown, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert [name for name in cli.SECTIONS if f"{name}:" not in shown] == []
    assert [name for name in cli.COMMANDS if not any(name in line.split() for line in shown)] == []


def test_a_plan_loads_nothing_of_what_acts_draws_or_is_not_used_here(remote):
    unused = [
        "jinja2", "kubernetes", "requests", "rich",
        "gitwf.service.loop", "gitwf.wiring.local", "gitwf.cli.render.progress",
    ]  # fmt: skip
    program = (
        "import sys\nfrom gitwf import cli\n"
        "try: cli.main(['plan', '-o', 'json'])\nexcept SystemExit: pass\n"
        f"print([name for name in {unused!r} if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout)["head"] == remote.head()
    assert done.stderr.strip() == "[]"


def test_a_run_of_a_file_loads_nothing_of_git_deliveries_or_the_network(tmp_path):
    unused = [
        "http.client", "jinja2", "kubernetes", "obstore", "pygit2", "requests",
        "gitwf.cli.pipelines", "gitwf.delivery.facts", "gitwf.service.reconcile",
    ]  # fmt: skip
    workflow = tmp_path / "one.yaml"
    workflow.write_text(ONE, "utf-8")
    program = (
        "import sys\nfrom gitwf import cli\n"
        f"try: cli.main(['run', {str(workflow)!r}, '--state', {str(tmp_path / 'state')!r}])\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print([name for name in {unused!r} if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help(gitwf, name):
    done = gitwf(name, "--help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: gitwf {name}")


def test_an_unknown_command_is_refused_with_the_nearest_one(gitwf):
    done = gitwf("reconcil")

    assert done.code == 2
    assert "no command `reconcil`; did you mean `reconcile`?" in done.err
    assert "`gitwf --help` lists them" in gitwf("xyzzy").err


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_a_wrong_call_exits_with_2(gitwf, name):
    done = gitwf(name, "--no-such-option")

    assert (done.code, done.out) == (2, "")
    assert "no such option" in done.err.lower()


@pytest.mark.slow
def test_a_shell_completes_commands():
    asked = {"_GITWF_COMPLETE": "bash_complete", "COMP_WORDS": "gitwf prom", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from gitwf.cli import main; main()"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["plain,promote"]


def test_the_version_is_told(gitwf):
    assert gitwf("--version").out.startswith("gitwf 0.")


def called(gitwf, name: str, *more: str) -> conftest.Called:
    return gitwf(name, *ARGUMENTS.get(name, []), *more)


# These are about runs of this machine, whatever repository is meant.
OF_RUNS = {"run", "logs", "runs", "stop", "terminate", "resume"}
REMOTE = [name for name in cli.COMMANDS if name not in {"demo", "init", "lint", "schema", "fetch"}]


@pytest.mark.parametrize("name", REMOTE)
def test_outside_a_checkout_a_command_says_what_it_misses(gitwf, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = called(gitwf, name)

    assert done.code == 1
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", sorted(set(REMOTE) - ENDLESS - OF_RUNS))
def test_credentials_in_a_remote_are_never_shown(gitwf, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITWF_REMOTE", f"file://ada:{SECRET}@localhost/nowhere.git")

    done = called(gitwf, name)

    # `down` asks no remote: what is not running need not be stopped.
    assert done.code in ({0} if name == "down" else {1, 2})
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", sorted(set(REMOTE) - ENDLESS - OF_RUNS))
@pytest.mark.parametrize(
    "files", [{}, {"gitwf.yaml": "a: [\n"}, {"gitwf.yaml": "\0"}], ids=["none", "broken", "binary"]
)
def test_a_repository_without_a_right_project_is_refused(gitwf, name, remote, files):
    edits = dict.fromkeys(e2e.FILES) | {path: text.encode() for path, text in files.items()}
    remote.commit(edits | {"README.md": b"Words.\n"})

    done = called(gitwf, name)

    assert "Traceback" not in done.err
    if name not in {"history", "show", "diff", "fsck", "down"}:  # these need no project
        assert (done.code, "gitwf.yaml" in done.err) == (2, True), done


@pytest.mark.parametrize("name", sorted(set(REMOTE) - ENDLESS - {"reconcile", "run"}))
@pytest.mark.parametrize(
    "garbage", ["", " ", "-", "--", "\n", "é☃", "a@b@c", "@", "toy@", "toy@-1", "toy@99999999999"]
)
def test_a_garbled_argument_is_no_traceback(gitwf, name, remote, garbage, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    done = gitwf(name, garbage)

    assert done.code in {0, 1, 2}
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("GITWF_LEASE", "soon", "GITWF_LEASE: not a number: 'soon'"),
        ("GITWF_READY", "1e", "GITWF_READY: not a number: '1e'"),
        ("GITWF_PORT", "http", "GITWF_PORT: not a number: 'http'"),
        ("GITWF_AUTHOR", "me", "GITWF_AUTHOR: not `name <address>`: 'me'"),
        ("GITWF_BRANCH", "a..b", ""),
        ("GITWF_STATE", "/dev/null/x", ""),
        ("GITWF_ISOLATION", "castle", ""),
        ("GITWF_REMOTE", "ftp://x/y", ""),
        ("GITWF_REMOTE", "/dev/null", ""),
    ],
)
def test_a_wrong_setting_is_named(gitwf, remote, monkeypatch, tmp_path, variable, value, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)

    done = gitwf("plan") if variable != "GITWF_ISOLATION" else gitwf("logs", "run-1")

    assert done.code in {1, 2}
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_plan_as_json_has_its_shape(gitwf, remote):
    done = gitwf("plan", "-o", "json")

    told = json.loads(done.out)
    assert done.code == 0
    assert list(told) == ["head", "engine", "actions", "diagnostics"]
    assert told["head"] == remote.head()
    assert told["diagnostics"] == []
    assert told["actions"][0] == {
        "model": "toy",
        "environment": "",
        "action": "claim",
        "pending": True,
        "reason": told["actions"][0]["reason"],
        "hint": "",
    }
    assert "never trained" in told["actions"][0]["reason"]


@pytest.mark.parametrize("command", ["plan", "status"])
def test_it_says_how_steps_are_kept_apart_and_that_the_image_is_ignored(
    gitwf, remote, command, monkeypatch
):
    monkeypatch.setenv("GITWF_ISOLATION", "none")

    told = json.loads(gitwf(command, "-o", "json").out)["engine"]

    assert told["name"] == "local"
    rung, *_, ignored = told["described"]
    assert rung == "isolation none: steps see this machine's files"
    assert ignored.startswith("image ignored: host")
    shown = gitwf(command).out.splitlines()
    assert shown[0] == f"engine local: {rung}"
    assert f"  {ignored}" in shown


def test_an_isolation_that_does_not_work_here_is_an_error_of_the_plan(gitwf, remote, monkeypatch):
    monkeypatch.setenv("GITWF_ISOLATION", "castle")

    done = gitwf("plan")

    assert done.code == 1
    assert "there is no isolation 'castle'" in done.err


def test_changes_pending_exit_with_3_when_asked_for(gitwf, remote):
    assert gitwf("plan").code == 0
    assert gitwf("plan", "--exit-code").code == 3


@pytest.mark.slow
def test_a_pipe_gets_plain_text_and_a_terminal_colour(remote, tmp_path):
    command = [sys.executable, "-m", "gitwf", "plan"]
    settings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"}
    settings |= {"GITWF_REMOTE": str(remote.path), "GITWF_STATE": str(tmp_path / "state")}

    def piped(**more: str) -> str:
        done = subprocess.run(
            command, env=settings | more, capture_output=True, text=True, check=True
        )
        return done.stdout

    plain = piped()
    assert not ANSI.search(plain)
    assert "claim" in plain
    assert ANSI.search(piped(FORCE_COLOR="1"))
    assert ANSI.search(on_a_terminal(command, settings))
    assert not ANSI.search(on_a_terminal(command, settings | {"NO_COLOR": "1", "TERM": "dumb"}))


def on_a_terminal(command: list[str], settings: dict[str, str]) -> str:
    """What a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=settings, stdout=theirs, stdin=theirs, close_fds=True):
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # Linux's way to say that the other end is closed.
                break
            if not chunk:
                break
            shown += chunk
    os.close(ours)
    return shown.decode()


def test_a_closed_pipe_ends_a_command_quietly():
    shown = subprocess.run(
        [
            "bash",
            "-c",
            f'"{sys.executable}" -m gitwf schema | head -c 10; echo "${{PIPESTATUS[0]}}"',
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stderr == ""


def test_a_schema_is_printed_whole_and_by_kind(gitwf):
    every = json.loads(gitwf("schema").out)

    assert list(every) == ["project", "pipeline", "release", "rejected"]
    assert json.loads(gitwf("schema", "Release").out) == every["release"]
    assert gitwf("schema", "workflow").code == 2
    docs = pathlib.Path(__file__).parents[2] / "docs" / "schemas"
    assert {path.stem for path in docs.iterdir()} == set(every)


def test_what_the_system_says_of_a_file_is_no_traceback(gitwf, tmp_path):
    model = tmp_path / "model.json"
    model.write_bytes(b"{}")
    digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"

    done = gitwf("fetch", model.as_uri(), "--digest", digest, "--to", str(model / "below"))

    assert done.code == 1
    assert done.err.splitlines()[0].startswith(f"error: {model / 'below'}: ")
    assert done.err.splitlines()[1].startswith("  try: ")


def test_a_full_disk_is_no_traceback(gitwf, remote, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wiring, "repository", full)

    assert gitwf("plan").err.splitlines()[0] == "error: No space left on device"


def apart(*arguments, **settings):
    """A gitwf in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gitwf", *arguments],
        capture_output=True, check=False, env={**os.environ, **settings},
    )  # fmt: skip


def test_what_a_terminal_cannot_show_stands_as_its_escape(tmp_path):
    file = tmp_path / "wf.yaml"
    file.write_text(ONE, "utf-8")
    told = apart("run", str(file), "--dry-run", PYTHONIOENCODING="ascii")

    assert (told.returncode, told.stdout, told.stderr) == (
        0,
        b"\\u25f7 one  container main\n",
        b"",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"p", b"a parameter is NAME=VALUE, not 'p'"),
        (b"=v", b"a parameter is NAME=VALUE, not '=v'"),
        (b"p=\xff", b"the parameter 'p' holds bytes that are not UTF-8"),
    ],
)
def test_a_parameter_that_cannot_be_one_is_refused(tmp_path, given, said):
    file = tmp_path / "wf.yaml"
    file.write_text(ONE, "utf-8")
    told = apart("run", str(file), "--dry-run", "-p", given)

    assert (told.returncode, told.stdout, told.stderr[-len(said) - 1 :]) == (2, b"", said + b"\n")


def test_a_reader_that_has_seen_enough_is_no_failure():
    with subprocess.Popen(
        [sys.executable, "-m", "gitwf", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_command_whose_output_is_closed_does_its_work(tmp_path, form):
    file = tmp_path / "wf.yaml"
    file.write_text(ONE, "utf-8")
    command = [sys.executable, "-m", "gitwf", "run", str(file), "-o", form]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        capture_output=True, check=False, env={**os.environ, "GITWF_ISOLATION": "none"},
    )  # fmt: skip

    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
