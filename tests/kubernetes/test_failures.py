"""What becomes of an answer of the API server that is not 2xx."""

import json

import pytest

from gitwf.adapters.kubernetes import failures
from gitwf.errors import RaceLost, Stalled, Transient


def status(message, **details):
    return json.dumps({"kind": "Status", "message": message, "details": details})


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (400, "bad", Stalled),
        (401, "Unauthorized", Stalled),
        (403, "forbidden", Stalled),
        (403, "exceeded quota: small", Transient),
        (404, "not found", Stalled),
        (409, "the object has been modified", RaceLost),
        (410, "too old resource version", failures.Gone),
        (422, "invalid", Stalled),
        (429, "slow down", Transient),
        (500, "etcdserver: timeout", Transient),
        (503, "unavailable", Transient),
    ],
)
def test_each_status_says_what_the_loop_does_next(code, message, kind):
    error = failures.translate(code, status(message), "Deployment viewer-app")

    assert type(error) is kind
    assert error.message == f"Deployment viewer-app: {message}"


def test_fields_of_others_are_named_with_their_managers():
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-set" using apps/v1',
            "field": '.spec.template.spec.containers[name="viewer"].env[name="MODEL"].value',
        }
    ]

    error = failures.translate(409, status("Apply failed", causes=causes), "Deployment viewer-app")

    assert isinstance(error, failures.Conflicts)
    assert [one.manager for one in error.fields] == ["kubectl-set"]
    assert "adopt: true" in error.hint


def test_an_answer_of_something_between_is_read_as_text():
    error = failures.translate(502, "<html>bad gateway</html>", "Deployment viewer-app")

    assert isinstance(error, Transient)
    assert "bad gateway" in error.message
