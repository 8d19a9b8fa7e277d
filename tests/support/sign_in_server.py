"""A system that checks who asks, run in a pod of a cluster by `vendor`; needs only Python.

    python sign_in_server.py PORT

Like a vendor who takes the old and the new credentials while they are rotated, it takes HTTP Basic
of every user `user-N` with the password `password-N`, and answers with the user. A user with the
password of another gets 401.
"""

import base64
import binascii
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAIR = re.compile(r"(?P<user>user-(?P<number>\d+)):password-(?P=number)")


class Handler(BaseHTTPRequestHandler):
    """Answers every GET."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell the user, or refuse."""
        pair = PAIR.fullmatch(_credentials(self.headers.get("authorization", "")))
        body = json.dumps({"user": pair and pair["user"]}).encode()
        self.send_response(200 if pair else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no line for each request."""


def _credentials(authorization: str) -> str:
    try:
        return base64.b64decode(authorization.removeprefix("Basic ")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
