"""A session: a process in a pod that reads requests from its input, one a line, and answers.

The API server carries it as a WebSocket whose frames begin with the number of a stream. Both sides
write ASCII, so no character is cut in two by a frame.
"""

import json
from collections.abc import Iterator
from typing import Final

from websocket import ABNF, WebSocket, WebSocketException

from isthmus_cli.messages.office import Answer, Refused, Request

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_FRAME: Final = 32_768
"""Bytes of input at a time: what servers on the way take without asking."""
_SILENT_SECONDS: Final = 300.0
"""One transaction may take a while; a connection that nobody holds any more ends."""
_TAIL: Final = 500
_NO_DESK: Final = "No module named isthmus_runtime.desk"


class Session:
    """One process in one pod."""

    def __init__(self, pod: str, socket: WebSocket) -> None:
        self._pod = pod
        self._socket = socket
        self._unread = b""
        self._errors = b""
        socket.settimeout(_SILENT_SECONDS)

    def ask(self, request: Request) -> Iterator[Answer]:
        """Do a request, and give its answers as they come.

        Answers that nobody took would be taken for those of the next request: after one that was
        not read to its end there is none.
        """
        try:
            self._write(json.dumps(request).encode() + b"\n")
            for line in self._lines():
                answer: Answer = json.loads(line)
                if "error" in answer:
                    raise Refused(str(answer["error"]))
                yield answer
                if "end" in answer:
                    return
        except (OSError, WebSocketException) as error:
            raise Refused(self._ended(str(error))) from error

    def close(self) -> None:
        """End the process: its input ends."""
        self._socket.close()

    def _write(self, text: bytes) -> None:
        for at in range(0, len(text), _FRAME):
            frame = bytes((_INPUT,)) + text[at : at + _FRAME]
            self._socket.send(frame, opcode=ABNF.OPCODE_BINARY)

    def _lines(self) -> Iterator[bytes]:
        while True:
            *lines, self._unread = self._unread.split(b"\n")
            yield from lines
            self._read()

    def _read(self) -> None:
        code, frame = self._socket.recv_data_frame(True)
        if code == ABNF.OPCODE_CLOSE:
            raise Refused(self._ended("it ended"))
        if code not in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) or not frame.data:
            return
        stream, data = frame.data[0], frame.data[1:]
        if stream == _OUTPUT:
            self._unread += data
        elif stream == _ERRORS:
            self._errors = (self._errors + data)[-_TAIL:]

    def _ended(self, how: str) -> str:
        said = self._errors.decode("ascii", "replace").strip()
        if _NO_DESK in said:
            return (
                f"the runtime in the pod {self._pod} is too old for `isthmus messages`; "
                "set a newer runtime.image of the operator's chart"
            )
        told = said.splitlines()[-1] if said else how
        return f"the pod {self._pod} did not answer to the end: {told}; run the command again"


def command() -> list[str]:
    """What runs in the pod."""
    return ["python", "-m", "isthmus_runtime.desk"]
