"""What every object of the language has in common: its base class and its field types."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from isthmus_api.rules import Rule

GROUP = "isthmus.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ANY_JSON = WithJsonSchema(
    {
        "description": "Any JSON.",
        "x-kubernetes-preserve-unknown-fields": True,
        "nullable": True,
    }
)
FreeForm = Annotated[JsonValue, ANY_JSON]
"""Any JSON: bodies, schemas and test data, the only places where unknown fields are kept.

Only here null is a value of its own; anywhere else it is the same as leaving the field out.
"""

FreeFormObject = Annotated[
    dict[str, JsonValue],
    WithJsonSchema(
        {
            "type": "object",
            "description": "Any JSON object.",
            "x-kubernetes-preserve-unknown-fields": True,
        }
    ),
]
"""Any JSON object."""

_T = TypeVar("_T")
Items = Annotated[tuple[_T, ...], Field(strict=False)]
"""A list, kept as a tuple so that the object stays frozen."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
"""The name of an object of this namespace (an RFC 1123 label)."""

ObjectName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        max_length=253,
    ),
]
"""The name that Kubernetes gives most objects (an RFC 1123 subdomain)."""

Variable = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_]*$", max_length=63)]
"""The name of a variable that expressions reach as `$name`."""

Text = Annotated[
    str, Field(max_length=32768, description="A string that may hold `{% … %}` templates.")
]
"""A string that may hold `{% … %}` templates."""

WholeExpression = Annotated[str, Field(pattern=r"^\s*\{%[\s\S]*%\}\s*$", max_length=32768)]
"""A string that is one whole `{% … %}` expression."""

PlainText = Annotated[str, Field(max_length=32768, description="A string, taken as it is.")]
"""A string without templates."""


class NullsLeftOut(BaseModel):
    """An object in which null is the same as leaving the field out, as it is to the API server."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict) or None not in value.values():
            return value
        fields = cls.model_fields.items()
        dropped = {field.alias or name for name, field in fields if ANY_JSON not in field.metadata}
        return {
            name: inner for name, inner in value.items() if inner is not None or name not in dropped
        }


class Model(NullsLeftOut):
    """A frozen object that refuses unknown fields and keeps the rules between its fields.

    Fields are camelCase in manifests. Values are never converted from one type to another, as the
    API server does not either. `rules` hold between the fields that were written.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        serialize_by_alias=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        if self.rules:
            written = self.written()
            for rule in self.rules:
                if not rule.holds(written):
                    found = ", ".join(name for name in rule.fields if name in written)
                    told = {"message": rule.message, "set": found}
                    raise PydanticCustomError("rule", "{message}", told)
        return self

    def written(self) -> dict[str, Any]:
        """The fields that the author wrote, by the name they have in a manifest."""
        return {field.alias or name: value for name, field, value in self._written()}

    def canonical(self) -> dict[str, Any]:
        """The object as plain JSON, without what equals its default.

        The API server writes scalar defaults into what it stores and a file does not have them;
        both give the same canonical form, and so does a later version that has more fields.
        """
        return {
            field.alias or name: plain
            for name, field, value in self._written()
            if (plain := _plain(value)) != _plain(field.default) or plain is None
        }

    def _written(self) -> Iterator[tuple[str, FieldInfo, Any]]:
        for name, field in type(self).model_fields.items():
            if name in self.model_fields_set:
                value = getattr(self, name)
                if value is not None or ANY_JSON in field.metadata:
                    yield name, field, value


def _plain(value: Any) -> Any:
    match value:
        case Model():
            return value.canonical()
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value


KeyName = Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
"""A key of a Secret or a ConfigMap, as Kubernetes allows it."""


class SecretKeyRef(Model):
    """The Secret and the key that hold the value."""

    kind: ClassVar = "Secret"

    name: ObjectName = Field(description="Name of the Secret.")
    key: KeyName = Field(description="Key inside the Secret.")

    @property
    def folder(self) -> str:
        """The folder in which a process finds the key as a file."""
        return self.name


class ConfigMapKeyRef(Model):
    """The ConfigMap and the key that hold the value."""

    kind: ClassVar = "ConfigMap"

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: KeyName = Field(description="Key inside the ConfigMap.")

    @property
    def folder(self) -> str:
        """The folder in which a process finds the key as a file; no Secret has such a name."""
        return f"configmap@{self.name}"


KeyRef = SecretKeyRef | ConfigMapKeyRef
"""A value that stands outside of the manifests."""


class SecretValue(Model):
    """A value that is only ever given by reference to a Secret."""

    secret_key_ref: SecretKeyRef = Field(description="The Secret and the key that hold the value.")


class ObjectMeta(NullsLeftOut):
    """The metadata we read; the rest belongs to Kubernetes and is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    name: ObjectName = Field(description="Name the object in small letters, digits and '-'.")
    namespace: str = "default"
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
