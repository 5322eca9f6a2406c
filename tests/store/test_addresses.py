"""How a store is found: its URIs, its settings, and what is said when they are wrong."""

import shutil

import pytest

from gitwf.adapters import store
from gitwf.errors import Stalled
from gitwf.values import Digest


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "model.json"
    file.write_bytes(b"{}")
    return file


def test_a_folder_stores_addresses_stay_true_when_the_folder_moves(model, tmp_path):
    first = store.ObjectStore(store.Settings("file:store", base=tmp_path))
    stored = first.put("ad-effect", model)
    shutil.move(tmp_path / "store", tmp_path / "elsewhere")

    moved = store.ObjectStore(store.Settings("file:elsewhere", base=tmp_path))
    moved.fetch(stored.uri, stored.digest, tmp_path / "out.json")

    assert stored.uri == f"file:ad-effect/sha256/{stored.digest.hex}/model.json"
    assert (tmp_path / "out.json").read_bytes() == b"{}"


def test_any_file_is_read_by_its_absolute_address(model, tmp_path):
    opened = store.open_uri(model.as_uri(), store.Settings())
    opened.fetch(model.as_uri(), Digest.of(b"{}"), tmp_path / "out.json")

    assert (tmp_path / "out.json").read_bytes() == b"{}"


def test_a_relative_address_needs_a_folder_store():
    with pytest.raises(Stalled, match="no folder is given"):
        store.open_uri("file:ad-effect/model.json", store.Settings("s3://models"))


@pytest.mark.parametrize("uri", ["http://host/x", "s3://bucket", "s3:///key", "model.json", ""])
def test_other_addresses_are_refused(uri):
    with pytest.raises(Stalled, match="cannot open"):
        store.open_uri(uri, store.Settings())


def test_an_address_does_not_lead_out_of_the_store(tmp_path):
    (tmp_path / "secret").write_text("x")
    opened = store.ObjectStore(store.Settings("file:store", base=tmp_path))

    with pytest.raises(Stalled):
        opened.fetch("file:../secret", Digest.of(b"x"), tmp_path / "out")


def test_other_kinds_of_store_are_refused_without_their_credentials_in_the_message():
    with pytest.raises(Stalled) as raised:
        store.ObjectStore(store.Settings("https://user:word@host/models"))

    assert "word" not in str(raised.value)


def test_a_file_whose_name_does_not_fit_an_address_is_refused(tmp_path):
    file = tmp_path / "my model#1.json"
    file.write_bytes(b"{}")

    with pytest.raises(Stalled, match="takes no name like"):
        store.ObjectStore(store.Settings("file:store", base=tmp_path)).put("ad-effect", file)


def test_a_file_that_cannot_be_written_is_named_with_what_the_system_says(model, tmp_path):
    opened = store.ObjectStore(store.Settings("file:models", tmp_path))
    stored = opened.put("toy", model)

    for to in (tmp_path, model / "below" / "a-file"):
        with pytest.raises(Stalled) as stalled:
            opened.fetch(stored.uri, stored.digest, to)
        assert stalled.value.message.startswith(f"{to}: ")
    assert list(tmp_path.parent.glob("*.part")) == []


def test_a_store_whose_folder_is_a_file_is_named_with_what_the_system_says(model, tmp_path):
    (tmp_path / "models").write_text("not a folder")
    opened = store.ObjectStore(store.Settings("file:models", tmp_path))

    with pytest.raises(Stalled, match=str(tmp_path / "models")):
        opened.put("toy", model)
