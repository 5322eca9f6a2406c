"""What the checkout that a person stands in says of them."""

import subprocess

import pytest

from gitwf.adapters.git import checkout, objects

ADA = objects.Identity("Ada", "ada@example.org")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder without any configuration of Git, which libgit2 looks for there."""
    monkeypatch.setattr(checkout, "_everywhere", lambda: iter([]))
    folder = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def configure(folder, **values):
    for name, value in values.items():
        command = ["git", "-C", str(folder), "config", f"user.{name}", value]
        subprocess.run(command, check=True)


def test_a_person_is_who_git_says_they_are(home):
    configure(home, name="Ada", email="ada@example.org")

    assert checkout.person(home, {}) == ADA
    assert str(ADA) == "Ada <ada@example.org>"


def test_the_environment_goes_before_the_configuration_as_it_does_for_git(home):
    configure(home, name="Grace", email="grace@example.org")
    given = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}

    assert checkout.person(home, given) == ADA
    assert checkout.person(home, {"GIT_AUTHOR_NAME": "Ada"}) == objects.Identity(
        "Ada", "grace@example.org"
    )


@pytest.mark.parametrize("given", [{}, {"GIT_AUTHOR_NAME": "Ada"}])
def test_who_is_half_known_outside_of_any_checkout_is_nobody(home, tmp_path, given):
    assert checkout.person(tmp_path, given) is None
