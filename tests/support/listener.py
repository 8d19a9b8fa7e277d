"""Takes connections at a port, and does nothing with them."""

import socketserver
import sys


class Nothing(socketserver.BaseRequestHandler):
    """Lets go of who connected."""


if __name__ == "__main__":
    with socketserver.TCPServer(("", int(sys.argv[1])), Nothing) as server:
        server.serve_forever()
