"""Kubernetes objects as the API server gives them, cut to what matters."""

import os

import pytest

from gitwf import ports
from gitwf.values import CommitId, Digest

# Only where Argo's own controller watches the cluster.
collect_ignore = [] if os.environ.get("GITWF_TEST_ARGO") == "1" else ["test_real_argo.py"]

RELEASE = CommitId("a" * 40)


@pytest.fixture
def desired():
    return ports.Desired(
        environment="production",
        release=RELEASE,
        model="ad-effect",
        version=42,
        uri="s3://models/ad-effect/sha256/ab/model.json",
        digest=Digest.of(b"model"),
        viewer=None,
        viewer_id="f" * 40,
        based_on="",
        env={"THEME": "dark"},
    )


@pytest.fixture
def world(tmp_path, cluster, namespace, cluster_store):
    """One world whose production is a namespace of the cluster, nothing trained yet."""
    from tests.kubernetes import worlds

    return worlds.make(tmp_path / "world", cluster, namespace, cluster_store)
