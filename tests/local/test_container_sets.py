"""Several containers in one pod, on every rung: their order, what they share, how they fail."""

import pytest

from gitwf.adapters.local import engines
from gitwf.errors import Rejected
from tests import waiting

SET = """
  templates:
  - name: main
    {more}
    volumes: [{{name: ws, emptyDir: {{}}}}]
    containerSet:
      volumeMounts: [{{name: ws, mountPath: {place}}}]
      {retry}
      containers:
{containers}
"""


def a_set(place, *containers, more="{}", retry="{}"):
    """Write a workflow of one set down: each container is a name, a shell line, dependencies."""
    lines = "\n".join(
        f"      - {{name: {name}, image: none, command: [sh, -c], args: ['{line}'],"
        f" dependencies: [{', '.join(after)}]}}"
        for name, line, *after in containers
    )
    return SET.format(
        place=place,
        containers=lines,
        more="" if more == "{}" else more,
        retry="" if retry == "{}" else f"retryStrategy: {retry}",
    )


def phases(ran):
    return {node.display_name: str(node.phase) for node in ran.record.nodes.values()}


def test_a_graph_runs_in_the_order_of_its_dependencies(local, place):
    ran = local.run(
        a_set(
            place,
            ("d", f"cat {place}/b {place}/c", "b", "c"),
            ("a", f"echo a > {place}/a"),
            ("b", f"cat {place}/a > {place}/b; echo b >> {place}/b", "a"),
            ("c", f"cat {place}/a > {place}/c; echo c >> {place}/c", "a"),
        )
    )

    assert phases(ran) == dict.fromkeys(("wf", "a", "b", "c", "d"), "Succeeded")
    assert ran.log == {"wf.d": "a\nb\na\nc\n"}
    assert not place.exists()


def test_containers_without_dependencies_run_side_by_side(local, place):
    wait = "until test -e {p}/{other}; do sleep 0.01; done"
    ran = local.run(
        a_set(
            place,
            ("a", f"touch {place}/a; " + wait.format(p=place, other="b")),
            ("b", f"touch {place}/b; " + wait.format(p=place, other="a")),
        )
    )

    assert ran.record.phase == "Succeeded"


def test_each_container_has_its_own_files_but_for_the_volumes(local, place):
    ran = local.run(
        a_set(
            place,
            ("a", f"echo mine > ~/f; echo ours > {place}/f"),
            ("main", f"ls ~; cat {place}/f", "a"),
        )
    )

    assert ran.log == {"wf.main": "ours\n"}


OUTPUTS = """outputs:
      parameters:
      - {{name: shared, valueFrom: {{path: {place}/shared}}}}
      - {{name: own, valueFrom: {{path: {own}}}}}
      artifacts:
      - {{name: late, path: {place}/late}}
"""


def test_outputs_come_from_main_and_at_the_end_from_what_is_shared(local, place, tmp_path):
    own = tmp_path / "own"
    more = OUTPUTS.format(place=place, own=own)
    ran = local.run(
        a_set(
            place,
            ("main", f"echo 1 > {place}/shared; echo 2 > {own}"),
            ("after", f"echo late > {place}/late; echo 3 > {place}/shared", "main"),
            more=more,
        )
    )

    outputs = ran["wf"].outputs
    assert ran.record.message == ""
    assert outputs.parameters == {"shared": "3", "own": "2"}
    assert outputs.exit_code == "0"
    assert list(outputs.artifacts) == ["late"]
    kept = local.engine._state.run("run").artifact(ran["wf"].id, "late")
    assert kept.read_text("utf-8") == "late\n"


def test_an_output_that_main_does_not_make_is_an_error_of_the_pod_alone(local, place):
    more = f"outputs: {{parameters: [{{name: 'n', valueFrom: {{path: {place}/n}}}}]}}"
    ran = local.run(a_set(place, ("main", "true"), more=more))

    assert phases(ran) == {"wf": "Error", "main": "Succeeded"}
    assert ran["wf"].message == (
        f"wait: Error (exit code 64): open /mainctrfs{place}/n: no such file or directory"
    )


def test_the_result_is_what_main_writes(local, place):
    text = a_set(place, ("a", "echo not this"), ("main", "echo this", "a"))
    text = text.replace("name: main\n", "name: work\n").replace(
        "  templates:\n",
        """  templates:
  - name: main
    steps:
    - - {name: one, template: work}
    - - {name: two, template: say, arguments: {parameters: [{name: x, value: '{{steps.one.outputs.result}}'}]}}
  - name: say
    inputs: {parameters: [{name: x}]}
    container: {image: none, command: [echo, 'got {{inputs.parameters.x}}']}
""",
    )
    ran = local.run(text)

    assert ran.record.phase == "Succeeded"
    assert ran["[0].one"].outputs.result == "this"
    assert ran["[1].two"].outputs.exit_code == "0"
    assert ran.log["wf[1].two"] == "got this\n"


def test_an_input_artifact_in_a_shared_volume_is_there_for_all_and_another_for_main(
    local, place, tmp_path
):
    own = tmp_path / "in"
    more = f"""inputs:
      artifacts:
      - {{name: shared, path: {place}/deep/in, raw: {{data: both}}}}
      - {{name: own, path: {own}, raw: {{data: main}}}}
"""
    see = f"cat {place}/deep/in; test -e {own} && cat {own}; echo"
    ran = local.run(a_set(place, ("a", see), ("main", see, "a"), more=more))

    assert ran.log == {"wf.a": "both\n", "wf.main": "bothmain\n"}


def test_what_depends_on_a_failure_does_not_run(local, place):
    ran = local.run(
        a_set(place, ("z", "exit 5"), ("b", "echo never", "z"), ("c", "echo never", "b"))
    )

    assert phases(ran) == {"wf": "Failed", "z": "Failed", "b": "Error", "c": "Error"}
    # Of several failures the pod tells of the one whose name comes first.
    why = 'b: Error (exit code 64): dependency "z" exited with non-zero code: 5'
    assert ran.record.message == why
    assert ran["wf.c"].message == (
        'c: Error (exit code 64): dependency "b" exited with non-zero code: 5'
    )
    assert "never" not in ran.text


def test_what_depends_on_a_program_that_is_not_there_runs_if_that_waited_for_another(local, place):
    """Argo's emissary has noted the success that it waited for, and looks for the program after."""
    text = a_set(place, ("a", "true"), ("b", "true", "a"), ("c", "echo ran", "b"))
    of_b = "name: b, image: none, command: "
    ran = local.run(text.replace(f"{of_b}[sh, -c]", f"{of_b}[nowhere]"))

    assert phases(ran) == {"wf": "Failed", "a": "Succeeded", "b": "Error", "c": "Succeeded"}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Error")])
@pytest.mark.parametrize("before", [(), ("first",)])
def test_what_depends_on_main_goes_by_its_program_and_not_by_its_outputs(
    local, place, tmp_path, before, code, phase
):
    own = tmp_path / "own"
    more = f"outputs: {{parameters: [{{name: 'n', valueFrom: {{path: {own}}}}}]}}"
    ran = local.run(
        a_set(
            place,
            ("first", "true"),
            ("main", f"mkdir {own}; exit {code}", *before),
            ("after", "echo on", "main"),
            more=more,
        )
    )

    assert phases(ran) == {"wf": "Failed", "first": "Succeeded", "main": "Error", "after": phase}
    assert ran["wf"].message.endswith("is a directory" if code == 0 else f"non-zero code: {code}")


def test_what_runs_beside_a_failure_is_ended(local, place):
    ran = local.run(a_set(place, ("a", "exit 5"), ("b", "exec sleep 1000")))

    assert phases(ran) == {"wf": "Failed", "a": "Failed", "b": "Failed"}
    # Process 1 of a container of its own has no answer to SIGTERM, once it has begun.
    codes = {137, 143} if local.rung in engines.CHOICES else {143}
    assert ran["wf.b"].message in {f"b: Error (exit code {code}): " for code in codes}
    assert ran.record.message == "a: Error (exit code 5)"


@pytest.mark.parametrize(
    ("retries", "phase", "tries"),
    [(3, "Succeeded", "..."), (2, "Failed", ".."), ("0", "Failed", ".")],
)
def test_a_container_is_tried_again_in_its_own_files(local, place, retries, phase, tries):
    line = f"printf . | tee -a {place}/n ~/n; echo; test $(wc -c < ~/n) = 3"
    ran = local.run(a_set(place, ("main", line), retry=f"{{retries: {retries}, duration: 20ms}}"))

    assert ran.record.phase == phase
    assert ran.text.replace("\n", "").removesuffix("Error: exit status 1") == tries


@pytest.mark.parametrize(
    ("duration", "why"),
    [
        ("soon", 'time: invalid duration "soon"'),
        ("-1s", "duration has to be positive, current duration: -1s"),
    ],
)
def test_a_time_between_tries_that_is_none_is_said(bare, place, duration, why):
    ran = bare.run(a_set(place, ("main", "true"), retry=f"{{retries: 2, duration: {duration}}}"))

    assert phases(ran) == {"wf": "Error", "main": "Error"}
    assert ran.record.message == f"failed to get retry strategy: {why}"


def test_a_set_that_is_stopped_ends_every_container(local, place):
    local.start(
        a_set(
            place,
            ("a", "echo on; exec sleep 1000"),
            ("b", "echo never", "a"),
            retry="{retries: 5}",
        )
    )
    waiting.until(lambda: any(local.engine.logs("run")))
    local.engine.cancel("run", "enough")
    ran = local.wait()

    assert phases(ran) == {"wf": "Failed", "a": "Failed", "b": "Failed"}
    # Process 1 of a container of its own has no answer to SIGTERM unless it says one; what only
    # waits for its turn has none of its own yet.
    code = 137 if local.rung in engines.CHOICES else 143
    assert ran["wf.a"].message == f"a: Error (exit code {code}): "
    assert ran["wf.b"].message == "b: Error (exit code 143): "
    assert ran["wf"].message == "enough"


def test_a_program_that_is_not_there_is_the_fault_of_its_container(local, place):
    text = a_set(place, ("a", "true"), ("main", "true")).replace(
        "{name: a, image: none, command: [sh, -c]",
        "{name: a, image: none, command: [nowhere-to-be]",
    )
    ran = local.run(text)

    assert phases(ran) == {"wf": "Failed", "a": "Error", "main": "Succeeded"}
    assert ran["wf.a"].message.startswith(
        'a: Error (exit code 64): failed to find name in PATH: exec: "nowhere-to-be"'
    )


def test_the_log_of_a_pod_is_that_of_its_containers(local, place):
    local.run(a_set(place, ("a", "echo 1"), ("b", "echo 2", "a")))

    assert [(one.node, one.text) for one in local.engine.logs("run", "wf")] == [
        ("wf.a", "1"),
        ("wf.b", "2"),
    ]
    assert [one.text for one in local.engine.logs("run", "wf.b")] == ["2"]


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        (
            [("a", "x", "c"), ("b", "x", "a"), ("c", "x", "b")],
            "18: templates.main.containerSet.containers dependency cycle detected: c->b->a->c",
        ),
        (
            [("a", "x", "a")],
            "16: templates.main.containerSet.containers dependency cycle detected: a->a",
        ),
    ],
)
def test_a_cycle_is_refused_at_its_line(place, containers, message, refusals):
    assert refusals(a_set(place, *containers)) == [message]


@pytest.mark.parametrize("name", ["wait", "init", "onExit"])
def test_a_name_that_argo_uses_itself_is_refused(place, name, refusals):
    (said,) = refusals(a_set(place, (name, "x")))

    assert f"containerSet.containers[0].name '{name}' is for " in said


def test_one_place_for_two_shared_volumes_is_refused(place, refusals):
    text = a_set(place, ("a", "x")).replace(
        f"[{{name: ws, mountPath: {place}}}]",
        f"[{{name: ws, mountPath: {place}}}, {{name: ws, mountPath: {place}}}]",
    )

    where = "13: templates.main.containerSet.volumeMounts[1].mountPath"
    assert refusals(text) == [f"{where} '{place}' already mounted in volumeMounts.ws"]


@pytest.fixture
def refusals():
    """What is said of a workflow before it runs: line and message."""
    from gitwf.workflow.document import load, resolve, validate
    from tests.local.conftest import HEAD

    def said(text):
        loaded = load.load({"wf.yaml": (HEAD + text).encode()})
        whole = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
        return [f"{one.line}: {one.message}" for one in validate.validate(whole)]

    return said


def test_a_secret_that_is_not_granted_is_refused_for_every_container(local, place):
    text = a_set(place, ("a", "x"), ("main", "x")).replace(
        "{name: main, image: none,",
        "{name: main, image: none, envFrom: [{secretRef: {name: key}}],",
    )
    with pytest.raises(Rejected, match="does not grant it the secret 'key'"):
        local.run(text)
