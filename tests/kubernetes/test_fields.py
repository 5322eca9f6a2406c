"""Which fields of a Deployment a release sets, and how they are laid over one that is there."""

from gitwf.adapters.kubernetes import fields


def test_a_release_sets_the_model_of_one_container_and_puts_it_in_place_first(desired):
    given = fields.of_release(desired, "viewer-app", "viewer", image="gitwf:1", secret="store")

    pod = given["spec"]["template"]["spec"]
    assert pod["containers"] == [
        {
            "name": "viewer",
            "env": [
                {"name": "MODEL", "value": "ad-effect-v42"},
                {"name": "MODEL_DIGEST", "value": str(desired.digest)},
                {"name": "MODEL_FILE", "value": "/gitwf/model/model.json"},
                {"name": "MODEL_URI", "value": desired.uri},
                {"name": "THEME", "value": "dark"},
            ],
            "volumeMounts": [
                {"name": "gitwf-model", "mountPath": "/gitwf/model", "readOnly": True}
            ],
        }
    ]
    (fetch,) = pod["initContainers"]
    assert fetch["command"] == ["gitwf", "fetch", desired.uri]
    assert fetch["args"] == ["--digest", desired.digest, "--to", "/gitwf/model/model.json"]
    assert fetch["envFrom"] == [{"secretRef": {"name": "store"}}]
    assert given["metadata"]["annotations"] == {
        "gitwf.dev/release": "a" * 40,
        "gitwf.dev/viewer": "f" * 40,
    }


def test_a_pipelines_variable_never_replaces_one_of_gitwfs_own(desired):
    import dataclasses

    sly = dataclasses.replace(desired, env={"MODEL": "another"})

    assert {"name": "MODEL", "value": "ad-effect-v42"} in fields.environment(sly)


def test_two_releases_of_one_version_with_one_viewer_give_the_same_pods(desired):
    import dataclasses

    from gitwf.values import CommitId

    again = dataclasses.replace(desired, release=CommitId("b" * 40))
    first, second = (
        fields.of_release(one, "viewer-app", "viewer", image="", secret="")
        for one in (desired, again)
    )

    assert first["spec"] == second["spec"]
    assert first != second


def test_without_verification_nothing_but_the_model_is_set(desired):
    given = fields.of_model_alone(desired, "viewer-app", "viewer")

    assert given["spec"]["template"]["spec"] == {
        "containers": [{"name": "viewer", "env": [{"name": "MODEL", "value": "ad-effect-v42"}]}]
    }


def test_what_is_laid_over_a_manifest_keeps_everything_else_of_it():
    below = {
        "spec": {
            "replicas": 2,
            "containers": [
                {"name": "log", "image": "log:1"},
                {"name": "viewer", "image": "r:1", "env": [{"name": "A", "value": "1"}]},
            ],
        }
    }
    above = {"spec": {"containers": [{"name": "viewer", "env": [{"name": "B", "value": "2"}]}]}}

    assert fields.overlay(below, above) == {
        "spec": {
            "replicas": 2,
            "containers": [
                {"name": "log", "image": "log:1"},
                {
                    "name": "viewer",
                    "image": "r:1",
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                },
            ],
        }
    }


def test_a_list_of_plain_values_is_replaced_whole():
    assert fields.overlay({"args": ["a", "b"]}, {"args": ["c"]}) == {"args": ["c"]}


def test_what_was_created_becomes_what_is_applied():
    created = {"manager": "gitwf", "operation": "Update", "fieldsV1": {"f:spec": {}}}
    status = {"manager": "gitwf", "operation": "Update", "subresource": "status"}
    other = {"manager": "kubectl-edit", "operation": "Update"}

    assert fields.upgraded([created, status, other]) == [
        status,
        other,
        {**created, "operation": "Apply"},
    ]
    assert fields.upgraded([other]) is None


def test_what_is_applied_already_is_not_applied_twice():
    created = {"manager": "gitwf", "operation": "Update"}
    applied = {"manager": "gitwf", "operation": "Apply"}

    assert fields.upgraded([created, applied]) == [applied]
