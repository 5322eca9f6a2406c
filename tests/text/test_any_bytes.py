"""Whatever bytes come, reading ends soon: in documents or in our own error."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf import errors
from gitwf.text import models, splice, yaml_reader
from gitwf.workflow.document import load, workflow

PIECES = [
    "a", "b: ", "- ", "  ", "\n", "\t", "{", "}", "[", "]", ", ", ": ", "# c", "&x ", "*x", "<<: ",
    "!!int ", "|\n", ">-\n", "'", '"', "? ", "---\n", "...\n", "{{", "}}", "%YAML 1.1\n", "0x", "1e9",
    "~", "\r\n", "\u2028", "é", "\x00", "@", "kind: Workflow\n", "spec:\n", "  steps:\n", "null",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
SECONDS = 5


def read(source):
    for document in yaml_reader.read(source, "f"):
        models.check(workflow.Workflow, document)
        document.place(("spec", "steps", 0))


def refusals(use, source):
    try:
        use(source)
    except errors.Rejected as refusal:
        return refusal.diagnostics
    return ()


def take(source):
    """Do everything that is done with a file; only our own refusals may come out."""
    started = time.process_time()
    for use in (
        read,
        lambda source: load.load({"f": source}),
        lambda source: splice.edit(source, {("spec", "a"): 1}, "f"),
    ):
        found = refusals(use, source)
        assert all(one.line >= 0 and one.column >= 0 and one.message for one in found)
    assert time.process_time() - started < SECONDS


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(source):
    take(source)


@given(SOUP)
def test_pieces_of_yaml_in_any_order_are_read_or_refused_in_words(text):
    take(text.encode())


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused_in_words(text):
    take(text.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    "piece",
    ["[", "{a: ", "- ", "a: &a ", "'", "? ", "a:\n ", "\t", "{{", "!", "&a", "a: *a\n", "|\n"],
)
def test_a_file_full_of_one_piece_is_read_or_refused_in_time(piece):
    take((piece * (50_000 // len(piece))).encode())


def test_a_large_sound_file_is_read_in_bounded_time():
    chance = random.Random(1)
    lines = [f"k{n}: {{a: {chance.random()}, b: [x, y, 'z']}}" for n in range(4_000)]
    started = time.process_time()

    [document] = yaml_reader.read("\n".join(lines), "f")

    assert len(lines) == len(document.value)
    assert time.process_time() - started < SECONDS
