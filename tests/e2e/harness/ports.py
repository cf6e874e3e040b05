"""Ports that nothing else takes."""

import random
import socket

FIRST, LAST = 12_000, 30_000
"""Below what Linux gives to outgoing connections: while a daemon is down, no client may get its port by chance."""


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
