"""Contract: what a vendor publishes of its API, named by a Connector and kept beside it.

The document itself is never part of a Connector or a plan: it may be larger than either can be.
"""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import KeyName, Model, ObjectName
from isthmus_api.rules import at_least_one_of


# No `model.KeyRef`: those hold values that pods cannot do without, and wait for.
class DocumentKeyRef(Model):
    """The ConfigMap and the key that hold the document."""

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: KeyName = Field(description="Key inside the ConfigMap.")


class OpenApiDocument(Model):
    """An OpenAPI document, version 3.0 or 3.1, as JSON or YAML."""

    rules = (at_least_one_of("configMapKeyRef", "file"),)

    config_map_key_ref: DocumentKeyRef | None = Field(
        None,
        description="A ConfigMap of this namespace. The command line takes it from the folder of "
        "manifests.",
    )
    file: Annotated[str, Field(pattern=r"^[^/\s]", max_length=1024)] | None = Field(
        None,
        description="A file beside the manifest, for the command line alone: where the folder has "
        "no such ConfigMap.",
    )


class Contract(Model):
    """What the vendor publishes of its API. Calls are held against it; it stops none of them."""

    openapi: OpenApiDocument = Field(description="Where the OpenAPI document is.")
