"""Sight: what a user may see; what they may not is left out, and told."""

from collections.abc import Callable
from typing import Any, Final

from isthmus_cli.cluster.errors import Refused

FORBIDDEN: Final = 403


class Sight:
    """Asks, and keeps what was refused for want of a right."""

    def __init__(self) -> None:
        self._hidden: dict[str, None] = {}

    @property
    def hidden(self) -> list[str]:
        """What was left out, each once."""
        return list(self._hidden)

    def of(self, ask: Callable[[], Any], otherwise: Any) -> Any:
        """What a question is answered; where that is forbidden, what is to be taken otherwise."""
        try:
            return ask()
        except Refused as error:
            if error.status != FORBIDDEN:
                raise
            self._hidden[str(error)] = None
            return otherwise
