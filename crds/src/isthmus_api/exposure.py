"""Exposure: how callers outside the cluster reach a Route."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model, Name, ObjectName
from isthmus_api.rules import at_most_one_of
from isthmus_api.workload import Annotations


class GatewayRef(Model):
    """A Gateway of the Gateway API."""

    name: ObjectName = Field(description="Name of the Gateway.")
    namespace: Name | None = Field(
        None, description="Namespace of the Gateway; left out, the Route's own."
    )


class Expose(Model):
    """Makes an HTTPRoute where a Gateway is known, and an Ingress otherwise.

    A Gateway is known when it is named here, or when the operator has one for all Routes and this
    Route asks for nothing that only an Ingress has.
    """

    rules = (
        at_most_one_of("gateway", "ingressClassName"),
        at_most_one_of("gateway", "tlsSecretName"),
    )

    host: (
        Annotated[
            str,
            Field(
                pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
                max_length=253,
            ),
        ]
        | None
    ) = Field(None, description="Host name that callers use; left out, any.")
    path_prefix: (
        Annotated[str, Field(pattern=r"^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$", max_length=512)]
        | None
    ) = Field(
        None,
        description="How the paths begin that are led to the Route. Left out, exactly the path of "
        "the source, or what stands in it before the first variable.",
    )
    ingress_class_name: ObjectName | None = Field(
        None, description="The IngressClass; left out, the cluster's default."
    )
    tls_secret_name: ObjectName | None = Field(
        None, description="Secret with the certificate of the host, for an Ingress."
    )
    gateway: GatewayRef | None = Field(None, description="The Gateway to be reached through.")
    annotations: Annotations = Field(
        {}, max_length=32, description="Annotations of the Ingress or HTTPRoute."
    )
