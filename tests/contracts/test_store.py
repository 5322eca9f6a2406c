"""What every store promises, on the one in memory, a folder, and a real S3 gateway."""

import concurrent.futures
import dataclasses
import pathlib
from collections.abc import Callable

import pytest

from gitwf import ports
from gitwf.adapters import store
from gitwf.errors import DigestMismatch, Stalled
from gitwf.testing import memory_store
from gitwf.values import Digest

CONTENT = b'{"name": "ad-effect"}\n'


@dataclasses.dataclass
class Case:
    """A store, and a way to break the bytes of one of its objects behind its back."""

    store: ports.Store
    overwrite: Callable[[str, bytes], object]


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.slow)])
def case(request, tmp_path):
    if request.param == "memory":
        memory = memory_store.MemoryStore()
        return Case(memory, memory.objects.__setitem__)
    if request.param == "folder":
        folder = tmp_path / "store"
        opened = store.ObjectStore(store.Settings(f"file://{folder}"))
        return Case(opened, lambda uri, new: (folder / uri.removeprefix("file:")).write_bytes(new))
    gateway = request.getfixturevalue("gateway")
    prefix = request.node.name.encode().hex()[-40:]
    opened = store.ObjectStore(store.Settings(f"s3://models/{prefix}", environment=gateway))

    def overwrite(uri, new):
        backend, key = opened._open(uri)
        backend.put(key, new)

    return Case(opened, overwrite)


@pytest.fixture
def model(tmp_path) -> pathlib.Path:
    file = tmp_path / "model.json"
    file.write_bytes(CONTENT)
    return file


def leftovers(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_put_is_fetched_under_its_digest(case, model, tmp_path):
    stored = case.store.put("ad-effect", model)
    case.store.fetch(stored.uri, stored.digest, tmp_path / "out" / "model.json")

    assert stored.digest == Digest.of(CONTENT)
    assert stored.uri.endswith(f"ad-effect/sha256/{stored.digest.hex}/model.json")
    assert (tmp_path / "out" / "model.json").read_bytes() == CONTENT
    assert leftovers(tmp_path / "out") == ["model.json"]


def test_an_address_names_no_path_of_this_machine(case, model, tmp_path):
    assert str(tmp_path) not in case.store.put("ad-effect", model).uri


def test_putting_again_changes_nothing(case, model):
    assert case.store.put("ad-effect", model) == case.store.put("ad-effect", model)


def test_an_object_is_there_once_it_was_put(case, model):
    stored = case.store.put("ad-effect", model)

    assert case.store.has(stored.uri)
    assert not case.store.has(stored.uri + "x")


def test_fetching_replaces_a_file_whole(case, model, tmp_path):
    stored = case.store.put("ad-effect", model)
    target = tmp_path / "there.json"
    target.write_bytes(b"x" * 10_000)

    case.store.fetch(stored.uri, stored.digest, target)

    assert target.read_bytes() == CONTENT


def test_changed_bytes_are_never_fetched(case, model, tmp_path):
    stored = case.store.put("ad-effect", model)
    case.overwrite(stored.uri, b"something else")
    out = tmp_path / "out"

    with pytest.raises(DigestMismatch) as raised:
        case.store.fetch(stored.uri, stored.digest, out / "model.json")

    assert raised.value.expected == stored.digest
    assert raised.value.found == Digest.of(b"something else")
    assert not out.exists() or leftovers(out) == []


def test_changed_bytes_are_noticed_by_the_next_put(case, model):
    stored = case.store.put("ad-effect", model)
    case.overwrite(stored.uri, b"something else")

    with pytest.raises(DigestMismatch):
        case.store.put("ad-effect", model)


def test_an_object_that_is_not_there_needs_a_person(case, model, tmp_path):
    stored = case.store.put("ad-effect", model)

    with pytest.raises(Stalled, match="the object is not there"):
        case.store.fetch(stored.uri + "x", stored.digest, tmp_path / "out.json")

    assert not (tmp_path / "out.json").exists()


def test_many_writers_of_one_address_agree(case, model):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: case.store.put("ad-effect", model), range(16)))

    assert len(set(stored)) == 1
