"""In what an object differs from what was applied, and who made it so."""

from gitwf.adapters.kubernetes import drift
from gitwf.ports import Drift


def viewer(model, **more):
    env = [{"name": "A", "value": "1"}, {"name": "MODEL", "value": model}]
    return {
        "metadata": {"name": "viewer-app", "resourceVersion": model, **more},
        "spec": {"template": {"spec": {"containers": [{"name": "viewer", "env": env}]}}},
        "status": {"replicas": len(model)},
    }


EDITED = [
    {
        "manager": "kubectl-edit",
        "operation": "Update",
        "fieldsV1": {
            "f:spec": {
                "f:template": {
                    "f:spec": {
                        "f:containers": {
                            'k:{"name":"viewer"}': {
                                "f:env": {'k:{"name":"MODEL"}': {"f:value": {}}}
                            }
                        }
                    }
                }
            }
        },
    },
    {"manager": "gitwf", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
]


def test_a_changed_variable_is_named_with_who_changed_it_and_to_what():
    live = viewer("v7", managedFields=EDITED)

    assert drift.between(live, viewer("v8")) == [
        Drift("spec.template.spec.containers[viewer].env[MODEL].value", "kubectl-edit", "v7")
    ]


def test_status_and_the_servers_own_fields_are_no_drift():
    live = viewer("v8", generation=3)
    applied = {**viewer("v8"), "status": {}}

    assert drift.between(live, applied) == []


def test_a_field_that_was_taken_away_is_drift_of_nobody_known():
    live = viewer("v8")
    del live["spec"]["template"]["spec"]["containers"][0]["env"][1]

    assert drift.between(live, viewer("v8")) == [
        Drift("spec.template.spec.containers[viewer].env[MODEL]", "", "nothing")
    ]


def test_a_long_value_is_cut():
    (found,) = drift.between(viewer("x" * 1000), viewer("v8"))

    assert len(found.value) == 201
