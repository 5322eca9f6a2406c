"""The whole loop as teams have it: a Git server that asks for credentials, a store in S3."""

import dataclasses

import pytest

from gitwf.testing import git_server
from tests.e2e import conftest

pytestmark = pytest.mark.slow

USER, PASSWORD = "gitwf", "s3cret-of-the-test"


@pytest.fixture
def served(world, gateway):
    """The world behind an HTTP server with a password, its store a real S3 gateway."""
    project = conftest.PROJECT.replace("file:store", f"s3://models/{world.folder.parent.name}")
    world.write({"gitwf.yaml": project})
    with git_server.GitServer(world.folder, user=USER, password=PASSWORD) as server:
        yield dataclasses.replace(world, url=server.url("shop.git")), server, gateway


def test_a_push_becomes_a_served_model_over_http_and_s3(served):
    world, _, aws = served

    out = world.gitwf("reconcile", GITWF_GIT_USERNAME=USER, GITWF_GIT_PASSWORD=PASSWORD, **aws)

    assert world.served() == "toy-v1"
    assert "s3://models/" in world.remote.git("show", "main:models/toy/production.yaml")
    assert PASSWORD not in out


def test_wrong_credentials_are_said_once_without_the_password(served):
    world, _, aws = served

    out = world.gitwf(
        "reconcile", code=1, GITWF_GIT_USERNAME=USER, GITWF_GIT_PASSWORD="wrong-word", **aws
    )

    assert "wrong-word" not in out
    assert "Traceback" not in out
    assert "credentials" in out


def test_a_declined_release_is_an_error_that_names_the_way_out(served):
    world, server, aws = served
    hook = """#!/bin/sh
while read old new ref; do
  if [ "$ref" = refs/heads/main ]; then echo "main is protected" >&2; exit 1; fi
done
"""
    path = world.remote.path / "hooks" / "pre-receive"
    path.parent.mkdir(exist_ok=True)
    path.write_text(hook)
    path.chmod(0o755)

    out = world.gitwf(
        "reconcile", code=1, GITWF_GIT_USERNAME=USER, GITWF_GIT_PASSWORD=PASSWORD, **aws
    )

    assert "main is protected" in out
    assert world.releases() == []
    del server


def test_a_folder_store_with_a_server_as_remote_is_refused(world):
    with git_server.GitServer(world.folder) as server:
        one = dataclasses.replace(world, url=server.url("shop.git"))

        out = one.gitwf("reconcile", code=2)

    assert "the store file:store is a folder, but the remote is a server" in out
    assert world.trained() == []


def test_a_lost_answer_of_the_server_changes_nothing(served):
    world, server, aws = served
    server.lose_answers(2)

    world.gitwf("reconcile", GITWF_GIT_USERNAME=USER, GITWF_GIT_PASSWORD=PASSWORD, **aws)

    assert world.served() == "toy-v1"
    assert len(world.releases()) == 1
