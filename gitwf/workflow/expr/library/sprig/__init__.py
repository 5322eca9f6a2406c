"""Sprig, the function library that Argo puts into every expression as the map `sprig`.

After Masterminds/sprig v3, whose argument order differs from the language's own functions: the
subject comes last (`sprig.trunc(5, text)`). Left out, so that an expression stays a function of its
environment: what draws random numbers or makes keys and certificates, what resolves host names and
what reads environment variables; `now` gives the time of the environment. Functions that change
their map in Go (`set`, `merge`) return a changed copy. Each module holds one subject.
"""

import functools
from collections.abc import Mapping

from gitwf.workflow.expr.library import context
from gitwf.workflow.expr.library.sprig import (
    addresses,
    encodings,
    lists,
    maps,
    numbers,
    signatures,
    texts,
    types,
    versions,
    wrapping,
)

_BODIES: context.Bodies = {
    **addresses.FUNCTIONS,
    **encodings.FUNCTIONS,
    **lists.FUNCTIONS,
    **maps.FUNCTIONS,
    **numbers.FUNCTIONS,
    **texts.FUNCTIONS,
    **types.FUNCTIONS,
    **versions.FUNCTIONS,
    **wrapping.FUNCTIONS,
}
FUNCTIONS: Mapping[str, context.Reflected] = {
    name: context.Reflected(body, functools.partial(signatures.taken, signatures.TAKES[name]))
    for name, body in _BODIES.items()
}
"""Every function by its name after `sprig.`."""
