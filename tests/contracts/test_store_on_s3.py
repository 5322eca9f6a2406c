"""The store on a real S3 gateway."""

import pytest

from gitwf.adapters import store
from gitwf.errors import Stalled, Transient
from gitwf.values import Digest

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "model.json"
    file.write_bytes(b"{}")
    return file


def test_the_address_names_bucket_prefix_and_digest(gateway, model):
    opened = store.ObjectStore(store.Settings("s3://models/team/", environment=gateway))

    stored = opened.put("ad-effect", model)

    assert stored.uri == f"s3://models/team/ad-effect/sha256/{stored.digest.hex}/model.json"


def test_a_file_larger_than_one_part_goes_through_whole(gateway, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_WHOLE", 1024)
    content = bytes(range(256)) * 50_000
    (tmp_path / "big.bin").write_bytes(content)
    opened = store.ObjectStore(store.Settings("s3://models", environment=gateway))

    stored = opened.put("large", tmp_path / "big.bin")
    opened.fetch(stored.uri, stored.digest, tmp_path / "out.bin")

    assert stored.digest == Digest.of(content)
    assert (tmp_path / "out.bin").read_bytes() == content


def test_the_gateway_itself_refuses_a_second_write(gateway, model):
    opened = store.ObjectStore(store.Settings("s3://models/twice", environment=gateway))
    stored = opened.put("ad-effect", model)

    assert opened._created(stored.uri, model) is False


def test_a_bucket_that_is_not_there_needs_a_person(gateway, model):
    opened = store.ObjectStore(store.Settings("s3://nowhere", environment=gateway))

    with pytest.raises(Stalled, match="the bucket does not exist"):
        opened.put("ad-effect", model)


def test_wrong_keys_need_a_person_and_are_not_shown(gateway, model):
    wrong = {**gateway, "AWS_SECRET_ACCESS_KEY": "wrong-and-secret"}
    opened = store.ObjectStore(store.Settings("s3://models", environment=wrong))

    with pytest.raises(Stalled, match="access is denied") as raised:
        opened.put("ad-effect", model)

    assert "wrong-and-secret" not in str(raised.value)


def test_a_gateway_that_does_not_answer_is_tried_again_later(gateway, model):
    nobody = {**gateway, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    opened = store.ObjectStore(store.Settings("s3://models", environment=nobody))

    with pytest.raises(Transient):
        opened.put("ad-effect", model)
