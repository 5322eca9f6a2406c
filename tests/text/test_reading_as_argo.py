"""A workflow's unquoted words mean what they mean to Argo, and whoever is surprised is told."""

import pytest

from gitwf import errors
from gitwf.text import goyaml, scalars, yaml_reader
from tests.text import go_words


def _split(word: str) -> tuple[str, str]:
    tag, _, text = word.rpartition(" ")
    return text, tag.removeprefix("!!")


@pytest.mark.parametrize(("word", "expected"), [(w, v) for w, (v, _) in go_words.WORDS.items()])
def test_a_word_has_the_value_that_argo_gives_it(word, expected):
    if expected is go_words.REFUSED:
        with pytest.raises(scalars.ScalarError):
            goyaml.resolve(*_split(word))
        return
    value = goyaml.resolve(*_split(word))

    # Go writes a whole float as a whole number into JSON: the two are one to whoever reads it.
    if isinstance(value, float):
        expected = float(expected)
    assert repr(expected) == repr(value)


@pytest.mark.parametrize(("word", "expected"), [(w, k) for w, (_, k) in go_words.WORDS.items()])
def test_a_word_is_the_key_that_argo_makes_of_it(word, expected):
    if expected is None:
        with pytest.raises(scalars.ScalarError):
            goyaml.key(*_split(word))
        return

    assert expected == goyaml.key(*_split(word))


def test_a_number_that_go_cannot_hold_stays_text():
    assert "1" * 500 == goyaml.resolve("1" * 500)


def test_every_word_that_yaml_1_2_reads_otherwise_is_told_at_its_place():
    source = "a: yes\nb: 'no'\nc: 1_000\nd: 0644\ne: 1e999\nf: true\ny: 1\n8: 1\n"

    [document] = yaml_reader.read(source, "f.yaml", argo=True)

    assert {"a": True, "b": "no", "c": 1000, "d": 420, "e": "1e999", "f": True} == {
        key: value for key, value in document.value.items() if key in "abcdef"
    }
    assert ["true", "8"] == list(document.value)[-2:]
    hint = "(quote it to keep the text)"
    assert [
        f"f.yaml:1:4: warning: Argo reads `yes` as true {hint}",
        f"f.yaml:3:4: warning: Argo reads this number by other rules than YAML 1.2 {hint}",
        f"f.yaml:7:1: warning: Argo reads this key as `true` {hint}",
    ] == [str(one) for one in document.doubts]
    assert (7, 4) == (document.place(("true",)).line, document.place(("true",)).column)


def test_what_an_alias_repeats_is_told_once():
    [document] = yaml_reader.read("a: &a {b: on}\nc: *a\nd: {<<: *a}\n", "f", argo=True)

    assert ["f:1:11"] == [str(one).split(": ")[0] for one in document.doubts]


def test_keys_that_argo_takes_for_one_are_duplicates():
    with pytest.raises(errors.Rejected) as caught:
        yaml_reader.read("y: 1\nyes: 2\n", "f", argo=True)

    assert ["f:2:1: duplicate key `true` (it stands in line 1 already)"] == [
        str(one) for one in caught.value.diagnostics
    ]


def test_a_key_that_is_null_is_refused_at_its_place():
    with pytest.raises(errors.Rejected) as caught:
        yaml_reader.read("a: {~: 1}\n", "f", argo=True)

    assert ["f:1:5: Argo takes no such word as a key; quote it"] == [
        str(one) for one in caught.value.diagnostics
    ]
