"""Which cluster the tests take, and that nobody's cluster is taken without a word."""

import pytest

from tests.cluster import kind, processes, provider


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("GITWF_TEST_CLUSTER", raising=False)
    monkeypatch.setattr(kind, "lacking", lambda: "no container engine answers")
    monkeypatch.setattr(processes, "lacking", lambda: "not root")


def test_a_kubeconfig_alone_allows_nothing(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "production")

    with pytest.raises(provider.NoCluster) as refused:
        provider.chosen()

    assert str(refused.value) == (
        "no Kubernetes: given: GITWF_TEST_CLUSTER=1 does not allow the KUBECONFIG; "
        "kind: no container engine answers; processes: not root"
    )


def test_a_kubeconfig_that_is_allowed_comes_first(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "for-tests")
    monkeypatch.setenv("GITWF_TEST_CLUSTER", "1")
    monkeypatch.setenv("GITWF_TEST_STEPS_IMAGE", "registry.example/steps:1")
    monkeypatch.setenv("GITWF_TEST_VIEWER_IMAGE", "registry.example/viewer:1")
    monkeypatch.setenv("GITWF_TEST_CONTROLLER_IMAGE", "registry.example/gitwf:1")
    monkeypatch.setattr(kind, "lacking", lambda: "")

    assert provider.chosen() == "given"


def test_a_given_cluster_must_have_the_images(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "for-tests")
    monkeypatch.setenv("GITWF_TEST_CLUSTER", "1")
    monkeypatch.setenv("GITWF_TEST_STEPS_IMAGE", "registry.example/steps:1")
    monkeypatch.setenv("GITWF_TEST_CONTROLLER_IMAGE", "registry.example/gitwf:1")

    with pytest.raises(provider.NoCluster) as refused:
        provider.chosen()

    assert str(refused.value) == (
        "no Kubernetes: given: GITWF_TEST_VIEWER_IMAGE must name an image that its nodes have"
    )


def test_kind_comes_before_processes(monkeypatch):
    monkeypatch.setattr(processes, "lacking", lambda: "")
    without_engine = provider.chosen()
    monkeypatch.setattr(kind, "lacking", lambda: "")

    assert (without_engine, provider.chosen()) == ("processes", "kind")


def test_one_that_is_named_is_the_only_one(monkeypatch):
    monkeypatch.setattr(kind, "lacking", lambda: "")
    monkeypatch.setenv("GITWF_TEST_CLUSTER", "processes")

    with pytest.raises(provider.NoCluster) as refused:
        provider.chosen()

    assert str(refused.value) == "no Kubernetes: processes: not root"


def test_a_name_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("GITWF_TEST_CLUSTER", "minikube")

    with pytest.raises(provider.NoCluster) as refused:
        provider.chosen()

    assert str(refused.value) == "GITWF_TEST_CLUSTER=minikube; it may be 1, given, kind, processes"
