"""isthmus messages: what is in a journal, and what operators do with it.

`office` is the seam: a request goes in, answers come out. `local` asks a journal of this machine,
`cluster` a pod of a Route. Both speak to `isthmus_runtime.desk`, so a command knows neither. The
commands are a module each; `selection` and `places` are the options they share, `acts` is how
replay and drop go about many messages, `summaries` and `journeys` are what people read.
"""

from typing import Final

import click

from isthmus_cli.commands import Commands

_LINES: Final = {
    "list": "List messages.",
    "show": "Show one message and everything that happened to it.",
    "groups": "Count failed messages by their cause.",
    "replay": "Deliver messages again, as they were or with another body.",
    "drop": "Give messages up, with a reason.",
    "send": "Have a Route deliver a message that no source brought.",
    "export": "Write messages, or a store, as JSON, one a line.",
    "audit": "List what people did, and why.",
}


@click.group(cls=Commands, lines=_LINES, package="isthmus_cli.messages")
def messages() -> None:
    """See, replay and drop the messages of Routes.

    Works on the journal of `isthmus run`, or with -n in a cluster, with your own rights there.
    """
