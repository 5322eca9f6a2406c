"""The messages of gitwf's commits on the branch: a line for people, trailers for tools.

`git log` alone should read well. The trailers are for reading and for other people's tools; gitwf
itself decides nothing from them, because a squash merge drops them.
"""

from collections.abc import Mapping

from gitwf.delivery import entry


def release(
    subject: str,
    *,
    model: str,
    version: int | None,
    environment: str,
    result: entry.Result | None,
    request: str,
    body: str = "",
) -> str:
    """Write the message of a release commit."""
    trailers = {
        "Model": f"{model}@{version if version is not None else 'none'}",
        "Environment": environment,
        "Run": result.key if result is not None else "",
        "Request": request,
        "Source-Commit": result.commit if result is not None else "",
        "Digest": result.digest if result is not None else "",
    }
    return message(subject, body, trailers)


def message(subject: str, body: str, trailers: Mapping[str, object]) -> str:
    """Put a message together; empty trailers are left out."""
    lines = [f"{name}: {value}" for name, value in trailers.items() if value]
    return "\n\n".join(filter(None, [subject, body, "\n".join(lines)])) + "\n"
