"""Names that come from documents never lead out of a folder."""

import os
import pathlib

import pytest

from gitwf.adapters.local import folder, sandbox
from gitwf.errors import Stalled


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\0b", "/etc", "a b", "../../etc/passwd"])
def test_what_is_no_file_name_is_refused(name, tmp_path):
    with pytest.raises(Stalled, match="cannot name a file"):
        folder.checked(name)
    with pytest.raises(Stalled):
        folder.StateFolder(tmp_path).run(name)


@pytest.mark.parametrize("name", ["a", ".dockerconfigjson", "tls.key", "...", "wf-123_x"])
def test_file_names_are_kept(name):
    assert folder.checked(name) == name


def test_a_secret_key_that_leads_elsewhere_ends_the_step_in_error(make, tmp_path):
    (tmp_path / "secrets" / "db").mkdir(parents=True)
    ran = make("none", secrets=tmp_path / "secrets").run(
        """
  templates:
  - name: main
    container: {image: none, command: [ls], env: [
      {name: P, valueFrom: {secretKeyRef: {name: db, key: ../../x}}}]}
""",
        granted={"wf.yaml#main": frozenset({"db"})},
    )

    assert ran["wf"].phase == "Error"
    assert "'../../x' cannot name a file" in ran["wf"].message


def test_mount_points_are_read_with_blanks_and_letters_of_any_language():
    lines = [
        r"1 0 8:1 / / rw - ext4 /dev/a rw",
        r"2 1 8:2 / /my\040disk rw - ext4 /dev/b rw",
        "3 1 8:3 / /büro rw - ext4 /dev/c rw",
        "4 1 0:4 / /proc/sys rw - proc proc rw",
        "5 1 0:5 / /devices rw - ext4 /dev/d rw",
        "6 1 0:6 / /covered/ada rw - ext4 /dev/e rw",
    ]

    shown = sandbox._mounted("\n".join(lines), [pathlib.Path("/covered")])

    assert shown == ("/my disk", "/büro", "/devices")


def test_where_the_system_has_no_pidfd_a_thread_tells_the_end(make, monkeypatch, written):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    ran = make("none").run(written("echo on; exit 4"))

    assert ran["wf"].message == "main: Error (exit code 4)"
