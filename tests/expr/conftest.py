"""The environment that the tables of the language are evaluated in."""

import pytest


@pytest.fixture
def environment():
    """One `m` with a value of every kind: no row knows the types before it runs."""
    return {
        "m": {
            "i": 3,
            "j": -7,
            "z": 0,
            "f": 2.5,
            "g": -0.5,
            "s": "héllo",
            "t": "a,b,c",
            "n": None,
            "yes": True,
            "no": False,
            "l": [3, 1, 2],
            "w": ["b", "a", "c"],
            "o": {"k": 1, "q": "v", "d": {"e": 5}},
            "e": [],
            "mix": [1, 2.5, "x", None],
            "us": [{"n": "A", "a": 30}, {"n": "B", "a": 20}],
            "big": 9223372036854775807,
        }
    }
