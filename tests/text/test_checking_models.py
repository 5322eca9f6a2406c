"""A document that does not fit its model is refused in plain words, each mistake at its place."""

from typing import Literal

import pydantic

from gitwf.text import models, yaml_reader


class Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str
    size: int = pydantic.Field(default=1, ge=1)


class After(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
    after: str
    soak: int = 0


class Whole(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = pydantic.Field(default_factory=dict, alias="byName")
    promote: Literal["auto", "manual"] | After = "auto"
    command: str | list[str] = ""
    on: bool = False

    @pydantic.field_validator("command")
    @classmethod
    def not_rm(cls, value):
        if value == "rm":
            raise ValueError("must not be rm")
        return value


def problems(source):
    model, found = models.check(Whole, yaml_reader.read_one(source, "f"))
    assert (model is None) is bool(found)
    return [str(one) for one in found]


def test_a_document_that_fits_gives_the_model():
    document = yaml_reader.read_one("parts: [{name: a, size: 2}]\nbyName: {x: {name: b}}", "f")

    model, found = models.check(Whole, document)

    assert found == []
    assert Whole(parts=(Part(name="a", size=2),), byName={"x": Part(name="b")}) == model


def test_an_unknown_field_gets_the_nearest_known_one_as_a_hint():
    assert problems("parts: [{name: a,siez: 2}]") == [
        "f:1:18: unknown field `siez` (did you mean `size`?)"
    ]
    assert problems("byName: {x: {name: b  , nmae: c}}") == [
        "f:1:25: unknown field `nmae` (did you mean `name`?)"
    ]
    assert problems("zebra: 1") == ["f:1:1: unknown field `zebra`"]


def test_a_caller_can_give_a_better_hint():
    document = yaml_reader.read_one("zebra: 1", "f")

    [found] = models.check(Whole, document, hints={"zebra": "it ran away"})[1]

    assert found.hint == "it ran away"


def test_a_wrong_type_is_named_in_plain_words():
    assert problems("parts: [{name: 3, size: x}  , 7]") == [
        "f:1:16: `name` must be text; quote it",
        "f:1:25: `size` must be a whole number",
        "f:1:31: item 2 of `parts` must be a mapping of fields",
    ]
    assert problems("on: yes") == ["f:1:5: `on` must be true or false"]
    assert problems("parts: [{name: a, size: 0}]") == ["f:1:25: `size` must be 1 or more"]
    assert problems("command: rm") == ["f:1:10: `command` must not be rm"]


def test_what_is_missing_is_named_where_it_should_stand():
    assert problems("parts:\n- size: 1\n") == ["f:2:3: `parts`: `name` is required"]


def test_a_union_speaks_once():
    expected = ["f:1:10: `promote` must be 'auto' or 'manual' or a mapping of fields"]
    assert expected == problems("promote: sometimes")
    assert problems("command: 3") == ["f:1:10: `command` must be text or a list"]


def test_in_a_union_only_the_branch_that_was_meant_speaks():
    assert problems("promote: {after: x, soak: long}") == ["f:1:27: `soak` must be a whole number"]
    assert problems("command: [1]") == ["f:1:11: item 1 of `command` must be text"]


def test_a_document_that_is_no_mapping_is_refused():
    assert problems("- a") == ["f:1:1: the document must be a mapping of fields"]
