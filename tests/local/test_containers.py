"""The rung that runs each step in a container of its image, by a real engine."""

import json
import pathlib

import pytest

from gitwf.adapters.local import box, container, engines, environment, ladder, limits
from gitwf.errors import Rejected, Stalled
from gitwf.workflow.document import containers
from tests import images

OWN = "localhost/gitwf-own:1"


def labelled(engine, run):
    found = images.call(
        engine, "ps", "--all", "--quiet", f"--filter=label={container.label_of(run)}"
    )
    return found.stdout.split()


@pytest.fixture
def run_folder(contained):
    return contained.state / "runs" / "run"


@pytest.fixture(scope="session")
def own(container_engine):
    """An image with a command, arguments, a folder, a variable and a user of its own."""
    made = images.call(container_engine, "create", images.IMAGE, "true").stdout.split()[-1].decode()
    config = (
        'ENTRYPOINT ["echo", "entry"]', 'CMD ["cmd"]', "WORKDIR /home", "ENV SAID=yes", "USER nobody"
    )  # fmt: skip
    changes = [f"--change={one}" for one in config]
    assert images.call(container_engine, "commit", *changes, made, OWN).returncode == 0
    images.call(container_engine, "rm", made)
    return OWN


def one(image, more):
    return f"  templates:\n  - name: main\n    container: {{image: '{image}', {more}}}\n"


pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("name: main", "entry cmd\n"),
        ("args: [a, b]", "entry a b\n"),
        ("args: []", "entry cmd\n"),
        ("command: [echo]", "\n"),
        ("command: [echo], args: [x]", "x\n"),
        ("command: [sh, -c, 'pwd; echo $SAID; id -u']", "/home\nyes\n65534\n"),
        ("command: [pwd], workingDir: /not/there", "/not/there\n"),
    ],
)
def test_what_a_document_does_not_say_is_the_images(contained, own, more, said):
    ran = contained.run(one(own, more))

    assert (ran.record.message, ran.text) == ("", said)


def test_a_script_without_a_command_is_given_to_the_images_own(contained, own):
    ran = contained.run(
        f"  templates:\n  - name: main\n    script: {{image: '{own}', source: x}}\n"
    )

    assert ran.text == "entry /argo/staging/script\n"


def test_an_image_without_a_command_makes_the_step_an_error(contained):
    ran = contained.run(one(images.IMAGE, "args: []"))

    assert ran["wf"].phase == "Error"
    assert "has no command of its own (write it down as `command`)" in ran["wf"].message


def test_a_container_without_an_image_is_refused_at_its_line(contained):
    with pytest.raises(Rejected, match=r"wf\.yaml:8:5: template 'main': it names no image"):
        contained.start("  templates:\n  - name: main\n    container: {command: [x]}\n")


def test_a_step_sees_only_the_variables_of_the_document_and_the_image(
    contained, written, monkeypatch
):
    monkeypatch.setenv("GITWF_TOKEN", "very-secret")
    monkeypatch.setenv("http_proxy", "http://localhost:1")
    ran = contained.run(
        written(
            "env | cut -d= -f1 | sort | tr '\\n' ' '", "      env: [{name: MINE, value: 'yes'}]"
        )
    )

    # The engine itself sets the last two; PWD, SHLVL and _ are the shell's own.
    found = set(ran.text.split()) - {"PWD", "OLDPWD", "SHLVL", "_", "TERM", "container"}
    argos = {"ARGO_CONTAINER_NAME", "ARGO_NODE_ID", "ARGO_PROGRESS_FILE", "HOSTNAME"}
    assert found == {"PATH", "HOME", "MINE", *argos}


def test_values_come_through_as_they_are_whatever_is_in_them(contained):
    values = {
        "A": "plain = value", "B": "two\nlines\n", "C": "it's \"quoted\"", "D": " blanks ",
        "E": "#not a comment", "PATH": "/bin:'x'", "G": "", "H": "a $PATH \\n",
    }  # fmt: skip
    listed = json.dumps([{"name": name, "value": value} for name, value in values.items()])
    program = "import os, json; print(json.dumps({k: os.environ[k] for k in 'ABCDEGH'}))"
    ran = contained.run(
        one("none", f"command: [python3, -c, {json.dumps(program)}], env: {listed}")
    )

    assert json.loads(ran.text) == {key: values[key] for key in "ABCDEGH"}
    assert not list(contained.state.rglob("variables"))


def test_streams_keep_their_own_order_and_a_killed_child_its_number(contained, written):
    ran = contained.run(written("echo a; echo b >&2; echo c; echo d >&2; sh -c 'kill -9 $$$$'"))

    lines = ran.text.splitlines()
    assert [one for one in lines if one in "ac"] == ["a", "c"]
    assert [one for one in lines if one in "bd"] == ["b", "d"]
    assert ran["wf"].message == "main: Error (exit code 137)"


@pytest.mark.parametrize(
    ("policy", "word"), [("", "ErrImagePull"), ("Always", "ErrImagePull"), ("Never", "Never")]
)
def test_an_image_that_cannot_be_had_is_an_error_in_the_engines_words(contained, policy, word):
    ran = contained.run(one("localhost:1/nothing:1", f"imagePullPolicy: '{policy}', command: [x]"))

    assert (ran.record.phase, ran["wf"].phase) == ("Error", "Error")
    assert word in ran["wf"].message
    if not policy:
        assert "refused" in ran["wf"].message
        assert "pull localhost:1/nothing:1` works here" in ran["wf"].message


def test_a_policy_that_does_not_exist_is_said(contained):
    ran = contained.run(one("none", "imagePullPolicy: Sometimes, command: [x]"))

    assert ran["wf"].message == "there is no imagePullPolicy 'Sometimes'"


def test_nothing_is_left_of_a_run_and_others_containers_are_not_touched(
    contained, container_engine, run_folder, written
):
    theirs = images.call(
        container_engine, "create", "--label=gitwf.run=another", images.IMAGE, "true"
    )
    other = theirs.stdout.split()[-1]
    try:
        contained.run(written("echo hello"))
        there = images.call(container_engine, "ps", "--all", "--quiet", "--no-trunc").stdout.split()
    finally:
        images.call(container_engine, "rm", other.decode())
    contained.engine.close()

    assert labelled(container_engine, run_folder) == []
    assert other in there
    assert not (run_folder / "engine").exists()


def test_a_step_that_takes_too_long_is_killed_with_its_container(
    contained, container_engine, run_folder
):
    ran = contained.run("""
  templates:
  - name: main
    activeDeadlineSeconds: 1
    container: {image: none, command: [sh, -c, "trap '' TERM; while true; do sleep 1; done"]}
""")

    contained.engine.close()
    assert ran["wf"].message == "Pod was active on the node longer than the specified deadline"
    assert labelled(container_engine, run_folder) == []


def test_what_an_output_leads_to_is_looked_for_in_the_container(contained, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    ran = contained.run(f"""
  volumes: [{{name: v, emptyDir: {{}}}}]
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "ln -s {secret} /v/out"]
      volumeMounts: [{{name: v, mountPath: /v}}]
    outputs: {{parameters: [{{name: o, valueFrom: {{path: /v/out}}}}]}}
""")

    assert ran["wf"].phase == "Error"
    assert "no such file or directory" in ran["wf"].message
    assert not ran["wf"].outputs.parameters


def test_a_pipe_is_no_output(contained, written):
    ran = contained.run(
        written("mkfifo /tmp/out", "    outputs: {artifacts: [{name: a, path: /tmp/out}]}")
    )

    assert ran["wf"].phase == "Error"


def test_a_step_of_another_user_writes_to_volumes(contained, own):
    ran = contained.run(f"""
  volumes: [{{name: v, emptyDir: {{}}}}]
  volumeClaimTemplates: [{{metadata: {{name: w}}}}]
  templates:
  - name: main
    container:
      image: {own}
      command: [sh, -c, "echo x > /v/x && echo y > /w/y && cat /v/x /w/y"]
      volumeMounts: [{{name: v, mountPath: /v}}, {{name: w, mountPath: /w}}]
""")

    assert ran.text == "x\ny\n"


def test_a_memory_limit_is_kept(contained):
    ran = contained.run("""
  templates:
  - name: main
    container:
      image: none
      command: [python3, -c, "x = bytearray(300 << 20)"]
      resources: {limits: {memory: 40Mi, cpu: 500m}}
""")

    assert ran["wf"].message == "main: OOMKilled (exit code 137)"


def test_a_step_is_not_privileged(contained, written):
    ran = contained.run(written("mount -t tmpfs none /tmp 2>/dev/null || echo no mount"))

    assert ran.text == "no mount\n"


def test_the_engine_says_that_steps_run_in_their_images(contained):
    said = contained.engine.describe()

    assert said.startswith(
        f"isolation {contained.rung}: each step runs in a container of its image"
    )
    assert "ignored" not in said


def test_the_first_engine_that_answers_is_taken(container_engine):
    assert ladder.choose("container") == pathlib.Path(engines.find("container").program).name
    assert ladder.choose(pathlib.Path(container_engine.program).name) in engines.NAMES


def test_an_engine_that_is_not_there_or_does_not_answer_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "_found", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stalled, match="neither podman nor docker answers on this machine"):
        ladder.choose("container")
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(Stalled, match="docker does not answer on this machine"):
        ladder.choose("docker")


def test_a_run_with_containers_of_an_engine_that_is_gone_does_not_go_on(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "_found", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "engine").write_text("podman")

    with pytest.raises(Stalled, match="podman holds containers of this run"):
        container.clear(tmp_path)
    container.clear(tmp_path / "other")


def test_no_container_is_started_unless_asked_for(monkeypatch):
    monkeypatch.setattr(ladder, "works", lambda name: name in engines.CHOICES)

    assert ladder.choose("auto") == "none"


def test_docker_may_be_podman_under_another_name(tmp_path):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho podman version 4.3.1\n")
    program.chmod(0o755)

    assert engines._spoken("docker", str(program)) == "podman"


def test_a_steps_variables_do_not_reach_programs_of_this_machine(tmp_path):
    env = {"LD_PRELOAD": "/x 'y'", "DOCKER_HOST": "a\nb", "KEY": "a\nb", "PLAIN": "x"}
    words, through = engines._variables(env, tmp_path / "env")

    assert through == {"KEY": "a\nb"}
    assert f"--env-file={tmp_path / 'env'}" in words
    assert (tmp_path / "env").read_text() == "PLAIN=x\n"
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [("40Mi", 40 << 20), ("1G", 10**9), (1024, 1024), ("1.5Ki", 1536), ("1e3", 1000), (None, 0)],
)
def test_limits_are_read_as_kubernetes_reads_them(written, bytes_):
    assert limits.quantity("memory", written) == bytes_


def test_limits_that_are_no_quantities_are_said():
    made = containers.Container.model_validate({"resources": {"limits": {"cpu": "some"}}})
    with pytest.raises(environment.Unavailable, match="the limit cpu is no quantity: 'some'"):
        limits.of(made)


def test_a_mount_whose_name_has_commas_is_quoted(tmp_path):
    mount = box.Mount("/a,b", tmp_path, box.Kind.READ)

    assert container._mount(mount) == f'--mount=type=bind,source={tmp_path},"target=/a,b",readonly'


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('x: exec: "no": executable file not found in $PATH: y', 'exec: "no": executable file not found in $PATH'),
        ('exec: "/no": stat /no: no such file or directory', 'exec: "/no": stat /no: no such file or directory'),
        ("crun: executable file `no` not found in $PATH: No", 'exec: "no": executable file not found in $PATH'),
        ("crun: executable file `/no` not found: No such", 'exec: "/no": stat /no: no such file or directory'),
    ],
)  # fmt: skip
def test_every_runtime_is_understood_when_it_finds_no_program(words, told):
    found = container._NOT_FOUND.search(words)

    assert found is not None
    assert container._told(found) == told


def test_only_what_an_engine_complains_about_is_told():
    said = b"Trying to pull x...\nError: initializing source: refused\n"

    assert engines.said(said) == "initializing source: refused"
    assert engines.said(b"") == "it gave no reason"


def test_the_programs_words_are_not_asked_of_a_shell(contained):
    ran = contained.run(one("none", "command: [echo, '$(id); `id`']"))

    assert ran.text == "$(id); `id`\n"
