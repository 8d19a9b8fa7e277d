"""How to reach the API server: from a pod's ServiceAccount or from a kubeconfig file.

A ServiceAccount's token is read again whenever it is asked for: the kubelet replaces it every hour.
Of a kubeconfig, tokens and client certificates are read, not exec plugins: those are for people.
"""

import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class NoAccess(Exception):
    """There is no usable way to an API server; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Access:
    """One API server and who we are to it."""

    server: str
    authority: str | None
    """PEM text of the certificates to trust; None trusts what the system trusts."""
    token_file: Path | None = None
    fixed_token: str | None = None
    certificate: tuple[str, str] | None = None
    """PEM texts of a client certificate and its key."""

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> Self:
        """KUBECONFIG when it is set, otherwise the pod's ServiceAccount."""
        if named := environment.get("KUBECONFIG"):
            return cls.of_kubeconfig(Path(named))
        host, port = (environment.get(f"KUBERNETES_SERVICE_{part}") for part in ("HOST", "PORT"))
        if not host or not (ACCOUNT / "token").is_file():
            raise NoAccess("set KUBECONFIG, or run in a pod that has a ServiceAccount token")
        address = f"[{host}]" if ":" in host else host
        return cls(
            server=f"https://{address}:{port or 443}",
            authority=(ACCOUNT / "ca.crt").read_text(),
            token_file=ACCOUNT / "token",
        )

    @classmethod
    def of_kubeconfig(cls, file: Path) -> Self:
        """The current context of a kubeconfig file."""
        try:
            config = yaml.safe_load(file.read_text("utf-8"))
            context = _named(config, "contexts", "context", config["current-context"])
            cluster = _named(config, "clusters", "cluster", context["cluster"])
            user = _named(config, "users", "user", context["user"])
            certificate = _pem(user, "client-certificate"), _pem(user, "client-key")
            return cls(
                server=str(cluster["server"]).rstrip("/"),
                authority=_pem(cluster, "certificate-authority"),
                token_file=Path(user["tokenFile"]) if "tokenFile" in user else None,
                fixed_token=user.get("token"),
                certificate=(certificate[0], certificate[1]) if all(certificate) else None,  # type: ignore[arg-type] # `all` says that neither is None
            )
        except OSError as error:
            raise NoAccess(f"{file} cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise NoAccess(f"{file} is no usable kubeconfig: {type(error).__name__}") from error

    @property
    def token(self) -> str | None:
        """The bearer token as it is now."""
        return self.token_file.read_text().strip() if self.token_file else self.fixed_token

    def trust(self) -> ssl.SSLContext:
        """A TLS context for this server."""
        context = ssl.create_default_context(cadata=self.authority)
        if self.certificate:
            # The ssl module loads a key from files only.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
                os.fchmod(pair.fileno(), 0o600)
                pair.write("\n".join(self.certificate))
                pair.flush()
                context.load_cert_chain(pair.name)
        return context


def _named(config: Any, section: str, field: str, name: str) -> Any:
    return next(entry[field] for entry in config[section] if entry["name"] == name)


def _pem(entry: Mapping[str, Any], name: str) -> str | None:
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data).decode()
    return Path(entry[name]).read_text() if name in entry else None
