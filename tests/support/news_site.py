"""The news site as a process to which the names below example.org are this machine: python -m ... HTTPS_PORT PORT."""

import socket
import sys

from paywall.demo.command import serve_site
from tests.support import https

if __name__ == "__main__":
    socket.getaddrinfo = https.resolver(int(sys.argv[1]))  # type: ignore[assignment]
    sys.exit(serve_site(int(sys.argv[2])))
