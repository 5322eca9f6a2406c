"""What a cluster's probes ask of `gitwf serve`: `/healthz` over HTTP, and nothing else.

The answer is asked for anew each time, so that a loop that hangs is told from one that waits. It
says in one line how things are; nothing of the project is in it, for anybody may ask.
"""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[], tuple[bool, str]]
"""Whether all is well, and how things are in a few words."""


@contextlib.contextmanager
def served(port: int, answer: Answer) -> Iterator[int]:
    """Answer on every address of this host while the block runs; the port. OSError: it is taken."""

    class Probe(http.server.BaseHTTPRequestHandler):
        """One question."""

        def do_GET(self) -> None:
            """Answer 200, 503 when something is wrong, 404 for any other path."""
            well, words = answer() if self.path == "/healthz" else (None, "ask /healthz")
            content = f"{words}\n".encode()
            self.send_response({True: 200, False: 503, None: 404}[well])
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *said: object) -> None:
            """Say nothing: probes ask every few seconds."""

    server = http.server.ThreadingHTTPServer(("", port), Probe)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
