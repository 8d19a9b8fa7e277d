"""The installed command `isthmus` against a real API server, with the rights that a test gives."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import json_shapes
from control_plane import ControlPlane

COMMAND = Path(sys.executable).parent / "isthmus"
TIMEOUT_SECONDS = 120.0

Ended = subprocess.CompletedProcess[str]


@dataclass
class Command:
    """Runs `isthmus` with a kubeconfig whose context names the test's namespace."""

    plane: ControlPlane
    namespace: str
    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __call__(
        self,
        *arguments: str | Path,
        kubeconfig: Path | None = None,
        stdin: str | None = None,
        program: Path = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run it to its end; with a `kubeconfig` of other rights, or with one's own."""
        ended = subprocess.run(
            [program, *arguments],
            env=self.environment(kubeconfig) | dict(environment or {}),
            cwd=self.folder,
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        assert self.plane.token not in ended.stdout + ended.stderr
        json_shapes.check(arguments, ended.stdout)
        return ended

    async def run(self, *arguments: str | Path, **how: Any) -> Ended:
        """The same beside an event loop."""
        return await asyncio.to_thread(self, *arguments, **how)

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """What the command finds in its environment."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ISTHMUS_")}
        return kept | {"KUBECONFIG": str(kubeconfig or self.kubeconfig())}

    def kubeconfig(self, *, token: str = "", server: str = "") -> Path:
        """A kubeconfig for this namespace: of all rights, or of a token's, or of another server."""
        config = json.loads(self.plane.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = self.namespace
        if token:
            config["users"][0]["user"]["token"] = token
        if server:
            config["clusters"][0]["cluster"]["server"] = server
        file = self.folder / f"kubeconfig-{next(self._numbers)}"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))
        return file

    def with_rights(self, *rules: str) -> Path:
        """A kubeconfig of somebody who may just do this here: `get,list routes.isthmus.dev`."""
        name = f"somebody-{next(self._numbers)}"
        self._kubectl("create", "serviceaccount", name)
        if rules:
            self._kubectl("apply", "-f", "-", stdin=json.dumps(_role(name, rules)))
            account = f"{self.namespace}:{name}"
            self._kubectl(
                "create", "rolebinding", name, f"--role={name}", f"--serviceaccount={account}"
            )
        return self.kubeconfig(token=self._kubectl("create", "token", name).strip())

    def _kubectl(self, *args: str, stdin: str | None = None) -> str:
        return self.plane.kubectl("-n", self.namespace, *args, stdin=stdin).stdout


def _role(name: str, rules: tuple[str, ...]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": [_rule(*rule.split()) for rule in rules],
    }


def _rule(verbs: str, resource: str) -> dict[str, list[str]]:
    """`resource` is `plural.group`, or `plural` of the core, with `/part` behind the plural."""
    plural, _, group = resource.partition(".")
    return {"apiGroups": [group], "resources": [plural], "verbs": verbs.split(",")}
