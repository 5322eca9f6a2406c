"""YAML that two people could read in two ways is refused, at its place."""

import pytest

from gitwf import errors
from gitwf.text import nodes, yaml_reader


def refused(source: bytes | str) -> list[str]:
    with pytest.raises(errors.Rejected) as caught:
        yaml_reader.read(source, "f.yaml")
    return [str(one) for one in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("yes", "yes"),
        ("n", "n"),
        ("0", 0),
        ("-12", -12),
        ("0755", 493),
        ("0o755", 493),
        ("0x1F", 31),
        ("3.10", 3.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("1_000x", "1_000x"),
        ("!!str 12", "12"),
        ("!!float 12", 12),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_a_word_means_what_yaml_1_2_says_but_for_octal_numbers(word, value):
    read = yaml_reader.read(f"[{word}, x]" if word == "-" else f"k: {word}", "f")[0].value

    expected = {"k": value} if word != "-" else ["-", "x"]
    assert repr(expected) == repr(read)


@pytest.mark.parametrize(
    "word", ["08", "1_000", "0b11", ".inf", "-.Inf", ".nan", "1e999", "1" * 500]
)
def test_a_number_that_tools_read_differently_is_refused(word):
    [problem] = refused(f"a: 1\nk: {word}")

    assert problem.startswith("f.yaml:2:4: ")
    assert "quote it" in problem


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key `a` (it stands in line 1 already)"),
        ("a:\n\t- b", "f.yaml:2:1: a tab cannot indent YAML (use spaces)"),
        ("a: @x", "f.yaml:1:4: a value cannot begin with @ (quote it)"),
        ('a: "x', "f.yaml:1:4: this quote is never closed"),
        ("a: x\x07", "f.yaml:1:5: the file holds a control character"),
        (b"a: \xff", "f.yaml:1:4: the file is not UTF-8 (save it with that encoding)"),
        (
            "a: {{x}}",
            (
                "f.yaml:1:5: a key must be text, not a list or a mapping "
                '(a value that begins with a tag needs quotes: "{{…}}")'
            ),
        ),
        (
            "a: {{x}}-y\nb: 1",
            (
                "f.yaml:1:9: this is not YAML: did not find expected key "
                '(a value that begins with a tag needs quotes: "{{…}}")'
            ),
        ),
        (
            "a: *b",
            "f.yaml:1:4: this alias has no anchor before it (quote a text that begins with `*`)",
        ),
        ("a: &a [*a]", "f.yaml:1:8: this alias stands inside its own anchor"),
        (
            "a: !!binary x",
            "f.yaml:1:4: this tag is not supported here (quote a text that begins with `!`)",
        ),
        ("a: !!int x", "f.yaml:1:4: this is not of the type `!!int`"),
        ("<<: 1", "f.yaml:1:5: the merge key `<<` needs a mapping or a list of mappings"),
        ("? \n: 1", "f.yaml:1:2: a key is missing before the `:`"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words_at_its_place(source, expected):
    assert [expected] == refused(source)


def test_all_mistakes_are_found_in_one_go():
    problems = refused("a: 1\na: 2\nb: !x 3\nc: 08\n")

    assert [":".join(one.split(":")[1:3]) for one in problems] == ["2:1", "3:4", "4:4"]


def test_aliases_cannot_explode():
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    [problem] = refused("\n".join(lines))

    assert f"stands for more than {nodes.MAX_NODES} values" in problem


def test_aliases_cannot_nest_without_end():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]

    [problem] = refused("\n".join(lines))

    assert f"nested more than {nodes.MAX_DEPTH} deep" in problem


@pytest.mark.parametrize("source", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_depth_is_bounded(source):
    [problem] = refused(source)

    assert f"nested more than {nodes.MAX_DEPTH} deep" in problem


def test_size_is_bounded():
    assert refused(b"#" * 1_048_577) == ["f.yaml: the file is larger than 1048576 bytes"]


def test_merge_keys_give_what_the_mapping_itself_does_not_say():
    source = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], b: 9}\n"

    assert yaml_reader.read(source, "f")[0].value["z"] == {"a": 1, "b": 9, "c": 4}


def test_a_file_may_hold_several_documents_and_empty_ones_do_not_count():
    documents = yaml_reader.read("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n", "f")

    assert [one.value for one in documents] == [{"a": 1}, {"b": 2}]
    assert (documents[1].place().line, documents[1].place().column) == (7, 1)


def test_an_empty_file_holds_no_document():
    assert yaml_reader.read("# only a comment\n", "f") == []


def test_a_byte_order_mark_moves_no_column():
    [document] = yaml_reader.read("\ufeffa: é\nb: 1\n".encode(), "f")

    assert (document.place(("a",)).line, document.place(("a",)).column) == (1, 4)


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        (("steps", 0, "name"), False, (2, 9)),
        (("steps", 0, "name"), True, (2, 3)),
        (("steps", 1, "when"), False, (4, 9)),
        (("steps", 1, "missing"), False, (4, 3)),
        (("steps", 7), False, (1, 1)),
        ((), False, (1, 1)),
    ],
)
def test_every_value_knows_its_place(path, key, expected):
    source = 'steps:\n- name: "é😀"\n  n: 1\n- when: x\n'
    [document] = yaml_reader.read(source, "f")

    place = document.place(path, key=key)
    assert expected == (place.line, place.column)


def test_lines_are_counted_as_editors_count_them():
    [document] = yaml_reader.read('a: "x\u2028y"\r\nb: 1\r\n', "f")

    assert (document.place(("b",)).line, document.place(("b",)).column) == (2, 4)


@pytest.mark.parametrize("secret", ["*hunter2", "!hunter2", "0123789", "1_23_45", "@hunter2", "'x"])
def test_a_message_never_repeats_a_value(secret):
    [problem] = refused(f"password: {secret}")

    assert "hunter" not in problem
    assert "23" not in problem
