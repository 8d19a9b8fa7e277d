"""Credentials: which keys of which Secrets a plan names. Their values are never seen here."""

from dataclasses import dataclass

from isthmus_api import secret_references
from isthmus_api.model import Model


@dataclass(frozen=True, slots=True, order=True)
class SecretKey:
    """One key of one Secret."""

    name: str
    key: str


def secrets(model: Model) -> tuple[SecretKey, ...]:
    """Every key that a plan, or a part of one, names: once, in order."""
    return tuple(sorted({SecretKey(ref.name, ref.key) for ref in secret_references.within(model)}))
