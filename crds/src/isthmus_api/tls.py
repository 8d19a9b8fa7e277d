"""TLS: whom a Connector trusts, and the certificate by which it shows who it is."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import ConfigMapKeyRef, Model, SecretKeyRef, SecretValue
from isthmus_api.rules import exactly_one_of


class CaBundle(Model):
    """Certificates, as PEM, that are trusted in place of those that the system trusts."""

    rules = (exactly_one_of("configMapKeyRef", "secretKeyRef"),)

    config_map_key_ref: ConfigMapKeyRef | None = Field(None, description="A key of a ConfigMap.")
    secret_key_ref: SecretKeyRef | None = Field(None, description="A key of a Secret.")


class ClientCertificate(Model):
    """The certificate that we show, and the key that proves it ours; both as PEM."""

    certificate: SecretValue = Field(
        description="The certificate, with those between it and its root after it (`tls.crt`)."
    )
    private_key: SecretValue = Field(
        description="Its private key, without a passphrase (`tls.key`)."
    )


class Tls(Model):
    """How connections to an https address begin. Files that change count for new connections."""

    ca_bundle: CaBundle | None = Field(
        None, description="Whom to trust; left out, whom the system trusts."
    )
    client_certificate: ClientCertificate | None = Field(
        None, description="What we show to a server that asks."
    )
    server_name: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)]
        | None
    ) = Field(
        None, description="The name that the certificate must be for, where it is not the host."
    )
    min_version: Literal["1.2", "1.3"] = Field(
        "1.2", description="The lowest version of TLS that is spoken."
    )
