"""TLS of a client: the contexts that its connections begin with, made anew when their files change.

A key and its certificate go to OpenSSL through a file in memory: a Route's pod has no place to
write to, and a key is not to be written anyway.
"""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from isthmus_runtime.http import errors

Version = Literal["1.2", "1.3"]
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Tls(Protocol):
    """What a connection needs to know."""

    server_name: str | None
    """The name that the certificate must be for; none for that of the origin."""

    def context(self) -> ssl.SSLContext:
        """What a new connection begins with; `errors.TlsUnusable` where there is none."""
        ...


class Given:
    """A context that stays; by default one that trusts what the system trusts."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.server_name: str | None = None
        self._context = context or ssl.create_default_context()

    def context(self) -> ssl.SSLContext:
        """Always the same."""
        return self._context


@dataclass(frozen=True, slots=True)
class Files:
    """What a context is made of, as PEM."""

    ca: str | None = None
    """Whom to trust, and nobody else; none for whom the system trusts."""
    certificate: str | None = None
    private_key: str | None = None


class Rotating:
    """A context made of files that change.

    `read` gives the files as they are, at each new connection. Where they cannot be used any more,
    connections go on with the last ones that could, and `complain` is told once.
    """

    def __init__(
        self,
        read: Callable[[], Files],
        *,
        server_name: str | None,
        minimum: Version,
        complain: Callable[[], None],
    ) -> None:
        self.server_name = server_name
        self._read = read
        self._minimum = _VERSIONS[minimum]
        self._complain = complain
        self._files: Files | None = None
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """That of the files as they are."""
        files = self._read()
        if files != self._files or self._context is None:
            self._renew(files)
        if self._context is None:
            raise errors.TlsUnusable("the certificates cannot be used: see its tls")
        return self._context

    def _renew(self, files: Files) -> None:
        self._files = files
        try:
            self._context = _made(files, self._minimum)
        except (ssl.SSLError, OSError, ValueError):  # their texts may quote what they read
            if self._context is None:
                raise errors.TlsUnusable(_what_is_wrong(files)) from None
            self._complain()


def _what_is_wrong(files: Files) -> str:
    if files.certificate is None:
        return "the CA bundle holds no certificate as PEM"
    return (
        "the CA bundle, or the client certificate with its private key, is not PEM, or the key is "
        "another one's or has a passphrase"
    )


def _made(files: Files, minimum: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=files.ca)
    context.minimum_version = minimum
    if files.certificate is not None and files.private_key is not None:
        with _in_memory(f"{files.certificate}\n{files.private_key}\n".encode()) as path:
            # Without a function OpenSSL would ask for the passphrase on the terminal.
            context.load_cert_chain(path, password=lambda: "")
    return context


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path at which `content` can be read; on a disk only where there are no files in memory."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name
        return
    handle = os.memfd_create("certificate")
    try:
        os.write(handle, content)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
