"""Documents from a few lines of text."""

import textwrap

import pytest

from gitwf.workflow.document import load, resolve, validate

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n"


@pytest.fixture
def resolved():
    """Resolve a spec: its lines, dedented; `others` are files by name."""

    def make(spec, *others, metadata="{name: w}"):
        head = HEAD.replace("{name: w}", metadata)
        files = {"w.yaml": head + textwrap.indent(textwrap.dedent(spec), "  ")}
        files |= {f"o{index}.yaml": textwrap.dedent(text) for index, text in enumerate(others)}
        loaded = load.load({name: text.encode() for name, text in files.items()})
        return resolve.resolve(loaded.runnable("w.yaml"), loaded)

    return make


@pytest.fixture
def problems(resolved):
    """Validate a spec and give its errors as text, each with its line in the spec, from 1."""

    def find(spec, *others, **options):
        whole = resolved(spec.lstrip("\n"), *others)
        head = HEAD.count("\n")
        return [
            f"{one.line - head}: {one.message}"
            for one in validate.validate(whole, **options)
            if one.is_error
        ]

    return find
