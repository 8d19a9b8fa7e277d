"""Security: how callers of a Route prove themselves, as OpenAPI says it."""

from isthmus_api.openapi.components import Components, Json
from isthmus_api.proofs import Hmac
from isthmus_api.verification import Verification


def described(verify: Verification | None, name: str, components: Components) -> Json:
    """What an operation says of it; its schemes go to `components`."""
    schemes = _schemes(verify) if verify else {}
    if not schemes:
        return {}
    named = {f"{name}-{kind}": scheme for kind, scheme in schemes.items()}
    components.security.update(named)
    return {"security": [{each: [] for each in named}]}


def _schemes(verify: Verification) -> dict[str, Json]:
    """How a caller proves itself; where it calls from is no part of a request."""
    schemes: dict[str, Json] = {}
    if verify.hmac:
        schemes["signature"] = {
            "type": "apiKey",
            "in": "header",
            "name": verify.hmac.header,
            "description": _signature(verify.hmac),
        }
    if verify.jwt:
        schemes["jwt"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if verify.bearer:
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    if verify.basic:
        schemes["basic"] = {"type": "http", "scheme": "basic"}
    if verify.api_key:
        place = "header" if verify.api_key.header else "query"
        name = verify.api_key.header or verify.api_key.query
        schemes["key"] = {"type": "apiKey", "in": place, "name": name}
    if verify.client_certificate:
        schemes["certificate"] = {"type": "mutualTLS"}
    return schemes


def _signature(hmac: Hmac) -> str:
    signed = f"`{hmac.signed}`" if hmac.signed else "the body"
    before = f" after `{hmac.prefix}`" if hmac.prefix else ""
    return f"HMAC with {hmac.algorithm} of {signed}, in {hmac.encoding}{before}."
