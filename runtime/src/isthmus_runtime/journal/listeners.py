"""Who wants to know that work may have come, in this process."""

from collections.abc import Callable, Iterable

Wake = Callable[[], None]


class Listeners:
    """Callbacks by Route; all are called on the event loop."""

    def __init__(self) -> None:
        self._known: dict[str, dict[object, Wake]] = {}

    def add(self, route: str, wake: Wake) -> Callable[[], None]:
        """Call `wake` from now on; what is given back ends that."""
        mark = object()
        self._known.setdefault(route, {})[mark] = wake

        def stop() -> None:
            self._known.get(route, {}).pop(mark, None)

        return stop

    def wake(self, routes: Iterable[str]) -> None:
        """Tell those who listen for these Routes."""
        for route in routes:
            for wake in tuple(self._known.get(route, {}).values()):
                wake()

    def wake_all(self) -> None:
        """Tell everybody: something happened, nobody knows to which Route."""
        self.wake(tuple(self._known))

    def routes(self) -> tuple[str, ...]:
        """Routes that somebody listens for."""
        return tuple(route for route, known in self._known.items() if known)
