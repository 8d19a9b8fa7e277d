"""Shapes: what commands write with `-o json`, key by key."""

from typing import Any, Final

from isthmus_cli.shapes import of_clusters, of_folders, of_messages

WRITTEN: Final[dict[str, Any]] = {
    "lint": of_folders.Lint,
    "test": of_folders.Tests,
    "mapping explain": of_folders.Explained,
    "promote": of_folders.Promoted,
    "diff": of_folders.Diff,
    "status": of_clusters.Status,
    "rollout status": of_clusters.RollOut,
    "rollout history": of_clusters.History,
    "rollout restart": of_clusters.Restarted,
    "pause": of_clusters.Paused,
    "resume": of_clusters.Paused,
    "top": of_clusters.Top,
    "trace": of_clusters.Trace,
    "check": of_folders.Checked,
    "messages list": of_messages.Messages,
    "messages show": of_messages.Shown,
    "messages show --key": of_messages.ShownByKey,
    "messages groups": of_messages.Groups,
    "messages replay": of_messages.Done,
    "messages drop": of_messages.Done,
    "messages send": of_messages.Sent,
    "messages audit": of_messages.Acts,
    "version": of_folders.Version,
}
"""One document each, by command."""
LINES: Final[dict[str, Any]] = {
    "messages export": of_messages.WholeMessage,
    "messages export --store": of_messages.Remembered,
}
"""A document in each line, without `-o json` being said."""
OTHERS: Final = {
    "mapping eval": "the result of the expression",
    "render": "a List of Kubernetes objects",
    "openapi": "an OpenAPI document",
    "crds": "a List of CustomResourceDefinitions",
    "run": "a line for each thing it logs (docs/how-to/observe.md)",
    "logs": "a line for each line that was logged, with the `pod` it is of; one that the runtime "
    "did not write has its `timestamp` and `text`",
}
"""What has a shape of its own."""
