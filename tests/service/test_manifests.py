"""The repository's manifests, rendered for one release."""

import pytest

from gitwf.adapters import manifests as jinja
from gitwf.errors import Rejected
from gitwf.service import manifests
from gitwf.values import CommitId

COMMIT = CommitId("c" * 40)
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: viewer-app}\n"


class Files:
    """A tree of files."""

    def __init__(self, **files):
        self._files = {name.replace("__", "/"): content for name, content in files.items()}

    def files(self, _, under="."):
        return ((path, "") for path in sorted(self._files) if path.startswith(f"{under}/"))

    def read(self, _, path):
        return self._files[path]


def rendered(files, **known):
    return manifests.rendered(Files(**files), COMMIT, "m", jinja.render, known)


def test_plain_files_are_read_as_they_are_and_templates_are_rendered():
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a-{{ release.version }}'}\n"
    files = {
        "m__a.yaml.j2": config.encode(),
        "m__b.yaml": SERVICE.encode(),
        "m__README.md": b"# no manifest",
    }

    found = rendered(files, release={"version": 7})

    assert [one["metadata"]["name"] for one in found] == ["a-7", "viewer-app"]


def test_several_documents_in_one_file_are_several_manifests():
    text = f"{SERVICE}---\n{SERVICE.replace('viewer-app', 'other')}"

    assert len(rendered({"m__a.yaml": text.encode()})) == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "kind: Service\n", "m/a.yaml:1:1: a manifest needs apiVersion"),
        ("a.yaml", "kind: A\nkind: B\n", "m/a.yaml:2:1: "),
        ("a.yaml.j2", "name: {{ release.nothing }}\n", "m/a.yaml.j2: cannot render"),
    ],
)
def test_a_mistake_is_named_at_its_place(name, text, words):
    with pytest.raises(Rejected) as caught:
        rendered({f"m__{name}": text.encode()}, release={})

    assert words in str(caught.value)


def test_a_folder_without_manifests_is_refused():
    with pytest.raises(Rejected, match="the folder has no manifests"):
        rendered({"m__README.md": b""})


def test_the_viewers_files_are_values_text_as_text():
    tree = Files(v__app__R=b"shiny", v__logo=b"\xff\x00")

    assert manifests.viewer(tree, COMMIT, "v", "id") == {
        "id": "id",
        "files": {"app/R": "shiny"},
        "binary": {"logo": "/wA="},
    }
