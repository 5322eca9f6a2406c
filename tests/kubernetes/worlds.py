"""A world whose production is a namespace of a real cluster, and the viewers that serve there."""

import contextlib
import dataclasses
import time
import typing

import requests

from gitwf.adapters.kubernetes import connection
from gitwf.testing import git_repository
from tests.e2e import conftest as e2e

APPS = "apps/v1"
NAME = "toy-viewer"
PORT = 8080
SECONDS = 300
PAGES = 50  # (2/3)^50: one address of three that is left is missed once in 10^8 waits
DRAIN_SECONDS = 10  # new visitors go elsewhere at once, open sessions get this long
PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {{name: shop}}
spec:
  store: s3://models/{namespace}
  environments:
    production:
      kubernetes:
        namespace: {namespace}
        fetch: {{image: "{viewer}", secret: store}}
"""
# A page that names its model, quick to start; it ends well: what it has begun to answer, it does.
SERVE = """\
import http.server, json, os, signal, threading
tag = os.environ["MODEL"]
model = json.load(open(os.environ["MODEL_FILE"]))
page = f'<meta name="gitwf-model" content="{tag}">{model}'.encode()
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
    def log_message(self, *said):
        pass
server = http.server.ThreadingHTTPServer(("", 8080), Page)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: "{{{{ release.model }}}}-viewer"}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: toy}}}}
  strategy: {{rollingUpdate: {{maxUnavailable: 0, maxSurge: 1}}}}
  template:
    metadata: {{labels: {{app: toy}}}}
    spec:
      terminationGracePeriodSeconds: 40
      containers:
      - name: viewer
        image: {viewer}
        command: [python3, /srv/viewer/serve.py]
        readinessProbe: {{httpGet: {{path: /, port: {port}}}, periodSeconds: 1, timeoutSeconds: 30}}
        lifecycle: {{preStop: {{sleep: {{seconds: {drain}}}}}}}
        volumeMounts: [{{name: app, mountPath: /srv/viewer}}]
      volumes:
      - {{name: app, configMap: {{name: "toy-{{{{ viewer.id[:12] }}}}"}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: "toy-{{{{ viewer.id[:12] }}}}"}}
data: {{{{ viewer.files | tojson }}}}
---
apiVersion: v1
kind: Service
metadata: {{name: "{{{{ release.model }}}}-viewer"}}
spec:
  type: NodePort
  selector: {{app: toy}}
  ports: [{{port: {port}}}]
"""
VIEWER = "pipelines/toy/viewer/serve.py"
MANIFEST = "manifests/viewer/all.yaml.j2"


@dataclasses.dataclass
class ClusterWorld(e2e.World):
    """A world that deploys to `namespace` of `cluster`; `keys` are the store's AWS_*.

    `serving`: what its Deployment and its Service are called.
    """

    serving: typing.ClassVar[str] = NAME

    cluster: object
    namespace: str
    keys: dict

    def environment(self, **more):
        given = {**self.keys, "KUBECONFIG": str(self.cluster.kubeconfig)}
        return super().environment(**{**given, **more})

    def connection(self):
        """What looks at the namespace, as gitwf would."""
        return connection.Connection(
            connection.Settings(self.namespace, kubeconfig=self.cluster.kubeconfig)
        )

    def deployment(self, name=""):
        """The viewer's Deployment as it is."""
        return self.connection().get(APPS, "Deployment", name or self.serving)

    def variable(self, name):
        """A variable of the viewer's container."""
        return variable(self.deployment()["spec"]["template"], name)

    def address(self, name=""):
        """Where this machine reaches the viewer."""
        service = self.connection().get("v1", "Service", name or self.serving)
        return f"http://{self.cluster.node}:{service['spec']['ports'][0]['nodePort']}"

    def served(self):
        """The model that the page names."""
        page = requests.get(self.address(), timeout=60)
        assert page.status_code == 200, page.text
        return page.text.partition('name="gitwf-model" content="')[2].partition('"')[0]

    def comes_to_serve(self, model):
        """Wait till the rollout of this model is over; the one that every page names then.

        Otherwise those that pages named last, if it was over at all.
        """
        deadline = time.monotonic() + SECONDS
        while (found := self.seen(model)) != {model} and time.monotonic() < deadline:
            time.sleep(0.05)
        return model if found == {model} else found

    def seen(self, model):
        """The models that pages name once the rollout of `model` is over; none before.

        A node's own table of addresses follows the cluster's by a moment, the first time too: there
        are so many pages that an address that is left in it is met.
        """
        with contextlib.suppress(requests.RequestException, TypeError, AssertionError):
            if self.rolled_out(model) and self.behind() == {model}:
                return {self.served() for _ in range(PAGES)}
        return set()

    def rolled_out(self, model):
        """Whether the Deployment is of this model, and each of its pods, and all are available."""
        deployment = self.deployment()
        wanted, status = deployment["spec"]["replicas"], deployment["status"]
        told = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        kinds = ("replicas", "updatedReplicas", "availableReplicas")
        counts = {status.get(kind, 0) for kind in kinds}
        return told and counts == {wanted} and self.variable("MODEL") == model

    def behind(self):
        """The models of the pods that the Service leads to; None for one that is gone."""
        opened = self.connection()
        named = f"kubernetes.io/service-name={self.serving}"
        slices, _ = opened.listed("discovery.k8s.io/v1", "EndpointSlice", labels=named)
        pods = {one["metadata"]["name"]: one for one in opened.listed("v1", "Pod")[0]}
        ends = [
            end for one in slices for end in one["endpoints"] or () if end["conditions"]["ready"]
        ]
        led = {end["targetRef"]["name"] for end in ends}
        return {variable(pods[name], "MODEL") if name in pods else None for name in led}

    def manifest(self, *, replicas=2):
        """The viewer's manifests; its rollouts have the ten minutes that Kubernetes gives them."""
        return DEPLOYMENT.format(
            viewer=self.cluster.viewer,
            port=PORT,
            drain=DRAIN_SECONDS,
            replicas=replicas,
        )

    def gone(self, ask):
        """Wait till `ask()` gives nothing; what it gave last otherwise."""
        deadline = time.monotonic() + SECONDS
        while (found := ask()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found


def variable(pod, name):
    """A variable of the one container of a pod, or of a template of pods."""
    (container,) = pod["spec"]["containers"]
    return next(one["value"] for one in container["env"] if one["name"] == name)


def make(folder, cluster, namespace, keys, kind=ClusterWorld):
    """Make a world in an empty folder, with the toy pipeline on its branch."""
    folder.mkdir(parents=True)
    remote = git_repository.Repository.create(folder / "shop.git")
    made = kind(folder, str(remote.path), remote, folder / "state", cluster, namespace, keys)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}}
    made.connection().create({**secret, "stringData": keys})
    files = dict(e2e.FILES)
    del files["pipelines/toy/viewer/notes.txt"], files["manifests/viewer/deployment.yaml"]
    files |= {
        "gitwf.yaml": PROJECT.format(namespace=namespace, viewer=cluster.viewer),
        VIEWER: SERVE,
        MANIFEST: made.manifest(),
    }
    made.write(files, "Begin")
    return made
