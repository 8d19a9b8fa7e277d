"""Record: what the sign-ins of one Connector came to, as a metric and as lines of the log."""

from isthmus_runtime import logs, metrics
from isthmus_runtime.connectors.auth.scheme import SignInFailed


class Record:
    """Counts every sign-in; a line is written when one fails in another way than that before."""

    def __init__(self, namespace: str, connector: str) -> None:
        self._labels = (namespace, connector)
        self._failing = ""
        self.is_refused = False
        """Whether the last sign-in was refused."""

    def worked(self) -> None:
        """We are in."""
        metrics.SIGN_INS.labels(*self._labels, "done").inc()
        if self._failing:
            logs.info("sign-in works again", connector=self._labels[1])
        self._failing, self.is_refused = "", False

    def failed(self, failure: SignInFailed) -> None:
        """We are not."""
        self.is_refused = failure.refused
        result = "refused" if failure.refused else "failed"
        metrics.SIGN_INS.labels(*self._labels, result).inc()
        if str(failure) != self._failing:
            self._failing = str(failure)
            logs.warning(
                "sign-in is refused" if failure.refused else "sign-in fails",
                connector=self._labels[1],
                detail=self._failing,
            )
