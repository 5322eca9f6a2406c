"""Commands, scripts, exit codes and logs, as Argo has them, on every rung."""

import pytest


def test_a_container_runs_its_command_with_its_args(local, written):
    ran = local.run(written("echo one; echo two"))

    assert (ran.record.phase, ran.record.message) == ("Succeeded", "")
    assert ran.log == {"wf": "one\ntwo\n"}
    assert ran["wf"].outputs.exit_code == "0"


def test_standard_output_and_error_go_to_one_log_in_order(hosted, written):
    ran = hosted.run(written("echo a; echo b >&2; echo c; echo d >&2"))

    assert ran.text == "a\nb\nc\nd\n"


def test_a_failing_step_says_its_exit_code_in_message_output_and_log(local, written):
    ran = local.run(written("echo so far; exit 9"))

    node = ran["wf"]
    assert (node.phase, node.message) == ("Failed", "main: Error (exit code 9)")
    assert node.outputs.exit_code == "9"
    assert ran.text == "so far\nError: exit status 9\n"


def test_a_step_that_dies_of_a_signal_has_128_more_than_its_number(hosted, written):
    ran = hosted.run(written("kill -9 $$$$"))

    assert ran["wf"].message == "main: Error (exit code 137)"
    assert ran.text == "Error: exit status 137\n"


@pytest.mark.parametrize("program", ["no-such-program", "sh -c"])
def test_a_program_that_is_not_on_the_path_is_exit_code_64_with_gos_words(local, program):
    ran = local.run(f"""
  templates:
  - name: main
    container: {{image: none, command: ["{program}"], args: [echo]}}
""")

    why = f'failed to find name in PATH: exec: "{program}": executable file not found in $PATH'
    assert (ran["wf"].phase, ran["wf"].message) == ("Failed", f"main: Error (exit code 64): {why}")
    assert ran["wf"].outputs.exit_code == "64"
    assert ran.text == f"Error: {why}\n{why}\n"


def test_a_program_named_by_a_path_that_is_not_there_says_so(local):
    ran = local.run("""
  templates:
  - name: main
    container: {image: none, command: [/no/such]}
""")

    assert 'exec: "/no/such": stat /no/such: no such file or directory' in ran["wf"].message


def test_a_folder_is_no_program(hosted):
    ran = hosted.run("""
  templates:
  - name: main
    container: {image: none, command: [/usr]}
""")

    assert ran["wf"].message.endswith('failed to find name in PATH: exec: "/usr": is a directory')


def test_a_file_that_cannot_be_executed_fails_as_a_step_does(hosted, tmp_path):
    ran = hosted.run(f"""
  templates:
  - name: main
    inputs: {{artifacts: [{{name: p, path: {tmp_path}/place/p, mode: 0755, raw: {{data: "\\0\\0"}}}}]}}
    container: {{image: none, command: [{tmp_path}/place/p]}}
""")

    why = f"failed to start command: fork/exec {tmp_path}/place/p: exec format error"
    assert ran["wf"].message == f"main: Error (exit code 64): {why}"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo boom; exit 3", "main: Error (exit code 3): boom\nError: exit status 3\n"),
        ("seq 1000; exit 3", "{79 lines}"),
        ("head -c 9000 /dev/zero | tr '\\\\0' x; exit 3", "{2048 bytes}"),
        ("echo fine", ""),
    ],
)
def test_the_end_of_a_log_is_the_message_of_a_failure_on_demand(local, command, message):
    ran = local.run(f"""
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "{command}"]
      terminationMessagePolicy: FallbackToLogsOnError
""")

    end = "Error: exit status 3\n"
    longer = {
        "{79 lines}": "".join(f"{number}\n" for number in range(922, 1001)) + end,
        "{2048 bytes}": "x" * (2048 - len(end)) + end,
    }
    expected = f"main: Error (exit code 3): {longer[message]}" if message in longer else message
    assert ran["wf"].message == expected


def test_a_script_is_an_executable_file_given_as_the_last_argument(local):
    ran = local.run("""
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      source: |
        test -x "$0" && echo executable
        wc -l < "$0"
        basename "$0"
""")

    assert ran.text == "executable\n3\nscript\n"


def test_a_script_without_source_is_its_command_alone(local):
    ran = local.run("""
  templates:
  - name: main
    script: {image: none, command: [echo, alone], source: ""}
""")

    assert ran.text == "alone\n"


def test_a_script_sees_its_path_where_argo_puts_it(walled):
    ran = walled.run("""
  templates:
  - name: main
    script: {image: none, command: [sh], source: echo $0}
""")

    assert ran.text == "/argo/staging/script\n"


def test_a_step_works_in_the_folder_it_asks_for(local, written, place):
    ran = local.run(written("pwd", f"      workingDir: {place}"))

    assert ran.text == f"{place}\n"


def test_a_step_without_a_folder_works_in_the_root_of_its_own_view(walled, written):
    ran = walled.run(written("pwd; echo x > result.txt && cat /result.txt"))

    assert ran.text.startswith("/\n")


def test_the_result_is_standard_output_less_one_newline(local):
    ran = local.run("""
  templates:
  - name: main
    steps:
    - - {name: p, template: p}
    - - {name: show, template: show, arguments: {parameters: [
          {name: r, value: "{{steps.p.outputs.result}}"}]}}
  - name: p
    container: {image: none, command: [sh, -c, "echo err >&2; printf '  lead\\\\n\\\\nmid\\\\n\\\\n'"]}
  - name: show
    inputs: {parameters: [{name: r}]}
    container: {image: none, command: [python3, -c, "import sys; print(repr(sys.argv[1]))",
      "{{inputs.parameters.r}}"]}
""")

    assert ran[".p"].outputs.result == "  lead\n\nmid\n"
    assert ran[".show"].outputs.result is None
    assert ran.log["wf[1].show"] == "'  lead\\n\\nmid\\n'\n"
    assert sorted(ran.log["wf[0].p"].splitlines()) == ["", "", "  lead", "err", "mid"]


def test_the_result_keeps_the_last_256_kib(local):
    ran = local.run(
        """
  templates:
  - name: main
    steps:
    - - {name: p, template: p}
    - - {name: s, template: s, when: "'{{steps.p.outputs.exitCode}}' == 'x{{steps.p.outputs.result}}'"}
  - name: p
    container: {image: none, command: [python3, -c, "print('a' * 10 + 'b' * 262144)"]}
  - name: s
    container: {image: none, command: ["true"]}
""".replace("{{steps.p.outputs.exitCode}}", "1")
    )

    assert ran[".p"].outputs.result == "b" * 262144
    assert len(ran.log["wf[0].p"]) == 262144 + 11


def test_what_a_step_leaves_in_the_background_ends_with_it(local, written, place):
    ran = local.run(written(f"mkdir -p {place}; (sleep 600; echo late) & echo done"))

    assert ran.text == "done\n"
    assert ran.record.finished.since(ran.record.started) < 600


@pytest.mark.parametrize("number", ["EAGAIN", "ENOMEM", "EMFILE"])
def test_a_machine_with_no_more_to_give_is_no_fault_of_the_step(number):
    import errno

    from gitwf.adapters.local import programs

    assert programs.exhausted(OSError(getattr(errno, number), "x"))
    assert not programs.exhausted(OSError(errno.ENOEXEC, "x"))
