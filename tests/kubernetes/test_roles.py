"""The controller's roles: with all of a role its work is done, with one verb less it is not.

The verbs are read from the manifests that people install, so that none can be added there without
work here that needs it.
"""

import base64
import dataclasses
import itertools
import json
import pathlib

import pytest

from gitwf import ports
from gitwf.adapters import clock
from gitwf.adapters.kubernetes import argo, connection, lease, submission, target
from gitwf.errors import GitwfError
from gitwf.values import CommitId, Digest
from tests import waiting
from tests.kubernetes import kustomize, replayer
from tests.parity import comparing

RBAC = "rbac.authorization.k8s.io/v1"
CASE = "art-file-pass"
SAYS = "this is what it wrote"
PATIENCE_SECONDS = 60  # in which a busy node has a first pod crash


def rules(name):
    """The rules of a role of the manifests, one for each resource and verb."""
    roles = [
        one for one in kustomize.resources(kustomize.ROOT / "namespace") if one["kind"] == "Role"
    ]
    (found,) = [one for one in roles if one["metadata"]["name"] == name]
    return [
        {**rule, "resources": [resource], "verbs": [verb]}
        for rule in found["rules"]
        for resource, verb in itertools.product(rule["resources"], rule["verbs"])
    ]


@dataclasses.dataclass
class Account:
    """A namespace, what may do everything there, and what may do only what rules say."""

    admin: connection.Connection
    may: connection.Connection
    image: str


@pytest.fixture
def account(cluster, namespace, tmp_path):
    """Make an account with some rules."""
    import kubernetes

    place = connection.Settings(namespace, kubeconfig=cluster.kubeconfig)
    admin = connection.Connection(place)

    def make(given):
        admin.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "gitwf"}})
        admin.create(
            {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "gitwf"}, "rules": given}
        )
        subject = {"kind": "ServiceAccount", "name": "gitwf", "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gitwf"}
        admin.create(
            {
                "apiVersion": RBAC,
                "kind": "RoleBinding",
                "metadata": {"name": "gitwf"},
                "roleRef": role,
                "subjects": [subject],
            }
        )
        with cluster.client() as client:
            asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            core = kubernetes.client.CoreV1Api(client)
            made = core.create_namespaced_service_account_token("gitwf", namespace, asked)
            known = client.configuration
        authority = known.ca_cert_data or pathlib.Path(known.ssl_ca_cert).read_text()
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(_kubeconfig(known.host, authority, made.status.token)))
        return Account(
            admin,
            connection.Connection(connection.Settings(namespace, kubeconfig=file)),
            cluster.steps,
        )

    return make


def _kubeconfig(host, authority, token):
    data = base64.b64encode(authority.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "c", "cluster": {"server": host, "certificate-authority-data": data}}
        ],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def manifests(image, number):
    """A Deployment that crashes, with companions whose names are its own."""
    command = ["sh", "-c", f"echo {SAYS}; exit 3"]
    never = {"exec": {"command": ["false"]}}
    container = {"name": "viewer", "image": image, "command": command, "readinessProbe": never}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "v"},
        "spec": {
            "replicas": 1 if number == 3 else 0,
            "selector": {"matchLabels": {"app": "v"}},
            "template": {"metadata": {"labels": {"app": "v"}}, "spec": pod},
        },
    }
    name = {"name": f"v-{number}"}
    ports_ = [{"port": 80}]
    return (
        deployment,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {}},
        {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"ports": ports_}},
    )


def deliver(account):
    """What gitwf does for an environment: three releases, the last of which fails."""
    own = target.Settings("m", "production", "viewer", verified=False)
    made = target.KubernetesTarget(own, account.may)
    over = {ports.RolloutState.COMPLETE, ports.RolloutState.FAILED}
    for number in (1, 2, 3):
        serving = made.observe()
        desired = ports.Desired(
            "production",
            CommitId(f"{number:040x}"),
            "m",
            number,
            "s3://models/m/model.json",
            Digest.of(b""),
            None,
            "f" * 40,
            serving.revision if serving else "",
            manifests=manifests(account.image, number),
        )
        made.apply(desired)
        if number == 3:
            waiting.until(lambda wanted=desired: watched(made, wanted))
            overdue(account)
        rollout = waiting.until(
            lambda wanted=desired: found if (found := made.progress(wanted)).state in over else None
        )
    left, _ = account.admin.listed("v1", "ConfigMap", labels="gitwf.dev/model=m")
    services, _ = account.admin.listed("v1", "Service", labels="gitwf.dev/model=m")
    assert [one["metadata"]["name"] for one in (*left, *services)] == ["v-2", "v-3"] * 2
    assert SAYS in rollout.reason


def watched(made, desired):
    """Whether gitwf, asked how the rollout stands, found nothing new and waited for news."""
    seen = made._seen
    assert made.progress(desired).state is ports.RolloutState.PROGRESSING
    return made._seen == seen


def overdue(account):
    """Let the Deployment's time be up once its pod has crashed."""

    def crashed():
        pods, _ = account.admin.listed("v1", "Pod", labels="app=v")
        statuses = [one for pod in pods for one in pod["status"].get("containerStatuses", ())]
        return any(one["state"].get("terminated") or one["restartCount"] for one in statuses)

    waiting.until(crashed)
    at_once = {"spec": {"progressDeadlineSeconds": 1}}
    account.admin.merge("apps/v1", "Deployment", "v", at_once)


def run(account):
    """What gitwf does in Argo's namespace: submit, follow, cancel, read what steps wrote."""
    replayer.define(account.admin)
    engine = argo.ArgoEngine(argo.Settings(None), account.may, None)
    case = next(one for one in comparing.cases() if one.path.stem == CASE)
    engine.start(ports.Order(CASE, CASE, replayer.played(case.read()), {}))
    watching = engine.watch(CASE)
    next(watching)
    for stage in replayer.stages(CASE)[:2]:
        replayer.play(account.admin, CASE, [stage])
        next(watching)
    engine.cancel(CASE, "enough")
    container = {"name": "main", "image": account.image, "command": ["echo", SAYS]}
    account.admin.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "labels": {"workflows.argoproj.io/workflow": CASE}},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        }
    )
    waiting.until(lambda: account.admin.log("p", "main"))
    assert [line.text for line in engine.logs(CASE)] == [SAYS]
    assert account.admin.get(submission.API, "Workflow", CASE)["spec"]["shutdown"] == "Stop"


def lead(account):
    """What gitwf does to lead: take the Lease, keep it, see that it keeps it."""
    settings = lease.Settings("gitwf", "one", 1.0)
    first = lease.Leadership(settings, account.may, clock.SystemClock())
    for _ in range(2):
        assert first._attempt()


WORK = {"gitwf-deliver": deliver, "gitwf-run": run, "gitwf-lead": lead}
VERBS = [
    pytest.param(role, rule, id=f"{role}-{rule['resources'][0]}-{rule['verbs'][0]}")
    for role in WORK
    for rule in rules(role)
]


@pytest.mark.parametrize("role", WORK)
def test_a_role_is_enough_for_its_work(account, role):
    WORK[role](account(rules(role)))


@pytest.mark.parametrize(("role", "rule"), VERBS)
def test_without_one_verb_of_a_role_its_work_is_not_done(account, role, rule, monkeypatch):
    monkeypatch.setattr(replayer, "SECONDS", PATIENCE_SECONDS)
    given = [one for one in rules(role) if one != rule]

    with pytest.raises((GitwfError, AssertionError)):
        WORK[role](account(given))
