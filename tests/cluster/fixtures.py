"""The fixtures of tests that need a Kubernetes: `cluster`, `namespace` and `cluster_store`.

A test that asks for one of them is marked `slow` and `cluster`, so that a lane of its own runs it.
What they import is loaded when one is used: every run of pytest loads this module.
"""

import contextlib
import uuid

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what needs the cluster."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.cluster)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Say with a test that failed which part of the cluster has ended: it may be the reason."""
    report = yield
    if report.failed and "cluster" in getattr(item, "fixturenames", ()):
        from tests.cluster import sharing

        if said := sharing.ailing():
            report.sections.append(("the cluster", said))
    return report


@pytest.fixture(scope="session")
def cluster():
    """A cluster that stands (`provider.Cluster`), shared with whoever tests at the same time."""
    from tests.cluster import provider, sharing

    try:
        provider.chosen()
    except provider.NoCluster as error:
        pytest.skip(str(error))
    with sharing.shared() as standing:
        yield standing


@contextlib.contextmanager
def new_namespace(cluster, labels=None):
    """Name of an empty namespace that goes with the block."""
    import kubernetes

    name = f"gitwf-test-{uuid.uuid4().hex[:8]}"
    with cluster.client() as client:
        core = kubernetes.client.CoreV1Api(client)
        core.create_namespace({"metadata": {"name": name, "labels": labels or {}}})
        try:
            # No pod can be created before its controller has made the account that pods run as.
            watch = kubernetes.watch.Watch()
            for event in watch.stream(
                core.list_namespaced_service_account, name, timeout_seconds=300
            ):
                if event["object"].metadata.name == "default":
                    watch.stop()
            yield name
        finally:
            core.delete_namespace(name)


@pytest.fixture
def namespace(cluster):
    """Name of a namespace of the test's own, which goes with the test."""
    with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="session")
def cluster_store(cluster):
    """AWS_* of an S3 gateway, with the bucket `models`, that tests and pods reach."""
    from tests.cluster import provider

    with provider.gateway_of(cluster) as settings:
        yield settings
