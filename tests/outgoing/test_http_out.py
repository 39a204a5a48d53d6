"""What goes out over HTTP, to real servers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outgoing.receiver import Got, Receiver, answer, saying, silence
from trunkline.adapters.http_out import MAX_ANSWER_BYTES, HttpOut
from trunkline.app.outgoing import NotAllowed, NotAnswered, NotAnsweredInTime
from trunkline.domain.addresses import networks
from trunkline.errors import OutOfRange

LOOPBACK = networks(["127.0.0.0/8"])
IN_TIME_S = 20.0


def with_client(test: Callable[[HttpOut], Awaitable[None]], **settings: Any) -> None:
    """Run a test with a client that may reach this machine."""

    async def run() -> None:
        client = HttpOut(**{"connections": 4, "allowed": LOOPBACK, **settings})
        try:
            await test(client)
        finally:
            await client.close()

    asyncio.run(run())


def test_a_body_goes_out_and_the_answer_comes_back() -> None:
    """Path, query, headers and body arrive as given; status, body and Retry-After come back."""

    async def test(client: HttpOut) -> None:
        async with Receiver(saying(answer(503, b"later", "Retry-After: 7"))) as receiver:
            reply = await client.post(f"{receiver.url}?a=1%202", {"X-Mark": "m"}, b'{"a":"\xc3\xa4"}', IN_TIME_S)
        assert (reply.status, reply.body, reply.retry_after_s) == (503, b"later", 7)
        got = receiver.got[0]
        assert got.line == "POST /hook?a=1%202 HTTP/1.1"
        assert got.body == b'{"a":"\xc3\xa4"}'
        assert got.headers["x-mark"] == "m"
        assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert got.headers["content-type"] == "application/json"
        assert got.headers["user-agent"] == "Trunkline/1.2"

    with_client(test, version="1.2")


def test_connections_are_kept() -> None:
    """Ten requests one after the other use one connection."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            for _ in range(10):
                await client.post(receiver.url, {}, b"{}", IN_TIME_S)
        assert (len(receiver.got), receiver.connections) == (10, 1)

    with_client(test)


def test_connections_are_limited() -> None:
    """More requests than connections wait for one instead of opening more."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            await asyncio.gather(*(client.post(receiver.url, {}, b"{}", IN_TIME_S) for _ in range(40)))
        assert len(receiver.got) == 40
        assert receiver.connections <= 3

    with_client(test, connections=3)


def test_a_redirection_is_not_followed() -> None:
    """A server cannot send us on to another address: its 302 is the answer."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as other, Receiver(saying(answer(302, b"", f"Location: {other.url}"))) as receiver:
            reply = await client.post(receiver.url, {}, b"{}", IN_TIME_S)
        assert reply.status == 302
        assert other.got == []

    with_client(test)


def test_a_server_that_says_nothing_costs_the_time_and_no_more() -> None:
    """The time limit covers the whole exchange, and the connection is given back."""

    async def test(client: HttpOut) -> None:
        async with Receiver(silence) as receiver:
            for _ in range(3):
                with pytest.raises(NotAnsweredInTime, match=r"0\.05 s"):
                    await client.post(receiver.url, {}, b"{}", 0.05)

    with_client(test, connections=1)


def test_a_server_that_drips_is_cut_off() -> None:
    """Time is counted for the whole answer, not from one part to the next."""

    async def test(client: HttpOut) -> None:
        is_gone = asyncio.Event()

        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"x")
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1000), 0.01)
            writer.close()
            is_gone.set()

        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NotAnsweredInTime):
            await client.post(f"http://127.0.0.1:{port}/", {}, b"{}", 0.2)
        await is_gone.wait()
        server.close()

    with_client(test)


@pytest.mark.parametrize("is_announced", [True, False])
def test_an_answer_has_a_limit(*, is_announced: bool) -> None:
    """What is longer counts as no answer, whether its length was announced or not."""
    body = b"x" * (MAX_ANSWER_BYTES + 1)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    async def test(client: HttpOut) -> None:
        async with Receiver(saying(answer(200, body) if is_announced else chunked)) as receiver:
            with pytest.raises(NotAnswered, match=r"larger than"):
                await client.post(receiver.url, {}, b"{}", IN_TIME_S)
        async with Receiver(saying(answer(200, body[1:]))) as receiver:
            assert len((await client.post(receiver.url, {}, b"{}", IN_TIME_S)).body) == MAX_ANSWER_BYTES

    with_client(test)


@pytest.mark.parametrize("said", [b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", None])
def test_what_is_not_http_is_no_answer(said: bytes | None) -> None:
    """Garbage and a closed connection are failures of the server, told in words."""

    async def test(client: HttpOut) -> None:
        async with Receiver(saying(said)) as receiver:
            with pytest.raises(NotAnswered):
                await client.post(receiver.url, {}, b"{}", IN_TIME_S)

    with_client(test)


def test_nobody_listens() -> None:
    """A refused connection is told as such, and names no address."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            url = receiver.url
        with pytest.raises(NotAnswered, match=r"^the connection was refused$"):
            await client.post(url, {}, b"{}", IN_TIME_S)

    with_client(test)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_reached_unless_it_is_allowed(host: str) -> None:
    """However the address is written: nothing is even connected."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            for scheme in ("http", "https"):
                with pytest.raises(NotAllowed, match=r"internal address"):
                    await client.post(f"{scheme}://{host}:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
        assert receiver.connections == 0

    with_client(test, allowed=())


def looks_up(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to these addresses in turn; returns the names that are asked for."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        found = left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once for a connection: the address that was judged is the one that is connected to.

    The second look would lead to an address where nobody listens.
    """
    asked = looks_up(monkeypatch, ["127.0.0.1"], ["127.0.0.99"])

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            await client.post(f"http://hook.example:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
        assert receiver.got[0].headers["host"] == f"hook.example:{receiver.port}"
        assert asked == ["hook.example"]

    with_client(test)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"]])
def test_a_name_with_an_internal_address_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """One internal address among public ones is enough."""
    looks_up(monkeypatch, addresses)

    async def test(client: HttpOut) -> None:
        with pytest.raises(NotAllowed, match=r"internal address"):
            await client.post("https://hook.example/", {}, b"{}", IN_TIME_S)

    with_client(test)


def test_without_tls_nothing_leaves_the_named_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of customers do not cross the internet in the clear."""
    looks_up(monkeypatch, ["8.8.8.8"])

    async def test(client: HttpOut) -> None:
        with pytest.raises(NotAllowed, match=r"https"):
            await client.post("http://hook.example/", {}, b"{}", IN_TIME_S)

    with_client(test)


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with several addresses survives the loss of the first."""
    looks_up(monkeypatch, ["127.0.0.99", "127.0.0.1"])

    async def test(client: HttpOut) -> None:
        async with Receiver() as receiver:
            reply = await client.post(f"http://hook.example:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
        assert reply.status == 200

    with_client(test)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https://", "nonsense", "http://[::1/", "file:///etc/passwd", "https://x:y/"]
)
def test_odd_urls_are_refused(url: str) -> None:
    """What is no address of a web server is not tried."""

    async def test(client: HttpOut) -> None:
        with pytest.raises(NotAnswered):
            await client.post(url, {}, b"{}", IN_TIME_S)

    with_client(test)


def test_an_unknown_name_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads nowhere is told as such."""

    def getaddrinfo(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def test(client: HttpOut) -> None:
        with pytest.raises(NotAnswered, match=r"leads to no address"):
            await client.post("https://hook.example/", {}, b"{}", IN_TIME_S)

    with_client(test)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for hook.example, signed by itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example"),
            *("-out", str(made), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


def test_certificates_are_checked(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> None:
    """Against the name of the url, and only an authority that is known counts."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    looks_up(monkeypatch, *(["127.0.0.1"] for _ in range(3)))

    async def known(client: HttpOut) -> None:
        async with Receiver(tls=tls) as receiver:
            reply = await client.post(f"https://hook.example:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
            assert reply.status == 200
            with pytest.raises(NotAnswered, match=r"certificate is not accepted"):
                await client.post(f"https://other.example:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
            assert [got.line for got in receiver.got] == ["POST /hook HTTP/1.1"]

    async def unknown(client: HttpOut) -> None:
        async with Receiver(tls=tls) as receiver:
            with pytest.raises(NotAnswered, match=r"certificate is not accepted"):
                await client.post(f"https://hook.example:{receiver.port}/hook", {}, b"{}", IN_TIME_S)
            assert receiver.got == []

    with_client(known, ca_file=str(certificate[0]))
    with_client(unknown)


def test_a_file_without_authorities_is_noticed_at_once(tmp_path: Path) -> None:
    """Not at the first delivery, when nobody looks."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(OutOfRange, match=r"outgoing_ca_file: .*\.pem holds no certificates"):
            HttpOut(connections=1, ca_file=str(path))


@given(st.one_of(st.text(max_size=40), st.text(max_size=30).map(lambda text: f"https://{text}")))
def test_any_text_is_a_request_or_refused(url: str) -> None:
    """No text that somebody may write for an address ends otherwise."""
    client = HttpOut(connections=1)
    with contextlib.suppress(NotAllowed):
        request = client._request(url, {}, b"{}", 1)
        assert request.url.scheme in (b"http", b"https")
        assert request.url.host


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look up the name in our place, and nobody would judge the address."""

    async def test(client: HttpOut) -> None:
        async with Receiver() as proxy, Receiver() as receiver:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            await client.post(receiver.url, {}, b"{}", IN_TIME_S)
        assert (len(receiver.got), proxy.connections) == (1, 0)

    with_client(test)


def test_got_is_what_came() -> None:
    """The receiver of these tests itself: a request without a body is taken."""

    async def run() -> None:
        async with Receiver() as receiver:
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()) == b"HTTP/1.1 200 Said\r\n"
            writer.close()
        assert receiver.got == [Got("GET / HTTP/1.1", {"host": "x"}, b"")]

    asyncio.run(run())
