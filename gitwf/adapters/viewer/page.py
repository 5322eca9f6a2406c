"""The small page that stands in where there is no viewer, or no R to run it.

A program of its own: it reads `$MODEL_FILE`, listens on `$HOST:$PORT` and answers every path with
one page of plain HTML and SVG: the response curves of the model's channels with their bands, its
metrics, and `$GITWF_NOTICE`, which says why this page is shown. It imports the standard library
and nothing of gitwf, so that it starts at once. The model's keys are those of
pipelines/ad-effect/README.md; a model with others is shown without curves.
"""

import html
import http.server
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 420, 220, 46, 30
_COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#6d597a")
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;background:#f5f6f8;margin:0}
main{max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}.model{color:#5b6676}.notice{background:#fff4d6;border-left:4px solid
#e0a100;padding:.6rem 1rem;border-radius:4px}section{background:#fff;border-radius:10px;padding:1rem
1.4rem;margin:1rem 0;box-shadow:0 1px 3px #0002}svg{width:100%;max-width:30rem}
td,th{text-align:left;padding:.15rem 1.5rem .15rem 0;font-variant-numeric:tabular-nums}
text{font-size:11px;fill:#5b6676}
"""


def page(model: str, document: Mapping[str, Any], notice: str) -> str:
    """Render the model called `model`; `document` is the content of its file."""
    name = html.escape(str(document.get("name", model)))
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta name="gitwf-model" content="{html.escape(model, quote=True)}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{name}</title><style>{_STYLE}</style></head><body><main>",
        f'<h1>{name}</h1><p class="model">model <b>{html.escape(model)}</b></p>',
        f'<p class="notice">{html.escape(notice)}</p>' if notice else "",
    ]
    units = document.get("units", {})
    for index, (channel, curve) in enumerate(document.get("channels", {}).items()):
        words = f"{units.get('effect', 'effect')} by {units.get('spend', 'spend')}"
        parts += [
            f"<section><h2>{html.escape(channel)}</h2>",
            _curve(curve, _COLOURS[index % len(_COLOURS)]),
            f"<p>{html.escape(words)}</p></section>",
        ]
    parts += [_table("Metrics", document.get("metrics", {}))]
    parts += [_table("Parameters", document.get("parameters", {})), "</main></body></html>"]
    return "\n".join(parts)


def _table(title: str, rows: Mapping[str, Any]) -> str:
    cells = "".join(
        f"<tr><th>{html.escape(str(key))}</th><td>{html.escape(_number(value))}</td></tr>"
        for key, value in rows.items()
    )
    return f"<section><h2>{title}</h2><table>{cells}</table></section>" if cells else ""


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _curve(curve: Mapping[str, Sequence[float]], colour: str) -> str:
    """Draw one channel: the band between `low` and `high`, and the line of `effect`."""
    spend, effect = curve["spend"], curve["effect"]
    low, high = curve.get("low", effect), curve.get("high", effect)
    bottom, top = min(0.0, *low), max(*high, 1e-9)
    most = max(*spend, 1e-9)

    def point(x: float, y: float) -> str:
        across = _LEFT + x / most * (_WIDTH - _LEFT - 10)
        up = (y - bottom) / (top - bottom) * (_HEIGHT - _BOTTOM - 10)
        return f"{across:.1f},{_HEIGHT - _BOTTOM - up:.1f}"

    band = [*map(point, spend, high), *reversed([*map(point, spend, low)])]
    zero = point(0, 0).split(",")[1]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{zero}" y2="{zero}" stroke="#c6ccd5"/>'
        f'<polygon points="{" ".join(band)}" fill="{colour}" opacity=".18"/>'
        f'<polyline points="{" ".join(map(point, spend, effect))}" fill="none" stroke="{colour}"'
        ' stroke-width="2.5"/>'
        f'<text x="2" y="14">{top:.3g}</text>'
        f'<text x="2" y="{_HEIGHT - _BOTTOM}">{bottom:.3g}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">0</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 8}" text-anchor="end">{most:.4g}</text></svg>'
    )


def handler(content: bytes) -> type[http.server.BaseHTTPRequestHandler]:
    """Make the class that answers every GET with `content`."""

    class Page(http.server.BaseHTTPRequestHandler):
        """Answers with the page."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer."""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815  the standard library's spelling

        def log_message(self, *_: object) -> None:
            """Keep quiet: what is worth a line is raised."""

    return Page


def main() -> int:
    """Serve until ended."""
    document = json.loads(pathlib.Path(os.environ["MODEL_FILE"]).read_text("utf-8"))
    if not isinstance(document, dict):
        sys.stderr.write("the model file holds no JSON object\n")
        return 1
    text = page(os.environ["MODEL"], document, os.environ.get("GITWF_NOTICE", ""))
    address = (os.environ["HOST"], int(os.environ["PORT"]))
    with http.server.ThreadingHTTPServer(address, handler(text.encode())) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
