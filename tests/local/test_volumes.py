"""Volumes: which live with the pod, which with the run, which with the state folder."""

import pathlib

import pytest

from gitwf.adapters.local import volumes
from gitwf.errors import Rejected

SHARED = """
  {spec}
  templates:
  - name: main
    steps:
    - - {{name: w, template: w}}
    - - {{name: r, template: r}}
  - name: w
    inputs: {{{inputs}}}
    container:
      image: none
      command: [sh, -c, "{write}"]
      volumeMounts: [{{name: v, mountPath: {place}}}]
  - name: r
    container:
      image: none
      command: [sh, -c, "{read}"]
      volumeMounts: [{{name: v, mountPath: {place}{mount}}}]
"""
CLAIM = "volumeClaimTemplates: [{metadata: {name: v}, spec: {}}]"
NAMED = "volumes: [{name: v, persistentVolumeClaim: {claimName: kept}}]"


def shared(place, spec, *, inputs="", write="", read="", mount=""):
    """Give a workflow of a writer and, after it, a reader of one volume."""
    return SHARED.format(
        place=place,
        spec=spec,
        inputs=inputs,
        write=write or f"echo hi > {place}/f; ls {place}",
        read=read or f"ls {place} | wc -l",
        mount=mount,
    )


def test_an_empty_dir_lives_as_long_as_the_pod(local, place):
    ran = local.run(shared(place, "volumes: [{name: v, emptyDir: {}}]"))

    assert ran.text == "f\n0\n"


def test_a_claim_template_lives_as_long_as_the_run(local, place):
    assert local.run(shared(place, CLAIM)).text == "f\n1\n"
    assert local.run(shared(place, CLAIM), run="another").text == "f\n1\n"
    assert (local.state / "runs" / "run" / "volumes" / "v" / "f").read_text("utf-8") == "hi\n"


@pytest.mark.parametrize("spec", ["volumes: [{name: v, emptyDir: {}}]", CLAIM])
def test_whoever_a_container_runs_as_may_write_to_a_volume_of_the_run(local, place, spec):
    ran = local.run(shared(place, spec, write=f"stat -c %a {place}", read="true"))

    assert ran.text == "777\n"


def test_a_named_claim_outlives_the_run(local, place):
    local.run(shared(place, NAMED))
    ran = local.run(
        f"""
  {NAMED}
  templates:
  - name: main
    container: {{image: none, command: [cat, {place}/f],
      volumeMounts: [{{name: v, mountPath: {place}}}]}}
""",
        run="later",
    )

    assert ran.text == "hi\n"


def test_a_sub_path_is_a_folder_of_the_volume(local, place):
    ran = local.run(shared(place, CLAIM, mount=", subPath: inner"))

    assert ran.text == "f\n0\n"
    assert (local.state / "runs" / "run" / "volumes" / "v" / "inner").is_dir()


@pytest.mark.parametrize(
    ("expr", "log", "message"),
    [("a/$(V)", "f\n", ""), ("$(W)", "", "missing value for 'W'")],
)
def test_a_sub_path_may_hold_variables(local, place, expr, log, message):
    ran = local.run(f"""
  volumes: [{{name: v, emptyDir: {{}}}}]
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "touch {place}/in/f; ls {place}/all/a/b"]
      env: [{{name: V, value: b}}]
      volumeMounts:
      - {{name: v, mountPath: {place}/in, subPathExpr: {expr}}}
      - {{name: v, mountPath: {place}/all}}
""")

    assert (ran["wf"].message, ran.text) == (message, log)


@pytest.mark.parametrize("sub_path", ["link", "link/new", "up/new"])
def test_a_link_in_a_volume_leads_no_sub_path_out_of_it(local, place, tmp_path, sub_path):
    host = tmp_path / "host"
    host.mkdir()
    make = (
        f"ln -s {host} {place}/link; ln -s ../../.. {place}/up; mkdir {place}/d; ln -s d {place}/in"
    )
    ran = local.run(
        shared(place, CLAIM, write=make, read=f"ls {place}", mount=f", subPath: {sub_path}")
    )
    assert (ran["wf[1].r"].phase, ran["wf[1].r"].message) == (
        "Error",
        f"the subPath {sub_path!r} leads out of its volume",
    )
    assert not list(host.iterdir())

    within = shared(place, CLAIM, write=make, read="true", mount=", subPath: in/new")
    assert local.run(within, "within")["wf"].phase == "Succeeded"


@pytest.mark.parametrize("more", ["", ", readOnly: true"])
def test_a_link_that_is_put_in_a_volume_while_a_step_starts_is_not_followed(
    walled, place, tmp_path, monkeypatch, more
):
    host = tmp_path / "host"
    host.mkdir()
    (host / "secret").touch()
    below = volumes._below

    def swapped(source, sub_path):
        found = below(source, sub_path)
        found.symlink_to(host)
        return found

    monkeypatch.setattr(volumes, "_below", swapped)
    ran = walled.run(shared(place, CLAIM, read=f"ls {place}", mount=f", subPath: inner{more}"))

    assert ran["wf[1].r"].phase == "Failed"
    assert "/v/inner: not a directory" in ran["wf[1].r"].message
    assert "secret" not in ran.text


@pytest.mark.parametrize("to", ["{host}", "../../../../../../../../../..{host}"])
def test_a_link_in_a_volume_leads_no_mount_out_of_the_steps_view(walled, place, tmp_path, to):
    host = tmp_path / "host"
    host.mkdir()
    link = to.format(host=host)
    ran = walled.run(f"""
  volumeClaimTemplates: [{{metadata: {{name: v}}, spec: {{}}}}]
  volumes: [{{name: e, emptyDir: {{}}}}]
  templates:
  - name: main
    steps: [[{{name: w, template: w}}], [{{name: r, template: r}}]]
  - name: w
    container:
      image: none
      command: [sh, -c, "ln -s {link} {place}/x"]
      volumeMounts: [{{name: v, mountPath: {place}}}]
  - name: r
    container:
      image: none
      command: [sh, -c, "touch {place}/x/new/f; ls {host}/new"]
      volumeMounts:
      - {{name: v, mountPath: {place}}}
      - {{name: e, mountPath: {place}/x/new}}
""")

    assert not list(host.iterdir())
    assert ran.text == "f\n"


def test_a_volume_below_a_link_of_the_machine_is_where_the_link_leads(walled):
    ran = walled.run("""
  volumes: [{name: e, emptyDir: {}}]
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "touch /var/run/gitwf-test/f; ls /run/gitwf-test"]
      volumeMounts: [{name: e, mountPath: /var/run/gitwf-test}]
""")

    assert not pathlib.Path("/run/gitwf-test").exists()
    assert ran.text == "f\n"


def test_a_read_only_mount_takes_no_writes(walled, place):
    read = f"echo x > {place}/g || cat {place}/f"
    ran = walled.run(shared(place, CLAIM, read=read, mount=", readOnly: true"))

    assert ran.text.endswith("hi\n")


def test_a_config_map_is_a_folder_of_files(local, place):
    ran = local.run(f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: cm}}
data: {{a.txt: alpha, b.txt: beta}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  volumes:
  - {{name: all, configMap: {{name: cm}}}}
  - {{name: some, configMap: {{name: cm, items: [{{key: b.txt, path: sub/c}}]}}}}
  - {{name: lacking, configMap: {{name: cm, optional: true, items: [{{key: c, path: c}}]}}}}
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "cd {place} && cat all/a.txt all/b.txt some/sub/c; ls some lacking"]
      volumeMounts:
      - {{name: all, mountPath: {place}/all}}
      - {{name: some, mountPath: {place}/some}}
      - {{name: lacking, mountPath: {place}/lacking}}
""")

    assert ran.text == "alphabetabetalacking:\n\nsome:\nsub\n"


def test_outputs_are_read_from_volumes_and_stay_in_them(local, place):
    ran = local.run(f"""
  {CLAIM}
  templates:
  - name: main
    steps:
    - - {{name: w, template: w}}
    - - {{name: w2, template: w}}
  - name: w
    container:
      image: none
      command: [sh, -c, "echo x >> {place}/n"]
      volumeMounts: [{{name: v, mountPath: {place}}}]
    outputs: {{parameters: [{{name: 'n', valueFrom: {{path: {place}/n}}}}]}}
""")

    assert ran[".w2"].outputs.parameters == {"n": "x\nx"}


@pytest.mark.parametrize(
    ("volume", "kind"),
    [
        ("hostPath: {path: /etc}", "hostPath"),
        ("nfs: {server: s, path: /}", "nfs"),
        ("downwardAPI: {}", "downwardAPI"),
    ],
)
def test_volumes_that_need_a_cluster_are_refused(local, place, volume, kind):
    with pytest.raises(Rejected, match=f"no volumes of the kind '{kind}'"):
        local.start(shared(place, f"volumes: [{{name: v, {volume}}}]"))


def test_a_mount_of_an_unknown_volume_is_refused(local, place):
    with pytest.raises(Rejected, match="volume 'v' is not declared"):
        local.start(shared(place, ""))


def test_a_volume_that_a_tag_names_is_refused_before_the_run(local, place):
    workflow = shared(place, "volumes: [{name: v, emptyDir: {}}]")

    with pytest.raises(Rejected, match="has no name before the run"):
        local.start(
            workflow.replace("{name: v, mountPath", "{name: '{{workflow.name}}', mountPath")
        )


PLACED = """
  volumes: [{{name: v, emptyDir: {{}}}}]
  templates:
  - name: main
    container: {{image: none, command: ["true"], {more}}}
"""
IN_THE_WAY = ("Failed", "main: StartError (exit code 128): /etc/passwd")


def test_a_working_folder_that_is_a_file_is_the_steps_fault(hosted):
    ran = hosted.run(PLACED.format(more="workingDir: /etc/passwd"))

    assert (ran["wf"].phase, ran["wf"].message) == (IN_THE_WAY[0], f"{IN_THE_WAY[1]}: file exists")


def test_a_volume_below_a_file_is_the_steps_fault(walled):
    ran = walled.run(PLACED.format(more="volumeMounts: [{name: v, mountPath: /etc/passwd/in}]"))

    assert (ran["wf"].phase, ran["wf"].message[: len(IN_THE_WAY[1])]) == IN_THE_WAY


def test_an_input_artifact_in_a_volume_stays_in_it(local, place):
    kept = f"artifacts: [{{name: a, path: {place}/deep/a, raw: {{data: kept}}}}]"
    both = f"cat {place}/deep/a"
    ran = local.run(shared(place, CLAIM, inputs=kept, write=both, read=both))

    assert ran.text == "kept\nkept\n"
