"""What a probe is told."""

import requests

from gitwf.adapters import health


def test_a_probe_is_told_how_things_are():
    state = [(True, "looked 3 s ago")]
    with health.served(0, lambda: state[0]) as port:
        url = f"http://127.0.0.1:{port}"
        well = requests.get(f"{url}/healthz", timeout=60)
        state[0] = (False, "looked 400 s ago")
        ill = requests.get(f"{url}/healthz", timeout=60)
        other = requests.get(f"{url}/metrics", timeout=60)

    assert (well.status_code, well.text) == (200, "looked 3 s ago\n")
    assert (ill.status_code, ill.text) == (503, "looked 400 s ago\n")
    assert other.status_code == 404
