"""A value is changed in a person's file, and not one byte else."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitwf import errors
from gitwf.text import splice, yaml_reader

RELEASE = b"""\
# what production serves
apiVersion: gitwf.dev/v1
spec: {version: 41, uri: "s3://a/b", digest: 'sha256:ab', hold: {versions: []}}
evidence:   # copied from the ledger
  run: {key: abc}
  script: |
    echo 1
    echo 2

  metrics:
    mape: 0.1  # good
    r2: 0.9
  tags:
  - a
  - b # two
  empty:
# end
list:
- name: x
  image: foo:1   # img
-   name: y
"""


def changed(changes, source=RELEASE):
    """Give the lines that went and the lines that came."""
    after = splice.edit(source, changes, "f").decode().split("\n")
    before = source.decode().split("\n")
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return before, after


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {("spec", "version"): 42, ("spec", "digest"): "sha256:cd"},
            """spec: {version: 42, uri: "s3://a/b", digest: 'sha256:cd', hold: {versions: []}}""",
        ),
        (
            {("spec", "hold", "versions"): [41], ("spec", "note"): "no: really"},
            (
                """spec: {version: 41, uri: "s3://a/b", digest: 'sha256:ab', """
                """hold: {versions: [41]}, note: "no: really"}"""
            ),
        ),
        ({("evidence", "metrics", "mape"): 0.08}, "    mape: 0.08  # good"),
        ({("list", 0, "image"): "foo:2"}, "  image: foo:2   # img"),
        ({("evidence", "tags", 1): "yes"}, '  - "yes" # two'),
        ({("evidence", "empty"): "1.0"}, '  empty: "1.0"'),
    ],
)
def test_one_line_changes_and_keeps_its_quotes_and_comment(changes, expected):
    assert [expected] == changed(changes)[1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({("evidence", "metrics", "n"): 3}, ["    n: 3"]),
        ({("evidence", "tags", 2): "c"}, ["  - c"]),
        ({("evidence", "last"): True}, ["  last: true"]),
        ({("list", 1, "tag"): None}, ["    tag: null"]),
        ({("list", 2): {"name": "z", "on": [1]}}, ["- name: z", '  "on":', "  - 1"]),
        ({("new", "a", "b"): 1}, ["new:", "  a:", "    b: 1"]),
        ({("evidence", "empty", "a"): 1}, ["    a: 1"]),
    ],
)
def test_what_is_missing_is_added_at_the_end_and_no_line_goes(changes, expected):
    assert ([], expected) == changed(changes)


def test_a_block_of_text_stays_one():
    expected = ["    ls", "    ls -l"]
    assert expected == changed({("evidence", "script"): "ls\nls -l\n"})[1]
    expected = ["  script: |-", "    ls"]
    assert expected == changed({("evidence", "script"): "ls"})[1]


def test_a_collection_is_replaced_in_its_place():
    assert changed({("evidence", "metrics"): {"a": 1}})[1] == ["    a: 1"]
    assert changed({("evidence", "metrics"): 3})[1] == ["  metrics: 3"]
    assert changed({("evidence", "tags"): []})[1] == ["  tags: [] # two"]


@pytest.mark.parametrize(
    ("source", "changes", "expected"),
    [
        (b"a: 1", {("b",): 2}, b"a: 1\nb: 2"),
        (b"a: 1\r\nc: 2\r\n", {("b", "x"): 2}, b"a: 1\r\nc: 2\r\nb:\r\n  x: 2\r\n"),
        (b'{"a": {"x": 2},\n "b": 3}', {("a", "x"): [1]}, b'{"a": {"x": [1]},\n "b": 3}'),
        (b"{}", {("a",): 1}, b"{a: 1}"),
        ("\ufeffa: 1\n".encode(), {("a",): 2}, "\ufeffa: 2\n".encode()),
        (b"a: |+\n  x\n\n\n", {("b",): 1}, b"a: |+\n  x\n\n\nb: 1\n"),
        (b"b: {<<: &x {p: 1}}\n", {("b", "p"): 2}, b"b: {<<: &x {p: 1}, p: 2}\n"),
        ("é: 😀 # 😀\n".encode(), {("é",): "x"}, "é: x # 😀\n".encode()),
    ],
)
def test_line_ends_marks_and_odd_layouts_stay(source, changes, expected):
    assert expected == splice.edit(source, changes)


@pytest.mark.parametrize("value", [True, "x\ty", "\x7f", "\u2028", "a\u0085b", " a ", "- a", "😀"])
def test_any_text_survives(value):
    after = splice.edit(b"k: 1\n", {("k",): value})

    assert {"k": value} == yaml_reader.read_one(after, "f").value


def test_other_readers_read_the_same():
    for word in ("on", "yes", "n", "2024-01-01", "12:30", "0x1", "1_000", "~", "", "="):
        after = splice.edit(b"k: 1\n", {("k",): word})

        assert {"k": word} == yaml.safe_load(after)


def test_nothing_changes_when_the_value_is_there_already():
    assert splice.edit(RELEASE, {("spec", "version"): 41, ("evidence", "tags", 0): "a"}) == RELEASE


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (b"a: &x 1\nb: *x\n", ("a",)),
        (b"a: &x 1\nb: *x\n", ("b",)),
        (b"a: &x {p: 1}\nb: *x\n", ("b", "p")),
        (b"a: 1\n", ("a", "b")),
        (b"a: 1\n", ()),
        (b"a: [1]\n", ("a", 3)),
        (b"a: >\n  x", ("b",)),
        (b"a: 1\n---\nb: 1\n", ("a",)),
        (b"", ("a",)),
        (b"a: [", ("a",)),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused(source, path):
    with pytest.raises(errors.Rejected):
        splice.edit(source, {path: 2})


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
KEYS = st.sampled_from(["a", "b-c", "on", "x y", "5", "é"])
VALUES = st.recursive(
    SCALARS | TEXTS | st.sampled_from(["l1\nl2\n", "l1\nl2", "- x", "# no", "k: v", ""]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw):
    """A mapping, written in one of the ways people write mappings."""
    value = draw(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
    text = yaml.safe_dump(
        value,
        default_flow_style=draw(st.sampled_from([False, None, True])),
        default_style=draw(st.sampled_from([None, None, "'", '"'])),
        indent=draw(st.integers(2, 4)),
        allow_unicode=draw(st.booleans()),
        sort_keys=False,
        width=1000,
    )
    if draw(st.booleans()):
        text = "# first\n" + text + "# last\n"
    if draw(st.booleans()) and "\\\n" not in text and "\r" not in text:
        text = text.replace("\n", "\r\n")
    return text.encode()


@st.composite
def paths(draw, value):
    path = []
    while True:
        if isinstance(value, dict) and (not path or draw(st.booleans())):
            step = draw(KEYS if not value else KEYS | st.sampled_from(sorted(value)))
            path.append(step)
            if step not in value:
                return tuple(path)
            value = value[step]
        elif isinstance(value, list) and value and draw(st.booleans()):
            step = draw(st.integers(0, len(value)))
            path.append(step)
            if step == len(value):
                return tuple(path)
            value = value[step]
        else:
            return tuple(path)


def with_change(value, path, new):
    copy = json.loads(json.dumps(value))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, list):
        place[path[-1] : path[-1] + 1] = [new]
    else:
        place[path[-1]] = new
    return copy


@settings(max_examples=60)
@given(st.data(), documents(), VALUES)
def test_an_edited_document_reads_back_to_the_change_and_keeps_the_lines_around(data, source, new):
    try:
        before = yaml_reader.read_one(source, "f")
    except errors.Rejected:
        return
    path = data.draw(paths(before.value))
    if not path:
        return

    after = splice.edit(source, {path: new}, "f")

    wanted = with_change(before.value, path, new)
    read = yaml_reader.read_one(after, "f")
    assert json.dumps(wanted, sort_keys=True) == json.dumps(read.value, sort_keys=True)
    line = before.place(path[:-1] if not before.holds(path) else path).line
    old_lines, new_lines = source.split(b"\n"), after.split(b"\n")
    if before.holds(path):
        # A value that goes to lines of its own, or comes from there, starts at its key.
        key_line = before.place(path, key=True).line
        assert old_lines[: min(line, key_line) - 1] == new_lines[: min(line, key_line) - 1]
    else:
        kept = [one for one in old_lines if one.strip().startswith(b"#")]
        assert kept == [one for one in new_lines if one in kept][: len(kept)]


@settings(max_examples=60)
@given(st.data(), documents())
def test_a_scalar_in_the_place_of_a_scalar_changes_one_line(data, source):
    try:
        before = yaml_reader.read_one(source, "f")
    except errors.Rejected:
        return
    path = data.draw(paths(before.value))
    old = before.value
    for step in path:
        old = old[step] if before.holds(path) else {}
    if isinstance(old, dict | list | str):
        return

    after = splice.edit(source, {path: 7}, "f")

    old_lines, new_lines = source.split(b"\n"), after.split(b"\n")
    assert len(old_lines) == len(new_lines)
    assert sum(a != b for a, b in zip(old_lines, new_lines, strict=True)) <= 1
