"""Output parameters and artifacts: what is brought out of a step, and what is put into one."""

import pathlib

import pytest

from gitwf.adapters.local import artifacts, folder
from gitwf.errors import Stalled
from gitwf.values import Digest
from gitwf.workflow import record


def test_output_parameters_are_files_less_one_newline(local, written, place):
    ran = local.run(
        written(
            f"mkdir -p {place}; printf 'a\\n' > {place}/one; printf '\\n x\\n\\n' > {place}/many;"
            f" : > {place}/empty",
            f"""
    outputs:
      parameters:
      - {{name: one, valueFrom: {{path: {place}/one}}}}
      - {{name: many, valueFrom: {{path: {place}/many}}}}
      - {{name: empty, valueFrom: {{path: {place}/empty, default: unused}}}}
      - {{name: none, valueFrom: {{path: {place}/none, default: dflt}}}}
""",
        )
    )

    expected = {"one": "a", "many": "\n x\n", "empty": "", "none": "dflt"}
    assert dict(ran["wf"].outputs.parameters) == expected


def test_each_byte_that_is_no_text_is_replaced(local, written, place):
    made = f"mkdir -p {place}; printf 'a\\342\\202b\\377\\376' > {place}/one"
    declared = f"    outputs: {{parameters: [{{name: one, valueFrom: {{path: {place}/one}}}}]}}"
    ran = local.run(written(made, declared))

    assert dict(ran["wf"].outputs.parameters) == {"one": "a\ufffd\ufffdb\ufffd\ufffd"}


def test_an_output_parameter_may_have_its_value_in_the_document(local):
    ran = local.run("""
  templates:
  - name: main
    container: {image: none, command: ["true"]}
    outputs: {parameters: [{name: p, value: "{{workflow.name}}"}]}
""")

    assert dict(ran["wf"].outputs.parameters) == {"p": "wf"}


def test_a_missing_output_parameter_is_an_error_of_the_wait_container(local, written, place):
    ran = local.run(
        written(
            "echo nothing",
            f"    outputs: {{parameters: [{{name: p, valueFrom: {{path: {place}/p}}}}]}}",
        )
    )

    why = f"open /var/run/argo/outputs/parameters{place}/p: no such file or directory"
    expected = ("Error", f"wait: Error (exit code 64): {why}")
    assert (ran["wf"].phase, ran["wf"].message) == expected
    assert ran["wf"].outputs.exit_code == "0"
    assert ran.text == "nothing\n"


def test_a_missing_output_is_told_by_the_shortest_path_to_it(local, written, place):
    declared = f"    outputs: {{parameters: [{{name: p, valueFrom: {{path: {place}//p}}}}]}}"
    ran = local.run(written("true", declared), "parameter")
    assert ran["wf"].message.endswith(f"/outputs/parameters{place}/p: no such file or directory")

    declared = f"    outputs: {{artifacts: [{{name: a, path: {place}/a/}}]}}"
    ran = local.run(written("true", declared), "artifact")
    assert f"/outputs/artifacts{place}/a.tgz: no such file" in ran["wf"].message


@pytest.mark.parametrize("code", [0, 9])
def test_a_folder_for_an_output_parameter_is_a_failure_of_main_and_ends_the_saving(
    local, written, place, code
):
    ran = local.run(
        written(
            f"mkdir -p {place}/p; echo 1 > {place}/a; echo 2 > {place}/z; exit {code}",
            f"""
    outputs:
      parameters:
      - {{name: a, valueFrom: {{path: {place}/a}}}}
      - {{name: p, valueFrom: {{path: {place}/p, default: unused}}}}
      - {{name: z, valueFrom: {{path: {place}/z, default: late}}}}
      artifacts:
      - {{name: z, path: {place}/z}}
""",
        )
    )

    to = f"/var/run/argo/outputs/parameters/{place}/p"
    why = f"failed to copy {place}/p to {to}: write {to}: copy_file_range: is a directory"
    assert (ran["wf"].phase, ran["wf"].message) == ("Failed", f"main: Error (exit code 64): {why}")
    assert ran["wf"].outputs.exit_code == "64"
    assert dict(ran["wf"].outputs.parameters) == {"a": "1", "p": "", "z": "late"}
    assert dict(ran["wf"].outputs.artifacts) == {}
    assert ran.text == f"Error: {why}\n{why}\n"


def test_outputs_are_saved_after_a_failure_and_the_failure_goes_first(local, written, place):
    ran = local.run(
        written(
            f"mkdir -p {place}; echo partial > {place}/p; exit 9",
            f"""
    outputs:
      parameters:
      - {{name: p, valueFrom: {{path: {place}/p}}}}
      - {{name: gone, valueFrom: {{path: {place}/gone}}}}
""",
        )
    )

    assert ran["wf"].message == "main: Error (exit code 9)"
    assert ran["wf"].outputs.parameters["p"] == "partial"


def test_a_missing_output_artifact_is_an_error_and_an_optional_one_is_not(local, written, place):
    outputs = f"""
    outputs:
      artifacts:
      - {{name: maybe, path: {place}/maybe, optional: true}}
      - {{name: needed, path: {place}/needed}}
"""
    ran = local.run(written("true", outputs))

    why = f"open /var/run/argo/outputs/artifacts{place}/needed.tgz: no such file or directory; "
    assert ran["wf"].message == f"wait: Error (exit code 64): {why}"
    assert ran["wf"].phase == "Error"
    assert dict(ran["wf"].outputs.artifacts) == {}


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (
            "parameters: [{name: p, valueFrom: {path: PLACE/in/p}}]",
            "open /mainctrfsPLACE/in/p: no such file or directory",
        ),
        (
            "artifacts: [{name: a, path: PLACE/in/a}]",
            "stat /mainctrfsPLACE/in/a: no such file or directory; ",
        ),
        (
            "artifacts: [{name: a, path: PLACE/in/a, archive: {none: {}}}]",
            "PLACE/in/a no such file or directory; ",
        ),
    ],
)
def test_an_output_missing_in_a_volume_is_told_by_where_the_wait_container_has_it(
    walled, written, place, output, why
):
    volume = f"""
    volumes: [{{name: v, emptyDir: {{}}}}]
    outputs: {{{output.replace("PLACE", str(place))}}}
"""
    document = written("true", volume).replace(
        "image: none\n", f"image: none\n      volumeMounts: [{{name: v, mountPath: {place}/in}}]\n"
    )
    assert "volumeMounts" in document
    ran = walled.run(document)

    told = why.replace("PLACE", str(place))
    assert (ran["wf"].phase, ran["wf"].message) == ("Error", f"wait: Error (exit code 64): {told}")


def test_a_default_loses_one_newline_as_a_file_does(local, written, place):
    output = f'{{name: p, valueFrom: {{path: {place}/p, default: "a\\n\\n"}}}}'
    ran = local.run(written("true", f"    outputs: {{parameters: [{output}]}}"))

    assert ran["wf"].outputs.parameters["p"] == "a\n"


@pytest.mark.parametrize(
    ("spec", "own", "kept"),
    [
        ("archiveLogs: true", "", ["main-logs"]),
        ("archiveLogs: true", "archiveLocation: {archiveLogs: false}", []),
        ("archiveLogs: true", "archiveLocation: {s3: {key: k}}", []),
        ("", "archiveLocation: {archiveLogs: true}", ["main-logs"]),
    ],
)
def test_what_a_pod_wrote_is_an_artifact_where_logs_are_archived(local, spec, own, kept):
    ran = local.run(f"""
  {spec}
  templates:
  - name: main
    {own}
    container: {{image: none, command: [sh, -c, "echo out; echo err >&2; exit 3"]}}
""")

    assert sorted(ran["wf"].outputs.artifacts) == kept
    text = "out\nerr\n"
    assert ran.text == f"{text}Error: exit status 3\n"
    stored = [path.read_text("utf-8") for path in (local.state / "runs").rglob("main-logs")]
    assert stored == [text] * len(kept)


PASSING = """
  templates:
  - name: main
    steps:
    - - {{name: w, template: w}}
    - - {{name: r, template: r, arguments: {{artifacts: [
          {{name: in, from: "{{{{steps.w.outputs.artifacts.out}}}}"{sub}}}]}}}}
  - name: w
    container: {{image: none, command: [sh, -c, "{make}"]}}
    outputs: {{artifacts: [{{name: out, path: {place}/out, globalName: kept, archive: {archive}}}]}}
  - name: r
    inputs: {{artifacts: [{{name: in, path: {place}/in/here{mode}}}]}}
    container: {{image: none, command: [sh, -c, "{read}"]}}
"""


def passing(place, make, read, archive="{none: {}}", mode="", sub=""):
    return PASSING.format(place=place, make=make, read=read, archive=archive, mode=mode, sub=sub)


@pytest.mark.parametrize(
    ("archive", "file", "mode"),
    [
        ("{tar: {}}", "here", "750"),
        ("{none: {}}", "here", "600"),
        ("{zip: {}}", "here/argo/outputs/artifacts/out", "666"),
    ],
)
def test_a_file_goes_from_step_to_step_as_its_archive_holds_it(local, place, archive, file, mode):
    make = f"mkdir -p {place}; printf 'alpha' > {place}/out; chmod 750 {place}/out"
    read = f"cd {place}/in && stat -c %a {file} && cat {file}"
    ran = local.run(passing(place, make, read, archive))

    assert ran.record.message == ""
    assert ran.text == f"{mode}\nalpha\n"


@pytest.mark.parametrize(
    ("archive", "inside"),
    [
        ("{tar: {}}", ["750 ./a", "755 ./empty", "777 ./link", "755 ./sub", "640 ./sub/b"]),
        ("{none: {}}", ["600 ./a", "700 ./sub", "600 ./sub/b"]),
        ("{zip: {}}", ["666 ./a", "666 ./link", "755 ./sub", "666 ./sub/b"]),
    ],
)
def test_a_folder_goes_from_step_to_step_as_its_archive_holds_it(local, place, archive, inside):
    make = (
        f"mkdir -p {place}/out/sub {place}/out/empty; cd {place}/out; echo 1 > a; echo 2 > sub/b; "
        "chmod 640 sub/b; chmod 750 a; chmod 700 sub; ln -s sub/b link"
    )
    read = f"cd {place}/in/here && cat sub/b && find . -mindepth 1 | sort | xargs stat -c '%a %n'"
    ran = local.run(passing(place, make, read, archive))

    assert ran.text.splitlines() == ["2", *inside]


@pytest.mark.parametrize("optional", ["true", "false"])
def test_a_zip_of_a_file_is_found_under_the_name_of_the_file_alone(local, written, place, optional):
    declared = f"{{name: a, path: {place}/o, archive: {{zip: {{}}}}, optional: {optional}}}"
    make = f"mkdir -p {place}; echo x > {place}/o"
    ran = local.run(written(make, f"    outputs: {{artifacts: [{declared}]}}"))

    why = "stat /tmp/argo/outputs/artifacts/a: no such file or directory; "
    expected = "" if optional == "true" else f"wait: Error (exit code 64): {why}"
    assert ran["wf"].message == expected
    assert not ran["wf"].outputs.artifacts


ILLEGAL = "illegal symlink target: out/sub/link -> ../../../elsewhere"


@pytest.mark.parametrize(
    ("archive", "node", "message"),
    [
        ("{tar: {}}", "wf[1].r", f"init: Error (exit code 64): {ILLEGAL}"),
        ("{none: {}}", "wf[0].w", f"wait: Error (exit code 64): {ILLEGAL}; "),
        ("{zip: {}}", "wf[0].w", f"wait: Error (exit code 64): {ILLEGAL}; "),
    ],
)
def test_a_folder_with_a_link_that_leads_out_cannot_be_unpacked(
    local, place, archive, node, message
):
    make = f"mkdir -p {place}/out/sub; ln -s ../../../elsewhere {place}/out/sub/link"
    ran = local.run(passing(place, make, "true", archive))

    assert (ran[node].phase, ran[node].message) == ("Error", message)


def test_a_folder_without_a_file_in_it_is_nothing_in_a_store(local, place):
    ran = local.run(passing(place, f"mkdir -p {place}/out/sub", "true"))

    why = "artifact in failed to load: The specified key does not exist."
    assert ran["wf[1].r"].message == f"init: Error (exit code 64): {why}"


def test_the_mode_of_an_input_is_what_the_template_says(local, place):
    make = f"mkdir -p {place}; echo x > {place}/out"
    ran = local.run(passing(place, make, f"stat -c %a {place}/in/here", mode=", mode: 0640"))

    assert ran.text == "640\n"


def test_a_sub_path_picks_from_a_folder(local, place):
    make = f"mkdir -p {place}/out/sub; echo picked > {place}/out/sub/b"
    read = f"cat {place}/in/here"
    ran = local.run(passing(place, make, read, "{none: {}}", sub=", subPath: sub/b"))

    assert ran.text == "picked\n"


def test_a_step_that_writes_to_its_input_changes_nobody_elses(local, place):
    ran = local.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: w, template: w}}
    - - {{name: a, template: r, arguments: {{artifacts: [
          {{name: in, from: "{{{{steps.w.outputs.artifacts.out}}}}"}}]}}}}
    - - {{name: b, template: r, arguments: {{artifacts: [
          {{name: in, from: "{{{{steps.w.outputs.artifacts.out}}}}"}}]}}}}
  - name: w
    container: {{image: none, command: [sh, -c, "mkdir -p {place}; echo one > {place}/out"]}}
    outputs: {{artifacts: [{{name: out, path: {place}/out}}]}}
  - name: r
    inputs: {{artifacts: [{{name: in, path: {place}/in}}]}}
    container: {{image: none, command: [sh, -c, "cat {place}/in; echo more >> {place}/in"]}}
""")

    assert ran.text == "one\none\n"


def test_a_link_out_of_an_output_folder_shows_the_reader_nothing_of_the_host(walled, place):
    secret = walled.folder / "secret"
    secret.write_text("the host's\n", "utf-8")
    make = f"mkdir -p {place}/out; ln -s {secret} {place}/out/leak; ln -s leak {place}/out/to"
    read = f"cat {place}/in/here/*"
    for number, archive in enumerate(["{tar: {}}", "{none: {}}", "{zip: {}}"]):
        ran = walled.run(passing(place, make, read, archive), f"run-{number}")
        assert "the host's" not in ran.text


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_raw_input_is_a_file_with_that_content(local, place, written, slash):
    ran = local.run(
        written(
            f"cat {place}/card.json",
            f"""
    inputs:
      artifacts:
      - {{name: card, path: {place}/card.json{slash}, raw: {{data: '{{"who": "Zoe"}}'}}}}
      - {{name: maybe, path: {place}/maybe, optional: true}}
""",
        )
    )

    assert ran.text == '{"who": "Zoe"}\n'


def test_the_source_is_found_at_its_path_and_writing_to_it_changes_nothing(
    local, place, tmp_path, written
):
    code = tmp_path / "code"
    (code / "sub").mkdir(parents=True)
    (code / "sub" / "train.py").write_text("print('trained')\n", "utf-8")
    ran = local.run(
        written(
            f"python3 {place}/src/sub/train.py; echo new > {place}/src/new; rm -r {place}/src/sub",
            f"    inputs: {{artifacts: [{{name: source, path: {place}/src}}]}}",
        ),
        source=code,
    )

    assert (ran.text, ran["wf"].message) == ("trained\n", "")
    assert sorted(path.name for path in code.rglob("*")) == ["sub", "train.py"]


def test_a_global_artifact_is_copied_out_with_its_digest(local, place, tmp_path):
    make = f"mkdir -p {place}; printf model > {place}/out"
    local.run(passing(place, make, "true"))
    to = tmp_path / "model.json"

    assert local.engine.artifact("run", "kept", to) == Digest.of(b"model")
    assert to.read_bytes() == b"model"
    with pytest.raises(Stalled, match="has no global artifact 'other'"):
        local.engine.artifact("run", "other", to)


def test_a_folder_is_no_model(local, place, tmp_path):
    local.run(passing(place, f"mkdir -p {place}/out; touch {place}/out/part", "true"))

    with pytest.raises(Stalled, match="not one file"):
        local.engine.artifact("run", "kept", tmp_path / "model")


def test_what_a_run_keeps_is_for_its_user_alone(local, written):
    local.run(written("true"))

    assert (local.state / "runs" / "run").stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_where_a_step_without_isolation_had_its_files(bare, place):
    make = f"mkdir -p {place}; echo x > {place}/out"
    bare.run(passing(place, make, "true"))
    bare.engine.close()

    assert [path for path in place.rglob("*") if path.is_file()] == []
    assert not (bare.state / "runs" / "run" / "work").exists()


def test_an_output_inside_a_big_file_is_copied_whole(local, written, place, tmp_path):
    size = 40 * 1024 * 1024 + 7
    ran = local.run(
        written(
            f"mkdir -p {place}; head -c {size} /dev/urandom > {place}/big; sha256sum < {place}/big",
            f"    outputs: {{artifacts: [{{name: big, path: {place}/big, globalName: big}}]}}",
        )
    )
    to = tmp_path / "big"

    digest = local.engine.artifact("run", "big", to)
    assert ran.text.split()[0] == digest.hex
    assert pathlib.Path(to).stat().st_size == size


KEYED = """
  templates:
  - name: main
    dag:
      tasks:
      - {{name: a, template: puts}}
      - {{name: b, template: gets, depends: a}}
  - name: puts
    container: {{image: none, command: [sh, -c, "mkdir -p {place}/d; echo text > {place}/d/f"]}}
    outputs: {{artifacts: [{{name: o, path: {place}/d, archive: {{none: {{}}}}, s3: {{key: "k/{{{{workflow.name}}}}"}}}}]}}
  - name: gets
    inputs: {{artifacts: [{{name: i, path: {place}/i, optional: {optional}, s3: {{key: "{key}"}}}}]}}
    container: {{image: none, command: [sh, -c, "cat {place}/i || echo nothing"]}}
"""


@pytest.mark.parametrize("key", ["k/{{workflow.name}}/f", "k/wf/f"])
def test_what_a_step_puts_at_a_key_another_gets_from_it(local, place, key):
    ran = local.run(KEYED.format(place=place, key=key, optional="false"))

    assert ran.log["wf.b"] == "text\n"
    assert ran["wf.b"].input_artifacts == ("i",)


SPREAD = """
  templates:
  - name: main
    steps:
    - - {{name: a, template: puts, arguments: {{parameters: [{{name: 'n', value: a}}]}}}}
    - - {{name: b, template: puts, arguments: {{parameters: [{{name: 'n', value: b}}]}}}}
    - - {{name: get, template: gets}}
  - name: puts
    inputs: {{parameters: [{{name: 'n'}}]}}
    container: {{image: none, command: [sh, -c, "mkdir -p {place}; echo {{{{inputs.parameters.n}}}} > {place}/o"]}}
    outputs: {{artifacts: [{{name: o, path: {place}/o, s3: {{key: "all//parts/{{{{inputs.parameters.n}}}}"}}}}]}}
  - name: gets
    inputs: {{artifacts: [{{name: i, path: {place}/i, s3: {{key: "{key}"}}}}]}}
    container: {{image: none, command: [sh, -c, "cd {place}/i && find . -type f | sort | xargs tail -n +1"]}}
"""


@pytest.mark.parametrize(("key", "inside"), [("all/parts", "."), ("all/", "./parts")])
def test_a_step_gets_all_that_steps_put_below_a_key(local, place, key, inside):
    ran = local.run(SPREAD.format(place=place, key=key))

    assert ran.log["wf[2].get"] == f"==> {inside}/a <==\na\n\n==> {inside}/b <==\nb\n"


NO_KEY = "init: Error (exit code 64): artifact i failed to load: The specified key does not exist."


@pytest.mark.parametrize(
    ("archive", "below", "message"),
    [
        ("{none: {}}", "f", ""),
        ("{none: {}}", "g", NO_KEY),
        ("{tar: {}}", "f", NO_KEY),
        ("", "f", NO_KEY),
    ],
)
def test_only_in_a_folder_that_is_not_packed_lies_something(local, place, archive, below, message):
    """Argo stores a packed artifact as one object: no key below it exists (Argo: AppendToKey)."""
    packed = f", archive: {archive}" if archive else ""
    ran = local.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: a, template: puts}}
    - - name: b
        template: gets
        arguments: {{artifacts: [{{name: i, from: "{{{{steps.a.outputs.artifacts.o}}}}", subPath: {below}}}]}}
  - name: puts
    container: {{image: none, command: [sh, -c, "mkdir -p {place}/d; echo text > {place}/d/f"]}}
    outputs: {{artifacts: [{{name: o, path: {place}/d{packed}}}]}}
  - name: gets
    inputs: {{artifacts: [{{name: i, path: {place}/i}}]}}
    container: {{image: none, command: [cat, {place}/i]}}
""")
    assert ran["wf[1].b"].message == message
    assert str(ran["wf[1].b"].phase) == ("Error" if message else "Succeeded")


def test_a_key_at_which_nothing_was_put_is_an_error_unless_optional(local, place):
    ran = local.run(KEYED.format(place=place, key="other", optional="false"))
    assert ran["wf.b"].phase == "Error"
    assert ran["wf.b"].message == NO_KEY

    ran = local.run(KEYED.format(place=place, key="other", optional="true"), "again")
    assert ran["wf.b"].phase == "Succeeded"
    assert "s a directory" in ran.log["wf.b"].lower()


@pytest.mark.parametrize("text", ["w-1\nmodel", '["m", "w-1", "model", false]', '["m", {"at": 1}]'])
def test_a_note_of_another_version_about_a_key_is_told_in_plain_words(tmp_path, text):
    run = folder.RunFolder(tmp_path)
    run.keys.mkdir()
    run.keyed("m").write_text(text)

    with pytest.raises(Stalled, match="noted by another version of gitwf: begin a new run"):
        artifacts.at_key(run, record.ArtifactLocation("a", key="m"))


def test_what_a_caller_hands_in_is_as_optional_as_where_it_comes_from(local, place):
    """Argo: workflow/common/util.go, ProcessArgs: the argument takes the input's place."""
    ran = local.run(f"""
  templates:
  - name: main
    dag: {{tasks: [{{name: a, template: gets, arguments: {{artifacts: [{{name: i, s3: {{key: k}}}}]}}}}]}}
  - name: gets
    inputs: {{artifacts: [{{name: i, path: {place}/i, optional: true}}]}}
    container: {{image: none, command: ["true"]}}
""")

    assert ran["wf.a"].message == NO_KEY


@pytest.mark.parametrize(("recurse", "mode"), [("true", "750\n"), ("false", "640\n")])
def test_a_mode_is_for_the_artifact_or_for_all_that_is_in_it(local, place, recurse, mode):
    ran = local.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: a, template: puts}}
    - - name: b
        template: gets
        arguments: {{artifacts: [{{name: i, from: "{{{{steps.a.outputs.artifacts.o}}}}"}}]}}
  - name: puts
    container:
      image: none
      command: [sh, -c, "mkdir -p {place}/d; echo x > {place}/d/f; chmod 640 {place}/d/f"]
    outputs: {{artifacts: [{{name: o, path: {place}/d}}]}}
  - name: gets
    inputs: {{artifacts: [{{name: i, path: {place}/i, mode: 0750, recurseMode: {recurse}}}]}}
    container: {{image: none, command: [stat, -c, "%a", {place}/i/f]}}
""")

    assert ran.log["wf[1].b"] == mode
