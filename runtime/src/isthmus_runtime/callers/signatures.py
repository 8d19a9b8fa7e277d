"""Signatures: an HMAC over the body, or over what the Route says is signed."""

import hmac
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from isthmus_api import proofs as language
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.model import SecretValue
from isthmus_runtime.callers.check import NOBODY, Caller, Vault, unproven
from isthmus_runtime.callers.encodings import DECODERS
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Rejected
from isthmus_runtime.http.messages import Request
from isthmus_runtime.steps.bound import Binder

_MOST_SIGNATURES: Final = 16
"""Senders that change their secret send two."""


class Signature:
    """The check of one Route's signatures."""

    def __init__(
        self,
        spec: language.Hmac,
        vault: Vault,
        binder: Binder,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spec = spec
        self._vault = vault
        self._clock = clock
        self._name = spec.header.lower().encode()
        self._signed = binder.template(spec.signed) if spec.signed else None
        self._timestamp = binder.template(spec.timestamp) if spec.timestamp else None
        self._tolerance = spec.tolerance.seconds
        self._decode = DECODERS[spec.encoding]
        self._secrets = [each for each in (spec.secret, spec.second_secret) if each]
        prefix = re.escape(spec.prefix.encode())
        self._signatures = re.compile(rb"(?:^|[\s,])" + prefix + rb"([A-Za-z0-9+/=_-]+)")

    def __call__(self, request: Request, x: Exchange) -> Caller:
        given = [v for name, v in request.head.headers if name == self._name]
        found = [text for value in given for text in self._signatures.findall(value)]
        if not found:
            raise _refused("SignatureMissing", f"the header {self._spec.header} has no signature")
        if len(found) > _MOST_SIGNATURES:
            raise _refused("BadSignature", f"there are more than {_MOST_SIGNATURES} signatures")
        text = self._text(request, x)
        expected, missing = self._expected(text)
        decoded = [self._decode(text) or b"" for text in found]
        fits = [hmac.compare_digest(a, b) for a in decoded for b in expected]  # all, whichever does
        if True in fits:
            return NOBODY
        if missing is not None:
            raise missing
        raise _refused("BadSignature", "the signature is not that of this request")

    def _expected(self, text: bytes) -> tuple[list[bytes], Fault | None]:
        """What the signature may be, by each secret that there is, and why another is not."""
        expected: list[bytes] = []
        missing: Fault | None = None
        for value in self._secrets:
            try:
                expected.append(hmac.digest(self._key(value), text, self._spec.algorithm))
            except Fault as fault:
                missing = fault
        return expected, missing

    def _key(self, value: SecretValue) -> bytes:
        key = DECODERS[self._spec.secret_encoding](self._vault.read(value))
        if not key:
            detail = f"a secret of signatures is not written in {self._spec.secret_encoding}"
            raise Fault("SecretUnreadable", detail, 503)
        return key

    def _text(self, request: Request, x: Exchange) -> bytes:
        """What is signed. A timestamp is looked at first, so that it is part of it."""
        if self._timestamp is None and self._signed is None:
            return request.body
        try:
            x.variables["timestamp"] = self._at(x)
            if self._signed is None:
                return request.body
            x.variables["body"] = request.body.decode("utf-8")
            return self._signed.text(x).encode("utf-8")
        except (ExpressionError, UnicodeError) as error:
            raise _refused("BadSignature", "what is signed cannot be read") from error
        finally:
            x.variables.pop("timestamp", None)
            x.variables.pop("body", None)

    def _at(self, x: Exchange) -> Any:
        """The timestamp as it was sent, once it is near enough to now."""
        if self._timestamp is None:
            return None
        given = self._timestamp.value(x)
        seconds = _seconds(given)
        if seconds is None:
            raise _refused("TimestampMissing", "the request does not say when it was signed")
        if not abs(seconds - self._clock()) <= self._tolerance:  # so that NaN is not near
            raise _refused("TimestampOutOfTolerance", "the request was signed too long ago")
        return given


def _refused(reason: str, detail: str) -> Rejected:
    return unproven(reason, detail, b"HMAC")


_MILLISECONDS: Final = 1e11
"""Unix time in milliseconds is above, in seconds far below."""


def _seconds(given: Any) -> float | None:
    """Unix seconds of a timestamp in seconds, in milliseconds, or as RFC 3339 has it."""
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            return _rfc3339(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return given / 1000 if abs(given) > _MILLISECONDS else float(given)


def _rfc3339(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
