"""Verifies AWS signatures with botocore, which shares no code with what Isthmus signs with."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, SignedHeaders=(?P<names>[^,]+), Signature=(?P<made>\w+)"
)


def takes(
    method: str, url: str, fields: Mapping[str, str], body: bytes, *, keys: tuple[str, str]
) -> bool:
    """Whether a request is signed as it must be; `fields` are by small letters."""
    found = _AUTHORIZATION.fullmatch(fields.get("authorization", ""))
    if not found or found["key"] != keys[0]:
        return False
    names = found["names"].split(";")
    must = {"host", "x-amz-date", "x-amz-content-sha256"} | {
        name for name in fields if name == "content-type" or name.startswith("x-amz-")
    }
    if set(names) != must or fields["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        return False
    signed = {name: fields[name] for name in names}
    scope = found["region"], found["service"]
    return found["made"] == signature(method, url, signed, body, keys=keys, scope=scope)


def signature(
    method: str,
    url: str,
    signed: Mapping[str, str],
    body: bytes,
    *,
    keys: tuple[str, str],
    scope: tuple[str, str],
) -> str:
    """The signature that a request must have: of its signed fields, for a region and a service."""
    region, service = scope
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = kind(Credentials(*keys), service, region)
    request = AWSRequest(method, _canonical(url), dict(signed), body)
    request.context["timestamp"] = signed["x-amz-date"]
    canonical = auth.canonical_request(request)
    return str(auth.signature(auth.string_to_sign(request, canonical), request))


def _canonical(url: str) -> str:
    """A server reads the parameters of a query before it puts them in order; botocore takes them
    as they come."""
    rest, mark, query = url.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return rest + mark + "&".join(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")
