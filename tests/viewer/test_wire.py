"""Where one HTTP message ends and the next begins."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.adapters.viewer import wire


class Sink:
    """A writer that keeps what it is given."""

    def __init__(self):
        self.content = b""

    def write(self, piece):
        self.content += piece

    async def drain(self):
        pass


def fed(content, *, ended=True):
    reader = asyncio.StreamReader(limit=wire.LIMIT)
    reader.feed_data(content)
    if ended:
        reader.feed_eof()
    return reader


def head(content):
    async def read():
        return await wire.read_head(fed(content))

    return asyncio.run(read())


def copied(content, extent):
    """What a copy of the body passes on, and what it leaves for the next message."""

    async def copy():
        reader, sink = fed(content), Sink()
        await wire.copy_body(reader, sink, extent)
        return sink.content, await reader.read()

    return asyncio.run(copy())


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_a_body_with_a_length_ends_there(body, following):
    assert copied(body + following, len(body)) == (body, following)


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=6), st.binary(max_size=50))
def test_a_body_in_chunks_ends_after_the_last(pieces, following):
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    body = chunks + b"0\r\nTrailer: 1\r\n\r\n"

    assert copied(body + following, "chunked") == (body, following)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_malformed(content):
    try:
        found = head(content + b"\r\n\r\n")
        if found is not None:
            assert found.passed_on("close").endswith(b"Connection: close\r\n\r\n")
            wire.request_extent(found)
    except wire.Malformed:
        pass


@pytest.mark.parametrize("missing", [1, 5])
def test_a_body_that_breaks_off_is_noticed(missing):
    with pytest.raises(asyncio.IncompleteReadError):
        copied(b"x" * (10 - missing), 10)


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n", b"3\r\nabc\r\n", b"3\r\nab"])
def test_chunks_that_break_off_are_noticed(body):
    with pytest.raises((asyncio.IncompleteReadError, wire.Malformed)):
        copied(body, "chunked")


@pytest.mark.parametrize(
    ("fields", "method", "extent"),
    [
        ("Content-Length: 7", "GET", 7),
        ("Transfer-Encoding: Chunked", "GET", "chunked"),
        ("Server: x", "GET", "close"),
        ("Content-Length: 7", "HEAD", 0),
    ],
)
def test_a_response_ends_where_its_fields_say(fields, method, extent):
    response = head(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode())

    assert wire.response_extent(response, method) == extent


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_content_has_no_body(status):
    response = head(f"HTTP/1.1 {status} x\r\nContent-Length: 7\r\n\r\n".encode())

    assert wire.response_extent(response, "GET") == 0


def test_a_request_without_fields_has_no_body():
    assert wire.request_extent(head(b"GET / HTTP/1.1\r\n\r\n")) == 0


@pytest.mark.parametrize(
    ("line", "connection", "persists"),
    [
        ("GET / HTTP/1.1", "", True),
        ("GET / HTTP/1.1", "Connection: close", False),
        ("GET / HTTP/1.0", "", False),
        ("GET / HTTP/1.0", "Connection: Keep-Alive", True),
    ],
)
def test_a_connection_stays_as_its_version_and_fields_say(line, connection, persists):
    assert head(f"{line}\r\n{connection or 'X: y'}\r\n\r\n".encode()).persists is persists


def test_the_head_is_passed_on_without_what_concerns_one_connection():
    request = head(b"GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nX: \xe9\r\n\r\n")

    assert request.path == "/a"
    assert request.passed_on("close") == (
        b"GET /a?b HTTP/1.1\r\nHost: x\r\nX: \xe9\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize("line", ["HTTP/1.1 abc", "HTTP/1.1 \u00b2", "HTTP/1.1 -1 x"])
def test_a_status_that_is_no_number_is_malformed(line):
    with pytest.raises(wire.Malformed):
        _ = wire.Head(line).status


def test_nothing_is_no_message():
    assert head(b"") is None
    assert head(b"\r\n") is None
