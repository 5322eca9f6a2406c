"""Templates that ask a server, against a real one on this machine: what is sent, what comes."""

import base64
import gzip
import http.server
import json
import socket
import ssl
import subprocess
import threading

import pytest

from gitwf.errors import Rejected

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 120

ASK = """
  templates:
  - name: main
    {more}
    http:
      url: "{url}"
{fields}
"""


class Server(http.server.ThreadingHTTPServer):
    """Answers by path, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, folder=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked = []
        self.go_on = threading.Event()
        self.waits = threading.Event()
        self.gave_up = threading.Event()
        self.elsewhere = ""
        self.scheme = "http"
        if folder is not None:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """Say nothing: clients go away here on purpose."""


class Answers(http.server.BaseHTTPRequestHandler):
    """One answer."""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers.items()), body))
        getattr(self, "at_" + self.path.split("/")[1])()

    do_POST = do_PUT = do_GET  # noqa: N815 - as http.server names them

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def at_ok(self):
        self.say(200, b"hello\n", x_kind="greeting")

    def at_number(self):
        self.say(200, b"1")

    def at_status(self):
        self.say(int(self.path.split("/")[2]), b"as you wish")

    def at_flaky(self):
        self.say(200 if len(self.server.asked) > 2 else 503, str(len(self.server.asked)).encode())

    def at_moved(self):
        self.say(int(self.path.split("/")[2]), location="/ok")

    def at_elsewhere(self):
        self.say(307, location=f"{self.server.elsewhere}/ok")

    def at_loop(self):
        self.say(302, location="/loop")

    def at_packed(self):
        self.say(200, gzip.compress(b"unpacked"), content_encoding="gzip")

    def at_big(self):
        self.say(200, b"x" * ((1 << 20) + 1))

    def at_slow(self):
        self.server.waits.set()
        self.connection.settimeout(PATIENCE_SECONDS)
        if not self.connection.recv(1):
            self.server.gave_up.set()

    def at_half(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.wfile.flush()
        self.at_slow()

    def at_broken(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.wfile.flush()
        self.at_gone()

    def at_gone(self):
        self.connection.shutdown(socket.SHUT_RDWR)


def serving(server):
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def server():
    one = serving(Server())
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def other():
    one = serving(Server())
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def tls(tmp_path):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    one = serving(Server(tmp_path))
    yield one
    one.shutdown()
    one.server_close()


def ask(url, *fields, more=""):
    lines = "".join(f"      {field}\n" for field in fields)
    return ASK.format(url=url, fields=lines, more=more)


def test_a_request_is_a_node_whose_result_is_the_response(bare, server):
    ran = bare.run(ask(f"{server.url}/ok"))

    node = ran["wf"]
    assert (node.type, node.phase, node.message) == ("HTTP", "Succeeded", "")
    assert node.outputs.result == "hello\n"
    assert node.outputs.exit_code is None
    method, path, headers, body = server.asked[0]
    assert (method, path, body) == ("GET", "/ok", b"")
    assert headers["User-Agent"] == "gitwf"
    assert ran.log == {}


def test_the_result_goes_on_into_the_next_step(bare, server):
    ran = bare.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: get, template: get, arguments: {{parameters: [{{name: at, value: ok}}]}}}}
    - - {{name: say, template: say, arguments: {{parameters: [{{name: x, value: '{{{{steps.get.outputs.result}}}}'}}]}}}}
  - name: get
    inputs: {{parameters: [{{name: at}}]}}
    http: {{url: '{server.url}/{{{{inputs.parameters.at}}}}'}}
  - name: say
    inputs: {{parameters: [{{name: x}}]}}
    container: {{image: none, command: [printf, '%s', '{{{{inputs.parameters.x}}}}']}}
""")

    assert ran.log["wf[1].say"] == "hello\n"


def test_method_headers_and_body_are_sent(bare, server):
    fields = (
        "method: PUT",
        "headers: [{name: X-A, value: '1'}, {name: X-A, value: '2'}, {name: Host, value: there}]",
        "body: 'grüße'",
    )
    bare.run(ask(f"{server.url}/ok", *fields))

    method, _, headers, body = server.asked[0]
    assert (method, body.decode()) == ("PUT", "grüße")
    assert headers["X-A"] == "1, 2"
    assert headers["Host"] == "there"


def test_a_body_of_bytes_is_sent_as_it_is(bare, server):
    content = bytes(range(256))
    text = base64.b64encode(content).decode()
    bare.run(ask(f"{server.url}/ok", "method: POST", f"bodyFrom: {{bytes: {text}}}"))

    assert server.asked[0][3] == content


@pytest.mark.parametrize("status", [404, 304, 500])
def test_a_status_that_is_no_success_fails_in_argos_words(bare, server, status):
    ran = bare.run(ask(f"{server.url}/status/{status}"))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message == f"received non-2xx response code: {status}"
    assert ran["wf"].outputs.result == ("" if status == 304 else "as you wish")


@pytest.mark.parametrize(
    ("condition", "phase", "message"),
    [
        ("response.statusCode == 404", "Succeeded", ""),
        ("response.body contains 'wish' && request.method == 'POST'", "Succeeded", ""),
        ("response.headers['Content-Length'][0] == '11'", "Succeeded", ""),
        ("request.headers['x'][0] + request.body == 'ab'", "Succeeded", ""),
        ("request.bodyBytes == nil && len(request.bodyBytes) == 0", "Succeeded", ""),
        ("response.headers['No'] == nil && 'No' not in response.headers", "Succeeded", ""),
        ("(response.headers['No'] ?? ['d'])[0] == 'd'", "Succeeded", ""),
        (
            "response.headers['No'][0] == 'd'",
            "Failed",
            """\
unable to evaluate expression 'response.headers['No'][0] == 'd'': \
index out of range: 0 (array length is 0) (1:23)
 | response.headers['No'][0] == 'd'
 | ......................^""",
        ),
        (
            "response.statusCode == 200",
            "Failed",
            "successCondition 'response.statusCode == 200' evaluated false",
        ),
        (
            "response.statusCode",
            "Failed",
            "unable to cast expression result '%!s(int=404)' to bool",
        ),
    ],
)
def test_a_condition_decides(bare, server, condition, phase, message):
    ran = bare.run(
        ask(
            f"{server.url}/status/404",
            "method: POST",
            "body: b",
            "headers: [{name: x, value: a}]",
            f"successCondition: {json.dumps(condition)}",
        )
    )

    assert (ran["wf"].phase, ran["wf"].message) == (phase, message)


@pytest.mark.parametrize("condition", ["response.", "nobody == 1", "response.body > 1"])
def test_a_condition_that_cannot_be_worked_out_fails(bare, server, condition):
    ran = bare.run(ask(f"{server.url}/ok", f"successCondition: {json.dumps(condition)}"))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message
    assert ran["wf"].outputs.result is None


@pytest.mark.parametrize(
    ("status", "method", "body"), [(302, "GET", b""), (307, "POST", b"b"), (303, "GET", b"")]
)
def test_a_redirect_is_followed(bare, server, status, method, body):
    ran = bare.run(ask(f"{server.url}/moved/{status}", "method: POST", "body: b"))

    assert ran["wf"].outputs.result == "hello\n"
    assert [(one[0], one[3]) for one in server.asked] == [("POST", b"b"), (method, body)]


def test_redirects_end_somewhere(bare, server):
    ran = bare.run(ask(f"{server.url}/loop"))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message == f'Get "{server.url}/loop": stopped after 10 redirects'


def test_what_is_packed_on_the_way_is_unpacked(bare, server):
    condition = "!('Content-Encoding' in response.headers)"
    ran = bare.run(ask(f"{server.url}/packed", f'successCondition: "{condition}"'))

    assert ran["wf"].message == ""
    assert ran["wf"].outputs.result == "unpacked"


def test_a_response_that_is_too_long_fails(bare, server):
    ran = bare.run(ask(f"{server.url}/big"))

    assert (ran["wf"].phase, ran["wf"].message) == (
        "Failed",
        "the response is longer than 1048576 bytes",
    )


def test_a_closed_port_is_said_in_gos_words(bare):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
        ran = bare.run(ask(f"http://user:hidden@{address}/x", "method: POST"))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message == (
        f'Post "http://user:***@{address}/x": dial tcp {address}: connect: connection refused'
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://there/x", 'Get "ftp://there/x": unsupported protocol scheme "ftp"'),
        ("there", 'Get "there": unsupported protocol scheme ""'),
        ("http://", 'Get "http://": http: no Host in request URL'),
        ("http:there", 'Get "http:there": http: no Host in request URL'),
        ("://there", 'parse "://there": missing protocol scheme'),
        (
            "127.0.0.1:80/x",
            'parse "127.0.0.1:80/x": first path segment in URL cannot contain colon',
        ),
        ("there:80/x", 'Get "there:80/x": unsupported protocol scheme "there"'),
        ("http://a b/#c", 'parse "http://a b/": invalid character " " in host name'),
        ("http://a:b/", 'parse "http://a:b/": invalid port ":b" after host'),
        ("http://[::1/", "parse \"http://[::1/\": missing ']' in host"),
        ("http://a/%zz", 'parse "http://a/%zz": invalid URL escape "%zz"'),
        ("http://a b@c/", 'parse "http://a b@c/": net/url: invalid userinfo'),
        ("http://a:99999/", 'Get "http://a:99999/": dial tcp: address 99999: invalid port'),
    ],
)
def test_a_url_that_cannot_be_asked_is_said(bare, url, message):
    assert bare.run(ask(url))["wf"].message == message


def test_a_name_is_told_as_the_address_that_it_has(bare):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        message = bare.run(ask(f"http://localhost:{port}/"))["wf"].message

    addresses = [f"127.0.0.1:{port}", f"[::1]:{port}"]
    assert message in [
        f'Get "http://localhost:{port}/": dial tcp {address}: connect: connection refused'
        for address in addresses
    ]


def test_a_server_that_hangs_up_is_said(bare, server):
    ran = bare.run(ask(f"{server.url}/gone"))

    assert ran["wf"].message == f'Get "{server.url}/gone": EOF'


def test_a_response_that_breaks_off_is_said(bare, server):
    ran = bare.run(ask(f"{server.url}/broken"))

    assert (ran["wf"].phase, ran["wf"].message) == ("Failed", "unexpected EOF")


@pytest.mark.parametrize(("path", "before"), [("slow", 'Get "{}": '), ("half", "")])
def test_a_slow_server_has_so_many_seconds(bare, server, path, before):
    url = f"{server.url}/{path}"
    ran = bare.run(ask(url, "timeoutSeconds: 3"))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message == before.format(url) + "context deadline exceeded"
    assert server.gave_up.wait(PATIENCE_SECONDS)


def test_a_slow_server_stops_nobody_else_and_the_request_can_be_given_up(bare, server):
    bare.start(f"""
  templates:
  - name: main
    steps:
    - - {{name: slow, template: slow}}
      - {{name: quick, template: quick}}
  - name: slow
    http: {{url: '{server.url}/slow'}}
  - name: quick
    container: {{image: none, command: [echo, done]}}
""")
    for shown in bare.engine.watch("run"):
        quick = shown.nodes.get("wf[0].quick")
        if quick is not None and quick.phase == "Succeeded" and server.waits.is_set():
            break
    bare.engine.cancel("run", "enough")
    ran = bare.wait()

    assert (ran["slow"].phase, ran["slow"].message) == ("Failed", "enough")
    assert server.gave_up.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "more", ["timeout: 1s", "activeDeadlineSeconds: 1"], ids=["timeout", "deadline"]
)
def test_a_template_has_its_own_time(bare, server, more):
    ran = bare.run(ask(f"{server.url}/slow", more=more))

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message in {
        "timeout",
        "Pod was active on the node longer than the specified deadline",
    }


def test_a_request_is_tried_again(bare, server):
    ran = bare.run(ask(f"{server.url}/flaky", more="retryStrategy: {limit: 3}"))

    assert ran["wf"].type == "Retry"
    assert [str(one.phase) for one in ran.record.nodes.values()] == [
        "Succeeded",
        "Failed",
        "Failed",
        "Succeeded",
    ]
    assert ran["wf"].outputs.result == "3"


def test_many_requests_take_turns(bare, server):
    ran = bare.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: get, template: get, withSequence: {{count: 40}}}}
  - name: get
    http: {{url: '{server.url}/number'}}
""")

    assert [one.message for one in ran.record.nodes.values() if one.message] == []
    assert len(server.asked) == 40


def test_a_request_that_was_under_way_is_sent_again_by_the_next_owner(make, server):
    first = make("none")
    first.start(ask(f"{server.url}/slow"))
    assert server.waits.wait(PATIENCE_SECONDS)
    first.engine.close()
    assert server.gave_up.wait(PATIENCE_SECONDS)
    Answers.at_slow, slow = Answers.at_ok, Answers.at_slow
    try:
        ran = make("none").run(ask(f"{server.url}/slow"))
    finally:
        Answers.at_slow = slow

    assert ran["wf"].outputs.result == "hello\n"


def test_a_certificate_that_nobody_vouches_for_is_refused(bare, tls):
    ran = bare.run(ask(f"{tls.url}/ok"))

    assert ran["wf"].phase == "Failed"
    why = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    assert ran["wf"].message == f'Get "{tls.url}/ok": {why}'


def test_a_certificate_may_be_left_unlooked_at(bare, tls):
    ran = bare.run(ask(f"{tls.url}/ok", "insecureSkipVerify: true"))

    assert ran["wf"].outputs.result == "hello\n"


def test_a_certificate_that_the_machine_trusts_is_fine(bare, tls, tmp_path, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    ran = bare.run(ask(f"{tls.url}/ok"))

    assert ran["wf"].message == ""


KEY = "headers: [{name: X-Key, valueFrom: {secretKeyRef: {name: api, key: token}}}]"
SECRET = "hunter2-and-more"
GRANTED = {"wf.yaml#main": frozenset({"api"})}


@pytest.fixture
def keyed(make, tmp_path):
    """An engine without isolation that has the secret."""
    (tmp_path / "secrets" / "api").mkdir(parents=True)
    (tmp_path / "secrets" / "api" / "token").write_text(SECRET, "utf-8")
    return make("none", secrets=tmp_path / "secrets")


def told(local, ran):
    """Everything that a run leaves behind, as text."""
    files = [path for path in (local.state / "runs").rglob("*") if path.is_file()]
    return repr(ran.record) + "".join(path.read_text("utf-8") for path in files)


def test_a_header_from_a_secret_is_sent_and_never_said(keyed, server):
    condition = 'successCondition: "response.statusCode == 200 && len(request.headers) == 0"'
    ran = keyed.run(ask(f"{server.url}/ok", KEY, condition), granted=GRANTED)

    assert ran["wf"].message == ""
    assert server.asked[0][2]["X-Key"] == SECRET
    assert SECRET not in told(keyed, ran)


def test_no_other_host_is_told_a_secret(keyed, server, other):
    server.elsewhere = other.url.replace("127.0.0.1", "localhost")
    ran = keyed.run(ask(f"{server.url}/elsewhere", KEY), granted=GRANTED)

    assert ran["wf"].phase == "Succeeded"
    assert server.asked[0][2]["X-Key"] == SECRET
    assert "X-Key" not in other.asked[0][2]


def test_a_secret_that_cannot_be_sent_is_not_said(keyed, server, tmp_path):
    (tmp_path / "secrets" / "api" / "token").write_text(f"{SECRET}\n", "utf-8")
    ran = keyed.run(ask(f"{server.url}/ok", KEY), granted=GRANTED)

    why = f'Get "{server.url}/ok": net/http: invalid header field value for "X-Key"'
    assert (ran["wf"].phase, ran["wf"].message) == ("Failed", why)
    assert SECRET not in told(keyed, ran)
    assert server.asked == []


def test_a_secret_without_the_key_fails(keyed, server):
    text = ask(f"{server.url}/ok", KEY.replace("token", "nothing"))
    ran = keyed.run(text, granted=GRANTED)

    assert ran["wf"].phase == "Failed"
    assert ran["wf"].message == "secret 'api' does not have the key 'nothing'"


def test_a_secret_that_is_not_granted_is_refused(keyed, server):
    with pytest.raises(Rejected, match="does not grant it the secret 'api'"):
        keyed.start(ask(f"{server.url}/ok", KEY))


def test_a_body_that_is_no_base64_is_refused_at_its_place(bare):
    with pytest.raises(Rejected, match=r"wf.yaml:\d+:\d+: .*must be base64"):
        bare.start(ask("http://x", "bodyFrom: {bytes: '%'}"))
