"""Pushes that somebody does not want: a hook on the server, a folder that is in use."""

import pytest

from gitwf.errors import Stalled


def test_a_hook_that_declines_a_release_is_a_matter_for_a_person(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    served.server.decline("remote.git", "main is protected, ask Bob")

    with pytest.raises(Stalled, match="declined the push of refs/heads/main") as declined:
        repo.publish(base, {"b": b"2"}, "Release\n")

    assert "main is protected, ask Bob" in declined.value.message
    assert "let gitwf's account push to it" in declined.value.hint
    assert "--branch" in declined.value.hint
    assert base == served.person.head()


def test_what_a_hook_says_is_shown_without_secrets(tmp_path, served):
    served.server.user, served.server.password = "ada", "hunter2hunter2"
    served.url = served.server.url("remote.git", credentials=True)
    served.server.decline("remote.git", "no: https://bob:swordfish@example.org hunter2hunter2")
    repo = served.repo()

    with pytest.raises(Stalled, match="no: ") as declined:
        repo.publish(None, {"b": b"2"}, "Release\n")

    assert "hunter2" not in str(declined.value)
    assert "swordfish" not in str(declined.value)


def test_a_hook_that_declines_the_ledger_is_a_matter_for_a_person(served):
    served.server.decline("remote.git", "no")

    with pytest.raises(Stalled, match="declined the push of refs/heads/gitwf/ledger"):
        served.ledger().append(lambda _: {"a.json": {}}, "One\n")


def test_a_hook_that_declines_heartbeats_is_a_matter_for_a_person(served):
    served.server.decline("remote.git", "no")

    with pytest.raises(Stalled, match="declined the push of refs/gitwf/leases/k"):
        served.ledger().beat("k")


def test_a_folder_with_a_hook_that_may_decline_is_not_pushed_round_it(folder):
    hook = folder.person.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)

    with pytest.raises(Stalled, match="has the hook update, which only a Git server runs"):
        folder.repo().publish(None, {"a": b"1"}, "Release\n")


def test_a_branch_that_is_checked_out_is_not_moved_below_its_files(folder, tmp_path):
    folder.person.commit({"a": b"1"})
    folder.person.git("clone", "-q", str(folder.person.path), str(tmp_path / "checkout"))
    folder.url = str(tmp_path / "checkout")
    repo = folder.repo()
    head = repo.head()

    with pytest.raises(Stalled, match="refs/heads/main is checked out at"):
        repo.publish(head, {"b": b"2"}, "Release\n")

    commit = repo.publish(None, {"b": b"2"}, "Release\n", branch="releases")
    assert folder.repo("releases").head() == commit
