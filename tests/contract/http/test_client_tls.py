"""The client over TLS: the certificate counts, and connections are used again."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from isthmus_runtime import http
from isthmus_runtime.http import tls

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the keys")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Certificate = tuple[Path, Path]
"""The files of a private key and of its certificate."""

SecurePeer = tuple[int, list[bytes], asyncio.Event]
"""A port, the bodies that came, and what is set once a connection has ended."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return key, certificate


@pytest.fixture
async def secure_peer(certificate: Certificate) -> AsyncIterator[SecurePeer]:
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    ended = asyncio.Event()
    bodies: list[bytes] = []

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = (
                    int(head.rpartition(b"content-length: ")[2] or 0) if b"length" in head else 0
                )
                bodies.append(await reader.readexactly(length))
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            ended.set()

    listener = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context)
    yield listener.sockets[0].getsockname()[1], bodies, ended
    listener.close()


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_trusted_peer_is_spoken_to_over_one_connection(
    secure_peer: SecurePeer, certificate: Certificate
) -> None:
    port, bodies, ended = secure_peer
    trusting = ssl.create_default_context(cafile=certificate[1])
    client = http.Client(http.Origin("https", "localhost", port), tls=tls.Given(trusting))
    for size in (0, 100, 5_000_000):
        response = await client.send("POST", "/", body=b"x" * size, deadline=soon())

        assert response.body == b"ok"
    assert [len(body) for body in bodies] == [0, 100, 5_000_000]
    assert client.opened == 1
    await client.aclose()
    await ended.wait()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_an_untrusted_or_misnamed_peer_gets_nothing(
    secure_peer: SecurePeer, certificate: Certificate, host: str
) -> None:
    port, bodies, _ = secure_peer
    context = ssl.create_default_context(
        cafile=certificate[1] if host == "127.0.0.1" else None,
    )
    client = http.Client(http.Origin("https", host, port), tls=tls.Given(context))
    with pytest.raises(http.ConnectFailed, match="certificate") as caught:
        await client.send("GET", "/", deadline=soon())

    assert caught.value.sent is False
    assert bodies == []
    await client.aclose()
    assert client.open_connections == 0
