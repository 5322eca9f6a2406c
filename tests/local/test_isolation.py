"""What a step cannot see or change, by rung."""

import dataclasses
import os
import pathlib
import subprocess

import filelock
import pytest

from gitwf.adapters.local import box, ladder, sandbox
from gitwf.errors import Stalled


def test_a_step_sees_no_state_folder(walled, written):
    ran = walled.run(written(f"ls -A {walled.state} 2>&1; echo end"))

    assert "runs" not in ran.text
    assert ran.text.endswith("end\n")


def test_a_step_sees_no_other_processes(walled, written):
    ran = walled.run(
        written("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo; ls -d /proc/[0-9]* | wc -l")
    )

    assert str(os.getpid()) not in ran.text
    assert "pytest" not in ran.text
    assert int(ran.text.split()[-1]) < 6


def test_a_step_cannot_read_the_variables_of_gitwf(walled, written, monkeypatch):
    monkeypatch.setenv("GITWF_TOKEN", "very-secret-token")
    ran = walled.run(written("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"))

    assert "very-secret-token" not in ran.text


def test_tmp_is_the_steps_own(walled, written, tmp_path):
    ran = walled.run(written(f"echo x > /tmp/{tmp_path.name}; stat -c %a /tmp"))

    assert ran.text.endswith("1777\n")
    assert not pathlib.Path("/tmp", tmp_path.name).exists()


def test_homes_and_sockets_are_hidden(walled, written):
    ran = walled.run(written("ls -A /run | wc -l; ls /home; ls -A /root/.ssh"))

    assert ran.text.startswith("0\nstep\n")
    assert "No such file" in ran.text


def test_writes_outside_do_not_reach_the_machine(make, written):
    if not ladder.works("root"):
        pytest.skip("isolation root does not work on this machine")
    ran = make("root").run(written("echo mine > /etc/gitwf-test && cat /etc/gitwf-test"))

    assert ran.text == "mine\n"
    assert not pathlib.Path("/etc/gitwf-test").exists()


def test_two_steps_at_once_write_one_path_without_meeting(walled):
    ran = walled.run("""
  templates:
  - name: main
    steps:
    - - {name: each, template: each, arguments: {parameters: [{name: 'n', value: "{{item}}"}]},
         withItems: [1, 2, 3, 4]}
  - name: each
    inputs: {parameters: [{name: 'n'}]}
    container: {image: none, command: [sh, -c,
      "echo {{inputs.parameters.n}} > /tmp/num; mkdir -p /output; cp /tmp/num /output/n; sleep 0.1;
       cat /output/n"]}
    outputs: {parameters: [{name: 'n', valueFrom: {path: /output/n}}]}
""")

    outputs = [node.outputs.parameters.get("n") for node in ran.record.nodes.values()]
    assert [value for value in outputs if value] == ["1", "2", "3", "4"]


def test_root_in_a_step_cannot_mount_or_make_devices(walled, written):
    ran = walled.run(
        written(
            "mount -t tmpfs none /mnt 2>/dev/null || echo no mount; "
            "mknod /tmp/disk b 254 0 2>/dev/null || echo no device; ls /dev | tr '\\n' ' '"
        )
    )

    assert ran.text.startswith("no mount\nno device\n")
    assert "null" in ran.text
    assert not {"sda", "vda", "mem", "kmem", "nvme0n1"} & set(ran.text.split())


def test_the_devices_of_a_step_work(walled, written):
    ran = walled.run(
        written("head -c 2 /dev/zero | wc -c; echo x > /dev/null; head -c 3 /dev/urandom | wc -c")
    )

    assert ran.text == "2\n3\n"


def test_a_step_cannot_leave_its_root(walled, written):
    ran = walled.run(
        written(
            "python3 -c \"import os; os.mkdir('/tmp/j'); os.chroot('/tmp/j'); "
            f"[os.chdir('..') for _ in range(50)]; os.chroot('.'); print(os.listdir('{walled.state}'))\""
            " 2>/dev/null || echo caught"
        )
    )

    assert ran.text in ("caught\n", "[]\n")


AS_NOBODY = """
import os, pathlib, select, sys
sys.path.insert(0, sys.argv[1])
from gitwf.adapters.local import box, sandbox
work = pathlib.Path(sys.argv[2])
rung = sandbox.Sandbox(sandbox.layout([], []), work / "view", user=True)
given = box.Box(("sh", "-c", "id -u; mkdir -p /out/put && echo > /out/put/x; touch /etc/x"),
                {"PATH": os.defpath}, "/", outputs=("/out/put/x",))
running = rung.start(given, work, 1, 2)
while (ended := running.poll()) is None:
    select.select([running], [], [], 10)
rung.close()
print(ended.code, ended.missing, (work / "outputs" / "0").exists())
"""


def test_a_user_without_rights_can_isolate_its_steps(tmp_path):
    python = "/usr/bin/python3"
    if os.getuid() != 0 or not ladder.works("user") or not pathlib.Path(python).exists():
        pytest.skip("needs root, to become another user, a system python and user namespaces")
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        folder.stat().st_mode & 0o001 or folder.chmod(0o711)
    done = subprocess.run(
        [python, "-c", AS_NOBODY, str(pathlib.Path(__file__).parents[2]), str(tmp_path)],
        user=65534, group=65534, extra_groups=[], env={"PATH": os.defpath}, cwd="/",
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.splitlines() == ["0", "1 (None,) True"], done.stderr
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


def test_what_a_killed_probe_left_is_removed_by_the_next_one(tmp_path, monkeypatch):
    if os.getuid() != 0 or not ladder.works("user"):
        pytest.skip("needs root, to own folders as another user, and user namespaces")
    left, held, new, foreign = (tmp_path / f"gitwf-probe-{number}" for number in range(4))
    for folder in (left, held, new, foreign):
        (folder / "view").mkdir(parents=True)
    os.chown(foreign, 65534, 65534)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with filelock.FileLock(held / "lock"):
        for folder in (left, held, foreign):
            os.utime(folder, (1, 1))
        assert not ladder.fault.__wrapped__("user")

    assert sorted(tmp_path.iterdir()) == [held, new, foreign]


def test_an_unknown_rung_and_one_that_does_not_work_are_said(monkeypatch):
    monkeypatch.setattr(ladder, "fault", lambda _: "no space left")

    with pytest.raises(Stalled, match="there is no isolation 'jail'"):
        ladder.choose("jail")
    with pytest.raises(Stalled, match="'root' does not work on this machine: no space left"):
        ladder.choose("root")
    assert ladder.choose("auto") == "none"


def test_the_engine_says_how_steps_are_kept_apart(hosted):
    assert hosted.engine.isolation == hosted.rung
    assert hosted.engine.describe().startswith(f"isolation {hosted.rung}: ")
    assert "ignored: host" in hosted.engine.describe()


def test_parents_are_mounted_before_what_is_in_them(tmp_path):
    mounts = tuple(
        box.Mount(path, tmp_path, box.Kind.OWN) for path in ("/w/in/a", "/w", "/tmp", "/w/in")
    )
    machine = sandbox.Layout(shown=(tmp_path,))
    operations = sandbox.view(box.Box(("true",), {}, "/", mounts), machine, user=False)

    binds = [path for _, path, *_ in operations]
    assert binds == sorted(binds)


def test_what_a_mount_covers_is_hidden_and_shown_once_more():
    shown, hidden = pathlib.Path("/var/tmp/tools/bin"), pathlib.Path("/var/tmp")
    machine = sandbox.Layout(hidden=(hidden,), shown=(shown,))
    in_var = box.Mount("/var/fresh/place", pathlib.Path("/x"), box.Kind.OWN)
    in_tmp = box.Mount("/var/tmp", pathlib.Path("/x"), box.Kind.OWN)

    told = {
        (user, mount): sandbox.view(box.Box(("true",), {}, "/", (mount,)), machine, user=user)
        for user in (True, False)
        for mount in (in_var, in_tmp)
    }

    show = ("bind", str(shown), str(shown), True)
    put = {one: ("bind", one.path, "/x", False) for one in (in_var, in_tmp)}
    opened, hide = ("open", "/var", "/var", []), ("tmpfs", "/var/tmp", "0755")
    assert told[True, in_var] == [opened, hide, put[in_var], show]
    assert told[False, in_var] == [put[in_var]]
    assert told[True, in_tmp] == [put[in_tmp], show]
    assert told[False, in_tmp] == [put[in_tmp], show]


def test_a_mount_that_goes_away_while_a_step_starts_is_no_fault(walled, written, monkeypatch):
    looked = sandbox.layout

    def before_it_went(*asked):
        seen = looked(*asked)
        return dataclasses.replace(seen, mounted=(*seen.mounted, "/gone/with/its/container"))

    monkeypatch.setattr(sandbox, "layout", before_it_went)

    assert walled.run(written("echo here")).text == "here\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo why > /dev/termination-log; exit 2", "main: Error (exit code 2): why\n"),
        ("mkfifo /dev/termination-log; exit 2", "main: Error (exit code 2)"),
        ("ln -s /proc/self/status /dev/termination-log; exit 2", "main: Error (exit code 2)"),
        ("echo fine > /dev/termination-log", ""),
    ],
)
def test_a_step_that_fails_may_say_why_as_in_a_pod(walled, written, command, message):
    assert walled.run(written(command))["wf"].message == message
