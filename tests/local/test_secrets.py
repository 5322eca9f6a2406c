"""Secrets: only to the template that the policy grants them to, and nowhere else to be found."""

import pytest

from gitwf.errors import Rejected

VALUE = "hunter2-very-secret"
ENV = "env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]"


@pytest.fixture
def secrets(tmp_path):
    folder = tmp_path / "secrets"
    (folder / "db").mkdir(parents=True)
    (folder / "db" / "password").write_text(VALUE, "utf-8")
    return folder


def two(more: str) -> str:
    return f"""
  templates:
  - name: main
    steps:
    - - {{name: has, template: has}}
    - - {{name: hasnot, template: hasnot}}
  - name: has
    {more}
  - name: hasnot
    container: {{image: none, command: [sh, -c, "echo [$P]; cat /secret/password 2>/dev/null;
      env; cat /proc/*/environ 2>/dev/null; true"]}}
"""


WITH_ENV = two(f'container: {{image: none, command: [sh, -c, "echo $P | wc -c"], {ENV}}}')
GRANTED = {"wf.yaml#has": frozenset({"db"})}


def test_a_granted_secret_reaches_that_template_and_no_other(make, rung, secrets):
    local = make(rung, secrets=secrets)
    ran = local.run(WITH_ENV, granted=GRANTED)

    assert ran.log["wf[0].has"] == f"{len(VALUE) + 1}\n"
    assert VALUE not in ran.log["wf[1].hasnot"]
    assert ran.log["wf[1].hasnot"].startswith("[]\n")


def test_a_secret_is_in_no_file_of_the_state_folder(make, rung, secrets):
    local = make(rung, secrets=secrets)
    local.run(WITH_ENV, granted=GRANTED)
    local.engine.close()

    files = [path for path in local.state.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if VALUE.encode() in path.read_bytes()] == []


def test_steps_do_not_see_the_folder_of_secrets(make, secrets, written):
    local = make("auto", secrets=secrets)
    if local.engine.isolation == "none":
        pytest.skip("no isolation works on this machine")
    ran = local.run(written(f"cat {secrets}/db/password; ls -R {secrets}; echo end"))

    assert VALUE not in ran.text
    assert "password\n" not in ran.text.replace("db/password", "")


def test_a_secret_that_is_not_granted_is_refused_with_the_line_to_add(make, rung, secrets):
    local = make(rung, secrets=secrets)

    with pytest.raises(Rejected) as refused:
        local.start(WITH_ENV)

    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.message == "template 'has': the policy does not grant it the secret 'db'"
    assert diagnostic.hint == 'add policy: {secrets: {"wf.yaml#has": [db]}}'
    assert (diagnostic.file, diagnostic.line) == ("wf.yaml", 13)
    assert not (local.state / "runs").exists()


def test_a_grant_to_another_template_is_no_grant(make, rung, secrets):
    local = make(rung, secrets=secrets)

    with pytest.raises(Rejected, match="does not grant it the secret 'db'"):
        local.start(WITH_ENV, granted={"wf.yaml#hasnot": frozenset({"db"})})


def test_a_secret_that_is_not_on_the_machine_is_said_before_anything_runs(make, rung, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(Rejected, match="there is no folder with the secret 'db'"):
        make(rung).start(WITH_ENV, granted=GRANTED)
    with pytest.raises(Rejected, match="'db' is not on this machine"):
        make(rung, secrets=tmp_path / "empty").start(WITH_ENV, granted=GRANTED)


def test_a_key_that_is_missing_ends_the_step_in_error(make, rung, secrets):
    (secrets / "db" / "password").unlink()
    ran = make(rung, secrets=secrets).run(WITH_ENV, granted=GRANTED)

    assert ran[".has"].phase == "Error"
    assert ran[".has"].message == "couldn't find key password in Secret db"


def test_env_from_gives_every_key(make, rung, secrets):
    text = two(
        'container: {image: none, command: [sh, -c, "echo $DB_password | wc -c"],'
        " envFrom: [{prefix: DB_, secretRef: {name: db}}]}"
    )
    ran = make(rung, secrets=secrets).run(text, granted=GRANTED)

    assert ran.log["wf[0].has"] == f"{len(VALUE) + 1}\n"


def test_a_secret_volume_is_a_folder_of_files(make, rung, secrets, place):
    text = two(
        f'container: {{image: none, command: [sh, -c, "wc -c < {place}/password; '
        f'echo x > {place}/password"], volumeMounts: [{{name: s, mountPath: {place}}}]}}\n'
        "    volumes: [{name: s, secret: {secretName: db}}]"
    )
    ran = make(rung, secrets=secrets).run(text, granted=GRANTED)

    assert ran.log["wf[0].has"].startswith(f"{len(VALUE)}\n")
    assert (secrets / "db" / "password").read_text("utf-8") == VALUE


def test_without_isolation_secrets_need_an_explicit_word(make, secrets, monkeypatch):
    from gitwf.adapters.local import ladder

    monkeypatch.setattr(ladder, "works", lambda _: False)
    with pytest.raises(Rejected) as refused:
        make("auto", secrets=secrets).start(WITH_ENV, granted=GRANTED)

    (diagnostic,) = refused.value.diagnostics
    assert "a secret needs isolation, and this machine has none" in diagnostic.message
    assert "engine.isolation to none" in diagnostic.hint


OPTIONAL = """
  templates:
  - name: main
    volumes: [{{name: v, secret: {{secretName: {secret}, optional: true}}}}]
    container:
      image: none
      env: [{{name: A, valueFrom: {{secretKeyRef: {{name: {secret}, key: a, optional: true}}}}}}]
      envFrom: [{{prefix: ALL_, secretRef: {{name: {secret}, optional: true}}}}]
      volumeMounts: [{{name: v, mountPath: {place}}}]
      command: [sh, -c, 'echo "[$A]"; ls {place}; env | grep -c ALL_']
"""


def test_an_optional_secret_that_is_nowhere_needs_no_grant(make, rung, secrets, place):
    local = make(rung, secrets=secrets)
    assert local.run(OPTIONAL.format(secret="gone", place=place)).text.splitlines()[:2] == [
        "[]",
        "0",
    ]
    assert make(rung).run(OPTIONAL.format(secret="gone", place=place)).text.startswith("[]\n0\n")


def test_an_optional_secret_that_is_here_needs_a_grant(make, rung, secrets, place):
    with pytest.raises(Rejected, match="does not grant it the secret 'db'"):
        make(rung, secrets=secrets).start(OPTIONAL.format(secret="db", place=place))


WRITTEN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  templates:
  - name: main
    volumes: [{{name: v, secret: {{secretName: here}}}}]
    container:
      image: none
      env:
      - {{name: A, valueFrom: {{secretKeyRef: {{name: here, key: a}}}}}}
      - {{name: C, valueFrom: {{secretKeyRef: {{name: here, key: c, optional: true}}}}}}
      envFrom: [{{prefix: ALL_, secretRef: {{name: here}}}}]
      volumeMounts: [{{name: v, mountPath: {place}}}]
      command: [sh, -c, 'echo "$A [$C] $ALL_b"; cat {place}/a {place}/b']
---
apiVersion: v1
kind: Secret
metadata: {{name: here}}
data: {{a: b25l}}
stringData: {{b: two}}
"""


def test_a_secret_that_is_a_document_needs_no_grant(local, place):
    ran = local.run(WRITTEN.format(place=place))

    assert ran.text == "one [] two\nonetwo\n"
